"""주간 점검의 결과를 이슈 하나로 알립니다. 빨간불이면 열거나 덧붙이고, 다시 초록불이면 닫습니다.

환경변수 ``NEWEST``, ``LINKS``(작업의 결과), ``RUN_URL``(기록의 주소)을 읽고 GitHub의 ``gh``를 부릅니다.
"""

import json
import os
import subprocess
import sys

TITLE = "주간 점검이 실패했습니다"
JOBS = {
    "NEWEST": ("가장 새로운 꾸러미로 만들기", "newest-lock 꾸러미의 잠금과 지금 잠금을 견주어, 문제를 낸 판을 까닭과 함께 묶으세요."),
    "LINKS": ("바깥 링크", "기록에 나온 파일과 줄의 주소를 고치세요."),
}


def _gh(*arguments: str) -> str:
    done = subprocess.run(["gh", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"gh {arguments[0]} {arguments[1]}: {done.stderr.strip()}")
    return done.stdout


def message(results: dict[str, str], run_url: str) -> str:
    """실패한 작업마다 할 일을 적은 글. 모두 성공했으면 빈 글자."""
    red = [name for name, result in results.items() if result != "success"]
    if not red:
        return ""
    lines = [f"기록: {run_url}", ""]
    lines += [f"- **{JOBS[name][0]}** ({results[name] or '결과 없음'}): {JOBS[name][1]}" for name in red]
    return "\n".join(lines)


def main() -> int:
    results = {name: os.environ.get(name, "") for name in JOBS}
    run_url = os.environ.get("RUN_URL", "")
    listed = json.loads(_gh("issue", "list", "--state", "open", "--search", f'"{TITLE}" in:title', "--json", "number,title") or "[]")
    number = next((str(issue["number"]) for issue in listed if issue["title"] == TITLE), None)
    body = message(results, run_url)
    if body and number:
        _gh("issue", "comment", number, "--body", body)
        print(f"이슈 {number}에 덧붙였습니다.")
    elif body:
        print(_gh("issue", "create", "--title", TITLE, "--body", body).strip())
    elif number:
        _gh("issue", "close", number, "--comment", f"다시 통과했습니다. {run_url}")
        print(f"이슈 {number}을(를) 닫았습니다.")
    else:
        print("모두 통과했고 열린 이슈가 없습니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
