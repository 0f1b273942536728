"""시험이 함께 쓰는 것: 만들어진 사이트, 실행된 노트북, 진짜 브라우저."""

import contextlib
import os
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from book.browser import BrowserMissing, chromium
from book.execution import Execution, stored
from book.page import Page, html_dir, published_pages

from ledger import Ledger, Scheduling

IN_CI = os.environ.get("CI", "").lower() == "true"


# 색칠한 코드는 쪽의 요소 셋 가운데 둘이지만 이름도 역할도 없는 조각입니다. 재려고 표시한 조각만 남기고 글로 합치면 axe가 세 배 빠릅니다.
FLATTEN = """() => document.querySelectorAll(".highlight pre").forEach((pre) => {
  pre.kept = [...pre.childNodes];
  const marked = (n) => n.nodeType === 1 && (n.matches("[data-colour-sample]") || n.querySelector("[data-colour-sample]"));
  pre.replaceChildren(...pre.kept.map((n) => (marked(n) ? n : n.textContent)));
  pre.normalize();
})"""
UNFLATTEN = (
    "() => document.querySelectorAll('.highlight pre').forEach((pre) => pre.kept && pre.replaceChildren(...pre.kept))"
)


def pytest_configure(config):
    config.pluginmanager.register(Ledger(config))


def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log)


@dataclass
class Recorded:
    """브라우저 한 탭에서 일어난 일.

    Attributes
    ----------
    console : list of str
        콘솔의 오류와 처리되지 않은 예외.
    outside : list of str
        이 컴퓨터 밖으로 나가려 한 주소.
    failed : list of str
        실패한 요청과 404.
    """

    console: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    """차례에 실린 쪽."""
    return published_pages()


class Executions(dict):
    """쪽의 이름 → 실행 결과. 물어본 쪽만 찾으므로, 한 쪽만 실행하고 그 쪽의 시험만 돌릴 수 있습니다."""

    def __init__(self, pages: list[Page]):
        super().__init__()
        self.pages = {page.docname: page for page in pages if page.is_notebook}

    def __missing__(self, name: str) -> Execution:
        done = stored(self.pages[name])
        assert done is not None, f"{name}의 실행 결과가 없습니다. `make book`을 먼저 돌리세요."
        self[name] = done
        return done


@pytest.fixture(scope="session")
def executions(pages) -> Executions:
    """노트북인 쪽의 실행 결과. 사이트와 같은 실행입니다."""
    return Executions(pages)


@pytest.fixture(scope="session")
def site_dir() -> Path:
    """만들어진 사이트의 폴더."""
    site = html_dir()
    assert (site / "index.html").is_file(), "사이트가 없습니다. `make book`을 먼저 돌리세요."
    return site


@pytest.fixture(scope="session")
def browser():
    """헤드리스 크로뮴. 없으면 크게 알리고 건너뛰며, CI에서는 실패합니다."""
    with contextlib.ExitStack() as stack:
        try:
            browser = stack.enter_context(chromium())
        except BrowserMissing as error:
            if IN_CI:
                pytest.fail(str(error), pytrace=False)
            warnings.warn(str(error), stacklevel=1)
            pytest.skip(f"브라우저 시험을 건너뜁니다. {error}")
        yield browser


def record(page) -> Recorded:
    """탭에 기록기를 답니다."""
    seen = Recorded()

    def on_request(request):
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in {"127.0.0.1", "localhost"}:
            seen.outside.append(request.url)

    page.on("console", lambda m: seen.console.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: seen.console.append(str(e)))
    page.on("request", on_request)
    page.on("requestfailed", lambda r: seen.failed.append(r.url))
    page.on("response", lambda r: seen.failed.append(r.url) if r.status >= 400 else None)
    return seen


@pytest.fixture
def browser_page(browser):
    """새 탭(1280×800). ``browser_page.recorded``에 콘솔 오류와 바깥 요청이 쌓입니다."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ko-KR")
    page = context.new_page()
    page.recorded = record(page)
    yield page
    context.close()
