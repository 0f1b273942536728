"""원고에 적힌 바깥 주소가 살아 있는지 봅니다. 네트워크가 필요해 `make test`가 아니라 주간 점검이 돌립니다.

python -m book.commands.external_links          # 표준 라이브러리만 씁니다
"""

import re
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ("*.md", "chapters/*.md", "case_studies/*.md", "guides/*.md", "guides/*.yml", "data/catalog.yml")
# 확인하지 않는 주소와 그 까닭. 까닭이 사라지면 줄을 지웁니다.
EXCLUDED = {
    r"https?://(127\.0\.0\.1|localhost)\b": "독자의 컴퓨터입니다",
    r"https?://([\w-]+\.)?example\.(com|org)\b": "보기로 든 주소입니다",
    r"https://([\w-]+\.)?medium\.com/": "사람이 아닌 접속을 403으로 막습니다",
    r"https://netflixtechblog\.com/": "위와 같은 곳에서 운영합니다",
    r"https://(www\.)?linkedin\.com/": "로그인하지 않은 접속을 999로 막습니다",
    r"https://doi\.org/": "출판사가 사람이 아닌 접속을 403으로 막습니다. 주소 자체는 옮겨지지 않습니다",
}
_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^\[\]가-힣]+")
_AGENT = {"User-Agent": "Mozilla/5.0 (compatible; link-check)"}
ALIVE_BUT_SHY = {401, 403, 405, 406, 429}  # 주소는 있으나 이 접속을 반기지 않는 응답


def find_links(text: str) -> list[tuple[int, str]]:
    """글에서 (줄 번호, 주소)를 찾습니다. 끝의 문장 부호와 조사, 짝이 없는 괄호부터는 뗍니다."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for match in _URL.finditer(line):
            url, depth = match.group(), 0
            for position, letter in enumerate(url):
                depth += (letter == "(") - (letter == ")")
                if depth < 0:  # 마크다운 링크를 닫는 괄호
                    url = url[:position]
                    break
            url = url.rstrip(".,;:!?*_")
            if url.split("://", 1)[-1]:
                found.append((number, url))
    return found


def excluded(url: str) -> str:
    """확인하지 않는 까닭. 확인할 주소면 빈 글자."""
    return next((why for pattern, why in EXCLUDED.items() if re.match(pattern, url)), "")


def problem(url: str, timeout: float = 20.0, tries: int = 3, pause: float = 5.0) -> str:
    """주소에 붙어 보고 문제를 한 마디로 돌려줍니다. 살아 있으면 빈 글자.

    HEAD를 받지 않는 서버에는 GET으로 다시 묻고, 잠깐의 장애는 ``pause``초 쉬고 ``tries``번까지 봅니다.
    """
    last = ""
    for attempt in range(tries):
        if attempt:
            time.sleep(pause)
        for method in ("HEAD", "GET"):
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(url, method=method, headers=_AGENT), timeout=timeout
                ):
                    return ""
            except urllib.error.HTTPError as error:
                last = f"HTTP {error.code}"
                if error.code in ALIVE_BUT_SHY and method == "GET":
                    return ""
                if error.code in {404, 410} and method == "GET":
                    return last
            except (OSError, ValueError) as error:
                last = str(getattr(error, "reason", error))[:120]
                break
    return last


def main() -> int:
    where: dict[str, list[str]] = {}
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            for line, url in find_links(path.read_text(encoding="utf-8")):
                where.setdefault(url.partition("#")[0], []).append(f"{path.relative_to(ROOT).as_posix()}:{line}")
    checked = sorted(url for url in where if not excluded(url))
    with ThreadPoolExecutor(8) as pool:
        results = dict(zip(checked, pool.map(problem, checked), strict=True))
    broken = {url: why for url, why in results.items() if why}
    for url, why in broken.items():
        print(
            f"{', '.join(where[url])}: {url} ({why})\n  → 옮긴 주소로 고치거나, 사라졌으면 다른 출처로 바꾸세요.",
            file=sys.stderr,
        )
    print(
        f"바깥 주소 {len(checked)}개를 보았고 {len(broken)}개가 끊어졌습니다. 까닭을 적고 뺀 주소는 {len(where) - len(checked)}개입니다."
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
