"""파이프라인의 성적표와 헛경보표, 명세가 여럿일 때의 시간. ``benchmarks``의 pipeline, false_alarms, many_specs가 쓴 표를 쪽에 싣습니다."""

import hashlib
import html
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book.page import ROOT, PageError
from book.yaml_text import read_yaml

TABLE = ROOT / "guides" / "pipeline_benchmark.yml"
ALARMS = ROOT / "guides" / "false_alarms.yml"
MANY = ROOT / "guides" / "many_specs.yml"
# 헛경보의 목표. 잰 몫이 이것에서 몬테카를로 오차(표준오차의 두 배)보다 더 벗어나면 칠합니다.
FALSE_ALARM = 0.05
PAGE = "guides/pipeline"
EXPECTED = {
    "never_a": "어긋남이 보이지 않음: A를 주지 않아야 합니다",
    "stop": "어긋남이 보임: C를 주거나 거절해야 합니다",
    "coverage": "가정이 성립: 구간이 정답을 덮어야 합니다",
}
# 견줄 도구는 이만큼은 뽑아 재야 싣습니다.
PEER_DRAWS = 50
PEERS = {
    "dowhy": "DoWhy 기본값",
    "causaltune": "causaltune(보정하는 추정량만)",
    "causaltune_default": "causaltune 기본값",
}
_KEYS = {"label", "expect", "draws", "grades", "seconds", "reached"}


def _document(path: Path, command: str) -> object:
    """``command``가 쓴 표의 내용. 파일이 없으면 만드는 법을 말합니다."""
    if not path.is_file():
        raise PageError(f"guides/{path.name} 파일이 없습니다. `python -m {command}`로 만드세요.")
    return read_yaml(path.read_text(encoding="utf-8"))


def read_table(path: Path = TABLE) -> dict:
    """성적표의 세계들. 이름에서 잰 값으로.

    Raises
    ------
    PageError
        파일이 없거나 꼴이 다를 때.
    """
    where, document = f"guides/{path.name}", _document(path, "benchmarks.pipeline")
    if not isinstance(document, dict) or not isinstance(document.get("worlds"), dict) or not document["worlds"]:
        raise PageError(f"{where}: worlds가 있어야 합니다. `python -m benchmarks.pipeline`로 다시 쓰세요.")
    for name, row in document["worlds"].items():
        if missing := _KEYS - set(row):
            raise PageError(
                f"{where}: '{name}'에 {', '.join(sorted(missing))}이(가) 없습니다. `python -m benchmarks.pipeline`로 다시 쓰세요."
            )
    return document["worlds"]


def _share(value: float, digits: int = 0) -> str:
    return f"{100 * value:.{digits}f}%"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form).replace("-", "−")


def badness(row: dict) -> tuple:
    """나쁜 차례. 목표에 닿지 못한 것이 먼저이고, 그다음은 목표에서 먼 것(A의 몫, C나 거절이 아닌 몫, 95%에서 벗어난 덮음)입니다."""
    grades = row["grades"]
    far = {
        "never_a": grades["A"],
        "stop": 1 - grades["C"] - grades["refused"],
        "coverage": abs((row.get("coverage") or 0.0) - 0.95),
    }[row["expect"]]
    return not row["reached"], far, abs(row.get("bias_in_errors") or 0.0)


def worlds_table(worlds: dict) -> str:
    """세계마다 한 줄: 뽑은 수, 목표, 등급의 몫, 치우침, 구간이 정답을 덮은 몫, 초. 갈래끼리 모으고, 갈래 안에서는 나쁜 것부터 적습니다."""
    heads = ("세계", "번", "목표", "A", "B", "C", "거절", "치우침", "덮음", "초")
    body = []
    for expect, title in EXPECTED.items():
        rows = sorted((row for row in worlds.values() if row["expect"] == expect), key=badness, reverse=True)
        if not rows:
            continue
        body.append(f'<tr class="group"><th scope="colgroup" colspan="{len(heads)}">{title}</th></tr>')
        for row in rows:
            cells = [
                f"{row['draws']:,}",
                "닿음" if row["reached"] else "못 닿음",
                *(_share(row["grades"][k]) for k in ("A", "B", "C", "refused")),
            ]
            cells += [
                _number(row.get("bias_in_errors"), "+.2f"),
                "" if row.get("coverage") is None else _share(row["coverage"], 1),
                f"{row['seconds']:.1f}",
            ]
            texts = "".join(f"<td>{html.escape(c)}</td>" for c in cells)
            marked = "" if row["reached"] else ' class="missed"'
            body.append(f'<tr{marked}><th scope="row">{html.escape(row["label"])}</th>{texts}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    missed = sum(not row["reached"] for row in worlds.values())
    summary = f"모의 세계 {len(worlds)}개를 재었고, " + (
        f"{missed}개가 목표에 닿지 못했습니다." if missed else "모두 목표에 닿았습니다."
    )
    return f'<p>{summary}</p><table class="table scorecard"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _peer_cells(measured: dict, draws: int) -> list[str]:
    covered = _share(measured["coverage"]) if measured["coverage"] is not None else "구간 없음"
    return [f"{draws:,}", _number(measured["bias"], "+.3f"), covered, f"{measured['seconds']:.1f}"]


def peers_table(worlds: dict) -> str:
    """다른 도구와 견준 표: 세계마다 도구 하나에 한 줄. ``PEER_DRAWS``번보다 적게 뽑은 줄은 싣지 않습니다. 없으면 빈 글."""
    heads = ("도구", "뽑은 수", "치우침", "덮음", "초")
    body = []
    for row in worlds.values():
        peers = {name: found for name, found in row.get("peers", {}).items() if found["draws"] >= PEER_DRAWS}
        if not peers or row.get("coverage") is None:
            continue
        body.append(
            f'<tr class="group"><th scope="colgroup" colspan="{len(heads)}">{html.escape(row["label"])}</th></tr>'
        )
        stopped = row["grades"]["C"] + row["grades"]["refused"]
        ours = "이 파이프라인" + (f" (C나 거절 {_share(stopped)})" if row["expect"] == "stop" else "")
        lines = [(ours, _peer_cells(row, row["draws"]))]
        for name in (n for n in PEERS if n in peers):
            often = next(iter(peers[name].get("chosen", {})), "")
            lines.append(
                (
                    PEERS[name] + (f" · 주로 고른 것 {often}" if often else ""),
                    _peer_cells(peers[name], peers[name]["draws"]),
                )
            )
        if "dowhy" in peers:
            again = peers["dowhy"]
            lines[1][1][-1] = f"{again['seconds']:.1f} (반박까지 {again['seconds_with_refuters']:.1f})"
        for name, cells in lines:
            texts = "".join(f"<td>{html.escape(c)}</td>" for c in cells)
            body.append(f'<tr><th scope="row">{html.escape(name)}</th>{texts}</tr>')
    if not body:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f'<table class="table scorecard"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def read_alarms(path: Path = ALARMS) -> dict:
    """헛경보를 잰 설계들. 이름에서 잰 값으로.

    Raises
    ------
    PageError
        파일이 없거나 꼴이 다를 때.
    """
    where, document = f"guides/{path.name}", _document(path, "benchmarks.false_alarms")
    found = document.get("worlds") if isinstance(document, dict) else None
    if not found or not all({"label", "draws", "sizes", "alarms"} <= set(row) for row in found.values()):
        raise PageError(f"{where}: 꼴이 다릅니다. `python -m benchmarks.false_alarms`로 다시 쓰세요.")
    return found


def too_often(alarm: dict | None) -> bool:
    """잘못 C를 준 몫이 목표를 몬테카를로 오차보다 더 넘었는지."""
    if not alarm:
        return False
    return alarm["fail"] > FALSE_ALARM + 2 * (FALSE_ALARM * (1 - FALSE_ALARM) / alarm["draws"]) ** 0.5


def _fewer(alarm: dict, draws: int) -> str:
    """어떤 자료에서는 나오지 않는 점검이면 그 점검이 나온 수(" (작은 표본 87번, 큰 표본 100번)")."""
    if all(alarm[k]["draws"] == draws for k in ("small", "large") if k in alarm):
        return ""
    sizes = (("small", "작은 표본"), ("large", "큰 표본"))
    said = [f"{name} {alarm[k]['draws']:,}번" for k, name in sizes if k in alarm]
    return f" ({', '.join(said)})"


def alarms_table(found: dict) -> str:
    """설계와 점검마다 한 줄: 작은 표본과 큰 표본에서 잘못 C, B를 준 몫과 보이지 못한 몫. 잘못 울린 것부터 적습니다."""
    heads = ("점검", *(f"{size}: {what}" for size in ("작은 표본", "큰 표본") for what in ("C", "B", "보이지 못함")))
    body = []
    for row in found.values():
        sizes = f"{row['label']} (작은 표본 {row['sizes'][0]}, 큰 표본 {row['sizes'][1]}, 저마다 {row['draws']:,}번)"
        body.append(f'<tr class="group"><th scope="colgroup" colspan="{len(heads)}">{html.escape(sizes)}</th></tr>')

        def worst(alarm: dict) -> tuple:
            both = [alarm[k] for k in ("small", "large") if k in alarm]
            return max(a["fail"] for a in both), max(a["warn"] for a in both)

        for alarm in sorted(row["alarms"].values(), key=worst, reverse=True):
            pair = [alarm.get(k) for k in ("small", "large")]
            cells = [_share(a[k], 1) if a else "" for a in pair for k in ("fail", "warn", "unshown")]
            marked = ' class="missed"' if any(map(too_often, pair)) else ""
            texts = "".join(f"<td>{c}</td>" for c in cells)
            name = html.escape(alarm["label"] + _fewer(alarm, row["draws"]))
            body.append(f'<tr{marked}><th scope="row">{name}</th>{texts}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    pairs = [(a, k) for row in found.values() for a in row["alarms"].values() for k in ("small", "large") if k in a]
    over = sum(too_often(a[k]) for a, k in pairs)
    summary = f"점검과 표본의 크기로 {len(pairs)}가지를 재었고, " + (
        f"{over}가지가 {FALSE_ALARM:.0%}보다 자주 울립니다."
        if over
        else f"{FALSE_ALARM:.0%}보다 자주 울리는 것은 없습니다."
    )
    return f'<p>{summary}</p><table class="table scorecard"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def read_many(path: Path = MANY) -> dict:
    """명세가 든 폴더를 돌린 시간.

    Raises
    ------
    PageError
        파일이 없거나 꼴이 다를 때.
    """
    where, found = f"guides/{path.name}", _document(path, "benchmarks.many_specs")
    if not isinstance(found, dict) or not {"cores", "specs", "rows", "runs"} <= set(found):
        raise PageError(f"{where}: 꼴이 다릅니다. `python -m benchmarks.many_specs`로 다시 쓰세요.")
    return found


def many_table(found: dict) -> str:
    """길마다 한 줄: 모두 끝난 시간, 명세 하나의 시간, CPU 시간."""
    heads = ("나눈 법", "모두(초)", "명세 하나(초)", "CPU(초)")
    body = []
    for run in found["runs"]:
        cpu = "" if run["cpu"] is None else f"{run['cpu']:,.0f}"
        cells = (f"{run['seconds']:,.0f}", f"{run['seconds'] / found['specs']:.2f}", cpu)
        texts = "".join(f"<td>{c}</td>" for c in cells)
        body.append(f'<tr><th scope="row">{html.escape(run["label"])}</th>{texts}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    summary = f"명세 {found['specs']:,}개, 자료 {found['rows']:,}행, 코어 {found['cores']}개에서 쟀습니다."
    return f'<p>{summary}</p><table class="table scorecard"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


class PipelineBenchmark(SphinxDirective):
    """```` ```{pipeline-benchmark} ``` ````"""

    def run(self) -> list[nodes.Node]:
        try:
            worlds = self.read()
        except PageError as error:
            return [self.state_machine.reporter.error(str(error), line=self.lineno)]
        return [nodes.raw("", self.table(worlds), format="html")]

    read = staticmethod(read_table)
    table = staticmethod(worlds_table)


class FalseAlarms(PipelineBenchmark):
    """```` ```{false-alarms} ``` ````"""

    read = staticmethod(read_alarms)
    table = staticmethod(alarms_table)


class ManySpecs(PipelineBenchmark):
    """```` ```{many-specs} ``` ````"""

    read = staticmethod(read_many)
    table = staticmethod(many_table)


class PipelinePeers(PipelineBenchmark):
    """```` ```{pipeline-peers} ``` ````"""

    table = staticmethod(peers_table)


def outdated(app: Sphinx, env, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """표를 다시 쟀으면 쪽을 다시 읽습니다."""
    now = hashlib.sha256(b"".join(path.read_bytes() for path in (TABLE, ALARMS, MANY) if path.is_file())).hexdigest()
    before, env.pipeline_benchmark_state = getattr(env, "pipeline_benchmark_state", None), now
    return [PAGE] if before != now and PAGE in env.found_docs else []


def setup(app: Sphinx) -> dict:
    app.add_directive("pipeline-benchmark", PipelineBenchmark)
    app.add_directive("pipeline-peers", PipelinePeers)
    app.add_directive("false-alarms", FalseAlarms)
    app.add_directive("many-specs", ManySpecs)
    app.connect("env-get-outdated", outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
