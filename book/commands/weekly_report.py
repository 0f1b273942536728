"""주간 점검의 결과를 이슈 하나로 알립니다. 빨간불이면 열거나 덧붙이고, 다시 초록불이면 닫습니다.

환경변수 ``RUN_URL``(기록의 주소)과 ``JOBS``의 이름들(작업의 결과)을 읽고 GitHub의 ``gh``를 부릅니다.
"""

import json
import os
import subprocess
import sys

TITLE = "주간 점검이 실패했습니다"
JOBS = {
    "NEWEST": ("새 판으로 만들기", "요약의 표와 newest-lock의 잠금을 보고, 문제를 낸 판을 까닭과 함께 묶으세요."),
    "PYTHONS": ("파이썬 판마다 만들기", "실패한 판에서 그 쪽을 실행해 고치거나, README의 판에서 빼세요."),
    "NUMBERS": ("판마다 같은 숫자", "기록에 나온 쪽에서 판마다 갈리는 계산을 찾아 고치세요."),
    "GUIDE": ("make 없이 하는 법", "guides/setup.md의 명령을 지금의 Makefile에 맞추세요."),
    "SCALE": ("Spark와 Ray", "`make test-scale`로 다시 보고, 새 판에서 달라진 부름을 고치세요."),
    "ACTIONS": (
        "액션의 핀",
        "판의 커밋을 손으로 확인하고 핀과 주석을 함께 고치세요. 이름표가 옮겨졌다면 까닭을 먼저 알아보세요.",
    ),
    "AUDIT": ("알려진 취약점", "`make lock UPGRADE=1`로 고쳐진 판을 쓰거나, 책에 미치지 않는 까닭을 적으세요."),
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
    listed = json.loads(
        _gh("issue", "list", "--state", "open", "--search", f'"{TITLE}" in:title', "--json", "number,title") or "[]"
    )
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
