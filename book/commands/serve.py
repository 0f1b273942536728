"""만든 사이트를 이 컴퓨터에서 봅니다: ``make serve``"""

from book.stopping import stop_cleanly

if __name__ == "__main__":
    stop_cleanly("닫았습니다. 다시 보려면 `make serve`를 하세요.")

import argparse
import errno
import sys
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from book.browser import Compressing
from book.files import explain
from book.page import html_dir

HOST, FIRST_PORT, TRIES = "127.0.0.1", 8000, 20


def open_server(folder: Path, first: int = FIRST_PORT, report=print) -> ThreadingHTTPServer:
    """``folder``를 보여 줄 서버. 포트를 다른 프로그램이 쓰고 있으면 그렇다고 알리고 다음 것을 씁니다.

    Raises
    ------
    OSError
        이어진 포트 20개를 모두 다른 프로그램이 쓰고 있을 때.
    """
    handler = partial(Compressing, directory=str(folder))  # 없는 주소에는 책의 404를 보입니다
    for port in range(first, first + TRIES):
        try:
            return ThreadingHTTPServer((HOST, port), handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            report(f"{port}번 포트는 다른 프로그램이 쓰고 있어 다음 것으로 엽니다.")
    raise OSError(errno.EADDRINUSE, f"{first}~{first + TRIES - 1}번 포트를 모두 다른 프로그램이 쓰고 있습니다")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="만든 사이트를 봅니다.")
    parser.add_argument("--port", type=int, default=FIRST_PORT)
    args = parser.parse_args(argv)
    try:
        (html_dir() / "index.html").read_bytes()
    except FileNotFoundError:
        print("사이트가 없습니다. `make book`을 먼저 하세요.", file=sys.stderr)
        return 1
    except OSError as error:  # 다른 사람이 지어 읽을 권한이 없을 때
        print(explain(error), file=sys.stderr)
        return 1
    try:
        server = open_server(html_dir(), args.port)
    except OSError as error:
        print(
            f"서버를 열지 못했습니다: {error.strerror}.\n  → 쓰던 것을 닫거나 --port로 다른 번호를 주세요.",
            file=sys.stderr,
        )
        return 1
    print(f"http://{HOST}:{server.server_port} 에서 봅니다. 멈추려면 Ctrl-C를 누르세요.", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
