"""차례에 실린 모든 쪽이 문체·숫자·얼개 검사를 통과합니다. 규칙마다의 시험은 test_checks.py에 있습니다.

실행의 검사는 test_claims.py, 데이터는 test_generators.py, 다른 자료는 test_redraw.py, 두 번째 실행은 test_second_run.py가 봅니다.
모두 `make check-case`와 같은 함수를 부릅니다.
"""

import pytest
from lxml import html as lxml_html

from book.checks import check_page
from book.checks.language import wrong_particles
from book.page import published_pages


@pytest.mark.parametrize("page", published_pages(), ids=lambda p: p.docname)
def test_page_passes_every_check(page):
    findings = check_page(page)
    assert not findings, "\n".join(str(finding) for finding in findings)


@pytest.mark.parametrize("page", published_pages(), ids=lambda p: p.docname)
def test_particles_fit_the_numbers_that_were_put_in(page, site_dir):
    article = lxml_html.parse(site_dir / f"{page.docname}.html").find(".//article")
    for element in article.xpath(".//script | .//style | .//pre | .//*[starts-with(@class, 'math ')]"):
        element.drop_tree()
    text = article.text_content()
    wrong = [f"'{text[max(0, at - 30) : at]}{found}' → '{right}'" for at, found, right in wrong_particles(text)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("0.77에서 0.03로 줄었습니다.", ["0.03으로"]),
        ("123가 아니라 1.80는 0.36를", ["123이", "1.80은", "0.36을"]),
        ("-13.8으로 40%은, 2%p이 1,232과 ", ["-13.8로", "40%는", "2%p가", "1,232와"]),
        ("1.81이 됩니다. 10으로 나눈 4는 7로, 1/2을 T0를 9.3절의 3이라면", []),
    ],
)
def test_a_wrong_particle_is_found_and_mended(text, right):
    assert [better for _, _, better in wrong_particles(text)] == right
