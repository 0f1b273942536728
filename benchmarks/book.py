"""책을 재어 guides/benchmark.yml에 적습니다: 빌드 시간, 시험 시간과 앞일, 쪽 무게, 느린 휴대전화, 검색.

    python -m benchmarks.book               # 모두 재고 표를 새로 씁니다
    python -m benchmarks.book --only build  # 빌드만 재어 그 갈래의 줄만 바꿉니다
    python -m benchmarks.book --only site   # 지금 만들어져 있는 사이트의 무게와 검색만
    python -m benchmarks.book --only speed  # 그 사이트를 느린 4G와 Lighthouse로만
    python -m benchmarks.book --only tests  # 마지막 `make test`의 시간과 앞일만

하나만 재면 그 갈래의 줄에 잰 날이 따로 붙습니다. 쪽마다의 시간과 메모리는 마지막 빌드의 것이 '빌드와 측정'의 첫 표에 있습니다.
시험의 시간은 다시 재지 않고 마지막 `make test`가 남긴 장부(_build/tests.json)를 읽습니다.

작업 폴더의 파일을 임시 폴더에 옮겨 거기서 빌드합니다. 원고나 보관한 실행 결과는 건드리지 않습니다.
"""

import argparse
import contextlib
import datetime
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from book.browser import BROWSERS, BrowserMissing, chromium, serve
from book.page import ROOT, build_dir, html_dir, read_page

TABLE = ROOT / "guides" / "benchmark.yml"
QUERIES = ROOT / "tests" / "book" / "search_queries.yml"
HEADER = "# `make bench`가 쓴 파일입니다. 손으로 고치지 않습니다.\n"
SENTENCE = "\n\n재는 동안만 있는 문장입니다.\n"
GROWTH = 2  # 앞일은 쪽이 이만큼 늘었을 때까지 내다봅니다
GOAL_MINUTES = 40
GOAL_PAGE_CPU = 40
GOAL_SECONDS = {"cold": 900, "warm": 10, "edit": 20, "data": 60}


class BenchFailed(SystemExit):
    """잴 수 없을 때. 메시지는 한국어 한 문장입니다."""


def row(group: str, name: str, value: float, unit: str, goal: str = "", note: str = "") -> dict:
    """표의 한 줄. ``goal``은 "20 이하"처럼 사람이 읽는 목표입니다."""
    return {
        "group": group,
        "name": name,
        "value": round(float(value), 3 if abs(value) < 10 else 1),
        "unit": unit,
        "goal": goal,
        "note": note,
    }


def quantile(values: list[float], q: float) -> float:
    """정렬해 가까운 순위로 고른 분위수(0 < q ≤ 1).

    Raises
    ------
    ValueError
        값이 없을 때.
    """
    if not values:
        raise ValueError("분위수를 구할 값이 없습니다.")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * q) - 1)]


def machine() -> str:
    """재는 기계를 한 줄로. 이름이나 경로는 담지 않습니다."""
    with contextlib.suppress(ValueError, OSError, AttributeError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
        return f"코어 {os.cpu_count()}개, 메모리 {memory:.0f}GiB, {platform.system()} {platform.machine()}, 파이썬 {platform.python_version()}"
    return f"코어 {os.cpu_count()}개, {platform.system()} {platform.machine()}, 파이썬 {platform.python_version()}"


# --- 빌드 ---


def copy_tree(target: Path) -> None:
    """저장소의 파일(아직 커밋하지 않은 것까지, 무시하는 것은 빼고)을 옮깁니다."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        raise BenchFailed("git 저장소에서만 잴 수 있습니다.")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def build(folder: Path) -> tuple[float, dict]:
    """``folder``의 책을 만들고 (초, 빌드 보고서)를 돌려줍니다.

    Raises
    ------
    BenchFailed
        빌드가 실패했을 때.
    """
    env = {k: v for k, v in os.environ.items() if k not in {"BOOK_BUILD_DIR", "BOOK_EXECUTION_DIR"}} | {
        "PYTHONPATH": str(folder)
    }
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "book.commands.build", "book"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        raise BenchFailed(f"빌드가 실패해 잴 수 없습니다.\n{(done.stdout + done.stderr)[-3000:]}")
    return seconds, json.loads((folder / "_build" / "report.json").read_text(encoding="utf-8"))


def executed(report: dict) -> list[str]:
    """이번 빌드에서 정말로 실행한 쪽."""
    return sorted(name for name, page in report["pages"].items() if not page["cached"])


def measure_builds(folder: Path, say) -> tuple[list[dict], dict]:
    """처음 빌드, 그대로 다시, 한 문장 고침, 데이터 하나 고침을 차례로 잽니다."""
    group, rows = "빌드", []
    say("처음부터 만듭니다(실행 결과 없음).")
    seconds, cold = build(folder)
    pages = len(cold["pages"])
    note = f"노트북 {pages}개를 두 개씩 실행. 환경 설치는 뺀 시간"
    rows.append(row(group, "처음부터", seconds, "초", f"{GOAL_SECONDS['cold']} 이하", note))
    say(f"  {seconds:.1f}초. 고치지 않고 다시 만듭니다.")
    seconds, report = build(folder)
    rows.append(
        row(group, "고치지 않고 다시", seconds, "초", f"{GOAL_SECONDS['warm']} 이하", f"실행 {len(executed(report))}쪽")
    )
    slowest = max(cold["pages"], key=lambda name: cold["pages"][name]["seconds"])
    say(f"  {seconds:.1f}초. 가장 오래 걸리는 쪽({slowest})에서 한 문장을 고칩니다.")
    source = folder / f"{slowest}.md"
    source.write_text(source.read_text(encoding="utf-8") + SENTENCE, encoding="utf-8")
    seconds, report = build(folder)
    if executed(report) or SENTENCE.strip() not in (folder / "_build" / "html" / f"{slowest}.html").read_text(
        encoding="utf-8"
    ):
        raise BenchFailed(f"한 문장을 고쳤는데 {executed(report)}이(가) 실행되었거나 사이트에 나타나지 않았습니다.")
    rows.append(
        row(
            group,
            "한 문장 고친 뒤",
            seconds,
            "초",
            f"{GOAL_SECONDS['edit']} 이하",
            "실행 0쪽. 가장 오래 걸리는 쪽의 문장",
        )
    )
    if data := smallest_dataset(folder, cold):
        name, users = data
        say(f"  {seconds:.1f}초. 데이터 {name}을(를) 고칩니다.")
        with (folder / "data" / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.write("\n")  # 빈 줄은 값을 바꾸지 않지만 파일은 달라집니다
        seconds, report = build(folder)
        if executed(report) != users:
            raise BenchFailed(f"{name}을(를) 쓰는 쪽은 {users}인데 {executed(report)}이(가) 실행되었습니다.")
        rows.append(row(group, "데이터 하나 고친 뒤", seconds, "초", "", f"{name}을(를) 쓰는 {len(users)}쪽만 실행"))
    say(f"  {seconds:.1f}초.")
    return rows, cold


def smallest_dataset(folder: Path, report: dict) -> tuple[str, list[str]] | None:
    """가장 적은 쪽이 쓰는 데이터와 그 쪽들. 실행 시간도 짧은 것을 고릅니다."""
    code = (
        "import json; from book.execution import used_datasets; from book.page import published_pages; "
        "print(json.dumps({p.docname: sorted(used_datasets(p)) for p in published_pages() if p.is_notebook}))"
    )
    env = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=True)
    users: dict[str, list[str]] = {}
    for docname, names in json.loads(done.stdout).items():
        for name in names:
            if (folder / "data" / f"{name}.csv").is_file():
                users.setdefault(name, []).append(docname)
    cost = {name: sum(report["pages"][p]["seconds"] for p in found) for name, found in users.items()}
    best = min(users, key=lambda name: (len(users[name]), cost[name]), default=None)
    return (best, sorted(users[best])) if best else None


# --- 시험 ---


def read_tests() -> dict:
    """마지막 `make test`가 남긴 장부.

    Raises
    ------
    BenchFailed
        시험을 모두 돌린 적이 없을 때.
    """
    record = build_dir() / "tests.json"
    if not record.is_file():
        raise BenchFailed("시험의 장부(_build/tests.json)가 없습니다. `make test`를 먼저 돌리세요.")
    return json.loads(record.read_text(encoding="utf-8"))


def forecast(record: dict, notebooks: int) -> dict[str, float]:
    """노트북이 ``notebooks``개일 때 단계마다의 벽시계(초).

    단계마다 쪽에 매인 몫(그 단계의 CPU 가운데 쪽의 것)만 노트북 수에 비례해 늘고 나머지는 그대로라고 봅니다.
    쪽 실행과 사이트는 모두 쪽에 매인 것으로, 환경과 시험의 빈 시간은 그대로로 둡니다.

    Parameters
    ----------
    record : dict
        ``read_tests``의 장부.
    notebooks : int
        내다볼 노트북의 수.
    """
    pages, stages = record["pages"], record["stages"]
    growth = notebooks / len(pages)
    found = {}
    for name, line in stages.items():
        of_pages = sum(parts.get(name, 0.0) for parts in pages.values())
        share = 1.0 if name in {"쪽 실행", "사이트"} else 0.0 if not line["cpu"] else min(1.0, of_pages / line["cpu"])
        found[name] = (line["wall"] or 0.0) * (1 - share + share * growth)
    built = ("환경", "쪽 실행", "사이트")
    found["시험의 빈 시간"] = max(
        0.0, record["tests_wall"] - sum(line["wall"] for name, line in stages.items() if name not in built)
    )
    return found


def test_rows(record: dict) -> list[dict]:
    """단계마다의 시간, 비싼 쪽 열, 지금과 앞일의 합."""
    pages, group = record["pages"], "시험"
    cpu = {name: sum(parts.values()) for name, parts in pages.items()}
    rows = []
    for name, seconds in forecast(record, len(pages)).items():
        used = record["stages"].get(name, {}).get("cpu")
        rows.append(row(group, name, seconds, "초", "", "" if used is None else f"CPU {used:.0f}초"))
    for notebooks in (len(pages), GROWTH * len(pages)):
        minutes = sum(forecast(record, notebooks).values()) / 60
        rows.append(
            row(
                group,
                f"처음부터 시험까지(노트북 {notebooks}개)",
                minutes,
                "분",
                f"{GOAL_MINUTES} 이하",
                "환경 설치부터" + ("" if notebooks == len(pages) else ", 어림"),
            )
        )
    over = sum(value > GOAL_PAGE_CPU for value in cpu.values())
    rows.append(
        row(
            group,
            "쪽 하나에 드는 CPU(중앙값)",
            quantile(list(cpu.values()), 0.5),
            "초",
            f"{GOAL_PAGE_CPU} 이하",
            f"넘은 쪽 {over}개",
        )
    )
    for name in sorted(cpu, key=cpu.get, reverse=True)[:10]:
        parts = ", ".join(f"{stage} {value:.0f}" for stage, value in pages[name].items() if value >= 0.5)
        rows.append(
            row(
                "비싼 쪽(CPU)",
                read_page(ROOT / f"{name}.md").title,
                cpu[name],
                "초",
                f"{GOAL_PAGE_CPU} 이하",
                f"{name}: {parts}",
            )
        )
    return rows


# --- 사이트 ---


def weigh(browser, url: str) -> tuple[float, int, float]:
    """처음 온 사람이 한 쪽을 열 때 오가는 (KB, 요청 수, 다 뜨기까지의 초). 캐시는 비어 있습니다."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ko-KR")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    started = time.perf_counter()
    page.goto(url, wait_until="load")
    loaded = time.perf_counter() - started
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(200)
    context.close()
    return sum(received) / 1000, len(received), loaded


def main_pages(site: Path) -> list[str]:
    """무게를 재는 쪽: 첫 화면, 장, 사례, 사례 모음, 길잡이 하나씩."""
    from book.page import published_pages

    names = []
    for page in published_pages():
        if (
            page.docname == "index"
            or page.meta.get("kind") in {"chapter", "deeper", "case"}
            or page.docname.endswith("/index")
        ):
            names.append(page.docname)
    return [name for name in names if (site / f"{name}.html").is_file()]


def measure_weights(browser, address: str, site: Path, say) -> list[dict]:
    rows = []
    for name in main_pages(site):
        kilobytes, requests, seconds = weigh(browser, f"{address}/{name}.html")
        title = read_page(ROOT / f"{name}.md").title
        say(f"  {name}: {kilobytes:.0f}KB, 요청 {requests}개, {seconds:.2f}초")
        rows.append(
            row("쪽 무게(첫 방문)", title, kilobytes, "KB", "1500 이하", f"{name}, 요청 {requests}개, {seconds:.1f}초")
        )
    total = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    rows.append(row("쪽 무게(첫 방문)", "사이트 전체(디스크)", total / 1e6, "MB", "", "슬라이드와 내려받기 꾸러미까지"))
    return rows


# --- 느린 휴대전화 ---

SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
LIGHTHOUSE = "lighthouse@12.2.3"  # Node 20에서 도는 마지막 판. npx가 처음 한 번 받습니다
LIGHTHOUSE_PAGES = (
    "index",
    "chapters/week05_propensity_score",
    "case_studies/uber_late_delivery",
    "case_studies/index",
)
_WATCH = """window.bench = { lcp: 0, cls: 0 };
new PerformanceObserver((l) => l.getEntries().forEach((e) => { bench.lcp = e.startTime })).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((l) => l.getEntries().forEach((e) => { if (!e.hadRecentInput) bench.cls += e.value })).observe({ type: "layout-shift", buffered: true });"""
_BLOCKING = "performance.getEntriesByType('resource').filter((r) => r.renderBlockingStatus === 'blocking').length"


def first_visit(browser, url: str) -> dict[str, float]:
    """느린 4G의 휴대전화로 처음 연 쪽: LCP(초), CLS, 첫 화면을 막는 요청 수, 글꼴(KB). 캐시는 비어 있습니다."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, device_scale_factor=2, is_mobile=True, has_touch=True, locale="ko-KR"
    )
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_4G)
    fonts: dict[str, float] = {}
    session.on(
        "Network.responseReceived", lambda e: fonts.setdefault(e["requestId"], 0.0) if e["type"] == "Font" else None
    )
    session.on(
        "Network.loadingFinished",
        lambda e: fonts.update({e["requestId"]: e["encodedDataLength"]}) if e["requestId"] in fonts else None,
    )
    page.add_init_script(_WATCH)
    page.goto(url, wait_until="load", timeout=120_000)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_timeout(300)
    seen = page.evaluate("bench")
    found = {"lcp": seen["lcp"] / 1000, "cls": seen["cls"], "blocking": page.evaluate(_BLOCKING)}
    context.close()
    return found | {"fonts": sum(fonts.values()) / 1000}


def measure_first_visits(browser, address: str, site: Path, say) -> list[dict]:
    """모든 쪽을 느린 4G로 열어 가장 나쁜 값을 적습니다."""
    from book.page import published_pages

    names = [page.docname for page in published_pages() if (site / f"{page.docname}.html").is_file()]
    found = {name: first_visit(browser, f"{address}/{name}.html") for name in names}
    group, rows = "느린 4G의 휴대전화", []
    for key, name, unit, goal in (
        ("lcp", "첫 글이 보이기까지(LCP)", "초", "1.8 이하"),
        ("cls", "밀린 정도(CLS)", "", "0.05 이하"),
        ("blocking", "첫 화면을 막는 요청", "개", "1 이하"),
    ):
        worst = max(found, key=lambda page: found[page][key])
        rows.append(row(group, f"{name}, 가장 나쁜 쪽", found[worst][key], unit or "점", goal, worst))
    rows.append(row(group, "첫 화면의 글꼴", found["index"]["fonts"], "KB", "200 이하", "index"))
    for line in rows:
        say(f"  {line['name']}: {line['value']}{line['unit']} ({line['note']})")
    return rows


def measure_lighthouse(address: str, say) -> list[dict]:
    """Lighthouse의 휴대전화 점수. Node의 npx가 없으면 알리고 건너뜁니다. 다른 일을 하지 않는 기계에서 재야 합니다."""
    npx, browser = shutil.which("npx"), next(filter(None, map(shutil.which, BROWSERS)), None)
    if npx is None:
        say("  npx가 없어 Lighthouse를 건너뜁니다(Node 20).")
        return []
    rows = []
    for name in LIGHTHOUSE_PAGES:
        command = [npx, "--yes", LIGHTHOUSE, f"{address}/{name}.html", "--output=json", "--quiet"]
        command += ["--only-categories=performance", "--chrome-flags=--headless=new --no-sandbox --disable-gpu"]
        done = subprocess.run(
            command, env=os.environ | {"CHROME_PATH": browser}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchFailed(f"Lighthouse가 {name}을(를) 재지 못했습니다.\n{done.stderr[-1500:]}")
        report = json.loads(done.stdout)
        score = 100 * report["categories"]["performance"]["score"]
        note = ", ".join(
            f"{short} {report['audits'][key]['displayValue']}"
            for short, key in (("LCP", "largest-contentful-paint"), ("TBT", "total-blocking-time"))
        ).replace("\xa0", "")
        say(f"  {name}: {score:.0f}점({note})")
        rows.append(row("Lighthouse(휴대전화)", name, score, "점", "90 이상", note))
    return rows


# --- 검색 ---

# 글자를 넣은 때부터 결과가 화면에 그려질 때까지. 자판이 멈추기를 기다리는 시간도 들어갑니다.
_ANSWER = """async (query) => {
  const input = document.querySelector("#pst-search-dialog input");
  const list = document.getElementById("book-search-results");
  const status = document.querySelector(".book-search-status");
  input.value = ""; input.dispatchEvent(new Event("input"));
  await new Promise((done) => setTimeout(done, 120));
  const started = performance.now();
  const answered = new Promise((done) => {
    const watcher = new MutationObserver(() => requestAnimationFrame(() => { watcher.disconnect(); done(performance.now()); }));
    watcher.observe(list, { childList: true }); watcher.observe(status, { childList: true, characterData: true, subtree: true });
  });
  input.value = query; input.dispatchEvent(new Event("input"));
  return (await answered) - started;
}"""
_FOUND = """async (query) => {
  const engine = await BookSearch.load();
  const started = performance.now();
  const found = engine.search(query, 5);
  return [performance.now() - started, found.map((page) => page.sections[0].url.split("#")[0])];
}"""


def search_queries() -> list[tuple[str, list[str]]]:
    """시험이 쓰는 (찾는 말, 나와야 하는 쪽들). 쪽은 확장자를 뺀 이름입니다.

    Raises
    ------
    BenchFailed
        파일이 없거나 비었을 때.
    """
    if not QUERIES.is_file():
        raise BenchFailed(f"{QUERIES.relative_to(ROOT)}이(가) 없어 검색을 잴 수 없습니다.")
    blocks = yaml.safe_load(QUERIES.read_text(encoding="utf-8")) or {}
    found = [(item["q"], item["pages"]) for name in ("seen", "unseen") for item in blocks.get(name) or []]
    if not found:
        raise BenchFailed(f"{QUERIES.relative_to(ROOT)}에 찾는 말이 없습니다.")
    return found


def measure_search(browser, address: str, say) -> list[dict]:
    """검색 자료의 무게, 답이 그려지기까지의 시간, 앞의 다섯 쪽 안에 찾는 쪽이 든 비율."""
    group, queries = "검색", search_queries()
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ko-KR")
    page = context.new_page()
    page.goto(f"{address}/index.html", wait_until="networkidle")
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    started = time.perf_counter()
    page.evaluate("BookSearch.load().then(() => true)")
    first = (time.perf_counter() - started) * 1000
    page.wait_for_timeout(200)
    page.evaluate("document.getElementById('pst-search-dialog').showModal()")
    engine, answer, three, five, missed = [], [], 0, 0, []
    for query, wanted in queries:
        milliseconds, urls = page.evaluate(_FOUND, query)
        engine.append(milliseconds)
        answer.append(page.evaluate(_ANSWER, query))
        places = [place for place, url in enumerate(urls) if url.removesuffix(".html") in wanted]
        five, three = five + bool(places), three + bool(places and places[0] < 3)
        if not places:
            missed.append(query)
    context.close()
    say(
        f"  찾는 말 {len(queries)}개, 다섯 쪽 안 {five}개, 답 {quantile(answer, 0.5):.0f}ms(중앙값)"
        + (f", 놓친 말: {', '.join(missed)}" if missed else "")
    )
    return [
        row(
            group,
            "답이 그려지기까지(중앙값)",
            quantile(answer, 0.5),
            "ms",
            "100 이하",
            "입력이 멈추기를 기다리는 60ms를 넣은 시간",
        ),
        row(group, "답이 그려지기까지(95%)", quantile(answer, 0.95), "ms", "100 이하", f"찾는 말 {len(queries)}개"),
        row(group, "찾기만(중앙값)", quantile(engine, 0.5), "ms", "", "화면에 그리는 시간을 뺀 것"),
        row(group, "찾기만(95%)", quantile(engine, 0.95), "ms"),
        row(group, "처음 찾을 때 준비", first, "ms", "", "검색 자료를 받아 색인을 세우는 시간"),
        row(group, "처음 찾을 때 받는 양", sum(received) / 1000, "KB", "1000 이하", "찾지 않으면 받지 않습니다"),
        row(
            group,
            "다섯 쪽 안에 찾은 비율",
            100 * five / len(queries),
            "%",
            "95 이상",
            f"{len(queries)}개 가운데 {five}개",
        ),
        row(group, "세 쪽 안에 찾은 비율", 100 * three / len(queries), "%", "", f"{len(queries)}개 가운데 {three}개"),
    ]


def replaced(old: list[dict], rows: list[dict], date: str) -> list[dict]:
    """표의 줄 가운데 이번에 잰 갈래만 바꿉니다. 바꾼 줄에는 잰 날이 붙고, 처음 재는 갈래는 끝에 붙습니다.

    Parameters
    ----------
    old, rows : list of dict
        표에 있던 줄과 이번에 잰 줄.
    date : str
        잰 날(ISO).
    """
    groups: dict[str, list[dict]] = {}
    for line in rows:
        groups.setdefault(line["group"], []).append(line | {"date": date})
    measured, kept = set(groups), []
    for line in old:
        kept += groups.pop(line["group"], []) if line["group"] in measured else [line]
    return kept + [line for lines in groups.values() for line in lines]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="책을 재어 guides/benchmark.yml에 적습니다.")
    parser.add_argument(
        "--only", choices=["build", "site", "speed", "tests"], help="그것만 재어 그 갈래의 줄만 바꿉니다"
    )
    args = parser.parse_args(argv)

    def say(text: str) -> None:
        print(text, flush=True)

    def wanted(part: str) -> bool:
        return args.only in {None, part}

    rows: list[dict] = []
    record = read_tests() if wanted("tests") else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, contextlib.ExitStack() as stack:
        site = html_dir()
        if wanted("build"):
            folder = Path(scratch) / "book"
            folder.mkdir()
            copy_tree(folder)
            built, report = measure_builds(folder, say)
            for name, key in (("쪽 실행", "execution_seconds"), ("사이트", "site_seconds")) if record else ():
                record["stages"][name]["wall"] = report[key]  # 보관한 실행을 쓰지 않은 빌드의 시간으로
            rows += built
            site = folder / "_build" / "html"
        if record:
            rows += test_rows(record)
        if wanted("site") or wanted("speed"):
            if not (site / "index.html").is_file():
                raise BenchFailed("사이트가 없습니다. `make book`을 먼저 돌리세요.")
            try:
                browser, address = stack.enter_context(chromium()), stack.enter_context(serve(site))
            except BrowserMissing as error:
                raise BenchFailed(f"쪽 무게와 검색을 잴 수 없습니다. {error}") from None
            if wanted("site"):
                say("쪽 무게를 잽니다.")
                rows += measure_weights(browser, address, site, say)
                say("검색을 잽니다.")
                rows += measure_search(browser, address, say)
            if wanted("speed"):
                say("느린 4G의 휴대전화로 처음 엽니다.")
                rows += measure_first_visits(browser, address, site, say)
                say("Lighthouse로 잽니다.")
                rows += measure_lighthouse(address, say)
    today = datetime.date.today().isoformat()
    table = {"measured": {"date": today, "machine": machine()}, "results": rows}
    if args.only and TABLE.is_file():
        old = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
        table = {"measured": old["measured"], "results": replaced(old["results"], rows, today)}
    TABLE.write_text(HEADER + yaml.safe_dump(table, allow_unicode=True, sort_keys=False, width=200), encoding="utf-8")
    say(f"{TABLE.relative_to(ROOT)}에 {len(rows)}줄을 적었습니다.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
