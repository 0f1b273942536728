"""만들어진 사이트를 이 컴퓨터 안에서 열어 진짜 브라우저로 봅니다. 시험과 측정과 README의 그림이 함께 씁니다."""

import contextlib
import gzip
import http.server
import shutil
import threading
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COMPRESSED = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt", ".wasm"}


class BrowserMissing(RuntimeError):
    """브라우저가 없을 때. 메시지는 설치하는 법까지 담은 한국어입니다."""


@lru_cache(maxsize=512)
def _compressed(path: Path, modified_ns: int) -> bytes:
    """한 번 누른 글은 고쳐질 때까지 다시 누르지 않습니다. 쪽마다 같은 스크립트를 부르기 때문입니다."""
    return gzip.compress(path.read_bytes(), 6)


class Compressing(http.server.SimpleHTTPRequestHandler):
    """받을 줄 아는 쪽에는 글로 된 파일을 gzip으로 보냅니다. 정적 사이트를 올리는 곳들이 그렇게 합니다."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        status = 200
        if not path.is_file():  # 없는 쪽은 GitHub Pages처럼 404.html로 답합니다
            status, path = 404, Path(self.directory) / "404.html"
            if not path.is_file():
                self.send_error(404)
                return
        squeezed = path.suffix in COMPRESSED and "gzip" in (self.headers.get("Accept-Encoding") or "")
        body = b"" if squeezed else path.read_bytes()
        self.send_response(status)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if squeezed:
            body = _compressed(path, path.stat().st_mtime_ns)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(site: Path) -> Iterator[str]:
    """사이트를 이 컴퓨터 안에서만 열고 주소를 돌려줍니다."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Compressing, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def chromium():
    """Playwright의 크로뮴. 시스템에 깔린 것을 씁니다.

    Raises
    ------
    BrowserMissing
        브라우저가 없을 때.
    """
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise BrowserMissing("브라우저(chromium)가 없습니다. 설치: apt-get install chromium fonts-nanum")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()
