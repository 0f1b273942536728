"""명세가 든 폴더 하나를 한꺼번에 돌립니다: 프로세스를 나누고, 끝난 것은 건너뛰고, 결정의 값 차례로 모은 쪽을 씁니다.

많이 보면 우연히 좋아 보이는 것이 꼭 나옵니다. 그래서 쪽의 첫머리에 몇 개가 우연히 좋아 보였을지를 적고, 여러 번 본 것을
셈한 뒤에도 남는 것을 따로 표시합니다.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import cache
from multiprocessing import active_children, get_context
from pathlib import Path

from causal_pipeline.errors import OutputError, PipelineError, SpecError
from causal_pipeline.model import Analysis
from causal_pipeline.stages import write_atomic
from causal_pipeline.wording import number, percent, pvalue

INDEX, ROWS = "index.html", "index.json"
_ROW = "row.json"
LEVEL = 0.05


@dataclass(frozen=True)
class Row:
    """명세 하나의 결과 한 줄.

    Attributes
    ----------
    file, name, question, design : str
        ``design``은 한국어 이름. 멈춘 명세이면 빈 글입니다.
    grade : str
        A, B, C. 멈췄으면 빈 글입니다.
    value, low, high, p : float or None
        추정값과 95% 구간(결과의 단위), 효과가 없을 때 이만큼 벗어날 p 값.
    gain, gain_low, gain_high : float or None
        처치 하나의 순이득과 그 구간(money의 화폐). money를 적지 않았으면 None.
    unit, currency, headline : str
    code, problem : str
        멈춘 까닭의 이름과 글. 끝났으면 빈 글입니다.
    key : str
        명세와 자료, 코드의 지문. 같으면 다시 돌리지 않습니다.
    """

    file: str
    name: str = ""
    question: str = ""
    design: str = ""
    grade: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    unit: str = ""
    currency: str = ""
    headline: str = ""
    code: str = ""
    problem: str = ""
    key: str = field(default="", compare=False)


def analyze_many(
    folder: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    force: bool = False,
    progress: bool = False,
    peers: bool = False,
    ray: str | None = None,
) -> list[Row]:
    """``folder``의 명세(.yml, .yaml)를 모두 돌리고 ``out``에 보고서들과 모은 쪽을 씁니다.

    Parameters
    ----------
    folder : str or Path
        명세가 든 폴더. 하위 폴더는 보지 않습니다.
    out : str or Path
        ``out/명세이름/``마다 보고서가 생기고, ``out/index.html``과 ``out/index.json``이 모은 것입니다.
    workers : int, optional
        프로세스의 수. 없으면 쓸 수 있는 코어의 수입니다. 1이면 나누지 않습니다.
    force : bool
        참이면 끝난 것도 다시 돌립니다.
    progress : bool
        참이면 남은 시간을 보여 주는 막대를 표준 오류에 그립니다.
    peers : bool
        참이면 명세마다 같은 대상을 다른 라이브러리로도 내어 견줍니다.
    ray : str, optional
        Ray의 주소. ``local``이면 이 컴퓨터에서 켜고, ``auto``나 주소(``10.0.0.1:6379``)이면 켜져 있는 클러스터에 붙습니다. 일꾼마다 같은
        자리에 책의 환경과 명세, 자료, ``out``이 보여야 합니다(공유 디스크). 적으면 ``workers``는 쓰지 않습니다.

    Returns
    -------
    list of Row
        결정의 값 차례(``ranked``). 명세 하나가 멈춰도 나머지는 돌립니다.

    Raises
    ------
    SpecError
        폴더가 없거나 명세가 하나도 없을 때.
    OutputError
        ``out``에 쓸 수 없거나, Ray가 없거나, 그 주소에 붙지 못할 때.
    """
    folder, out = Path(folder).resolve(), Path(out).resolve()
    if not folder.is_dir():
        raise SpecError(
            "specs_missing", f"명세의 폴더 '{folder.name}'이(가) 없습니다.", "명세(.yml)가 든 폴더를 적으세요."
        )
    specs = sorted(p for p in folder.iterdir() if p.suffix in {".yml", ".yaml"} and p.is_file())
    if not specs:
        raise SpecError(
            "specs_empty", f"'{folder.name}' 폴더에 명세(.yml)가 없습니다.", "명세 파일을 그 폴더에 두세요."
        )
    if out.resolve() == folder.resolve():
        raise OutputError(
            "out_is_spec_folder", "명세의 폴더에 바로 쓸 수 없습니다.", "--out reports처럼 다른 폴더를 적으세요."
        )
    twice = [p.name for p in specs if p.suffix == ".yaml" and p.with_suffix(".yml").exists()]
    if twice:
        raise SpecError(
            "specs_twice",
            f"이름이 같은 명세가 둘 있습니다: {twice[0]}.",
            "하나의 이름을 바꾸세요. 보고서의 폴더가 겹칩니다.",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise OutputError(
            "out_not_writable", f"'{out.name}' 폴더를 만들 수 없습니다.", "위 폴더가 있는지, 쓰기 권한이 있는지 보세요."
        ) from None
    workers = min(workers or _cores(), len(specs))
    work = [(path, out / path.stem, force, peers) for path in specs]
    rows = list(_shown(_on_ray(work, ray) if ray else _finished(work, workers), len(work), progress))
    rows = ranked(rows)
    write_atomic(out / ROWS, (json.dumps(summary(rows), ensure_ascii=False, indent=1) + "\n").encode())
    write_atomic(out / INDEX, html(rows).encode())
    return rows


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shown(rows: Iterable[Row], total: int, progress: bool) -> Iterator[Row]:
    """끝나는 차례로 오는 줄을 그대로 내며 막대를 그립니다."""
    if not progress:
        yield from rows
        return
    from tqdm import tqdm

    form = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}, {elapsed} 지남, {remaining} 남음"
    yield from tqdm(rows, total=total, bar_format=form, file=sys.stderr, dynamic_ncols=True, mininterval=0.2)


def _finished(work: Sequence[tuple[Path, Path, bool, bool]], workers: int) -> Iterator[Row]:
    """이 컴퓨터의 프로세스로 나눕니다. 멈추면 곧바로 멈추고, 끝난 것은 남습니다."""
    if workers == 1:
        for one in work:
            yield run_one(*one)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # 프로세스끼리 코어를 다투지 않게
    # 멈출 때 파이썬의 살림꾼이 세마포어가 남았다고 영어로 알립니다. 스스로 치우므로 알릴 것이 없습니다.
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:multiprocessing.resource_tracker")
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_signals)
    try:
        for done in as_completed([pool.submit(run_one, *one) for one in work]):
            yield done.result()
    except (
        BaseException
    ):  # 멈추라고 하면 돌던 것을 기다리지 않습니다. 단계마다 다 쓴 파일만 남으므로 다시 하면 이어집니다
        for child in active_children():
            child.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _on_ray(work: Sequence[tuple[Path, Path, bool, bool]], address: str) -> Iterator[Row]:
    """같은 ``run_one``을 Ray의 일꾼에 나눕니다. 일꾼이 죽은 일은 Ray가 다시 시키고, 끝난 단계는 ``out``에 남아 있습니다."""
    # 둘 다 불러오기 전에 정해야 합니다. 앞의 것은 쓴 기록을 바깥에 보내지 않게 합니다. 뒤의 것은 이 컴퓨터에서만 쓰는 Ray를 루프백에 세웁니다.
    # 그러지 않으면 컴퓨터의 이름이 가리키는 주소에 세우는데, 네트워크가 없으면 거기에 닿지 못해 붙기만 기다립니다.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == "local":
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise OutputError(
            "ray_missing",
            "Ray가 깔려 있지 않습니다.",
            "`make scale`로 만든 환경에서 `.venv-scale/bin/python -m causal_pipeline analyze --specs …`로 돌리거나 --ray를 빼세요.",
        ) from None
    alone = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(
            address=address, log_to_driver=False, logging_level="ERROR", **alone,
            runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}},
        )  # fmt: skip
    except Exception as error:  # 켜지 못하면 Ray는 이름 없는 Exception을 냅니다
        raise OutputError(
            "ray_unreachable",
            f"Ray의 주소 '{address}'에 붙지 못했습니다({str(error).splitlines()[0][:120]}).",
            "`ray status`로 켜져 있는지 보세요. 이 컴퓨터에서만 돌리려면 `--ray local`입니다.",
        ) from None
    try:
        waiting = [ray.remote(run_one).remote(*one) for one in work]
        while waiting:
            done, waiting = ray.wait(waiting)
            yield ray.get(done[0])
    finally:
        ray.shutdown()


def _leave_signals() -> None:
    """Ctrl-C는 어미만 받습니다. 어미가 자식을 거둡니다."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_one(path: Path, out: Path, force: bool = False, peers: bool = False) -> Row:
    """명세 하나를 돌려 한 줄로. 끝난 것이 있고 명세와 자료, 코드가 그대로이면 다시 돌리지 않습니다. 잘못은 줄에 적습니다."""
    from causal_pipeline.place import source_path
    from causal_pipeline.reading import file_digest, inside
    from causal_pipeline.run import REPORT, analyze
    from causal_pipeline.spec import read_spec
    from causal_pipeline.stages import run_key

    question = name = key = ""
    try:
        spec = read_spec(path)
        question, name = spec.question, spec.name
        data = source_path(spec)
        changed = max((p.stat().st_mtime_ns for p in inside(data)), default=0) if data.exists() else 0
        key = run_key(spec, _digest(data, changed, file_digest)) if changed else ""
        key += "+peers" if key and peers else ""  # 견주지 않은 보고서를 견준 것으로 쓰지 않습니다
        if key and not force and (out / REPORT).is_file() and (row := _stored(out / _ROW, key)):
            return row
        row = row_of(analyze(spec, out=out, force=force, peers=peers), path.name, key)
        write_atomic(out / _ROW, (json.dumps(asdict(row), ensure_ascii=False) + "\n").encode())
        return row
    except PipelineError as error:
        return Row(path.name, name, question, code=error.code, problem=str(error), key=key)
    except Exception as error:  # 하나가 깨져도 나머지는 돌립니다
        return Row(
            path.name, name, question, code="unexpected", problem=f"뜻밖의 오류: {type(error).__name__}: {error}"[:400]
        )


@cache
def _digest(path: Path, _changed: int, digest: Callable[[Path], str]) -> str:
    """같은 자료를 여러 명세가 쓰면 한 번만 읽습니다."""
    return digest(path)


def _stored(path: Path, key: str) -> Row | None:
    try:
        row = Row(**json.loads(path.read_text(encoding="utf-8")))
        return row if row.key == key else None
    except (OSError, ValueError, TypeError):
        return None


def row_of(analysis: Analysis, file: str, key: str = "") -> Row:
    """분석 하나를 한 줄로."""
    from scipy import stats

    from causal_pipeline import designs
    from causal_pipeline.memo import headline, net_gain

    best, spec = analysis.primary, analysis.spec
    reach = (best.value - best.low if best.value > 0 else best.high - best.value) / stats.norm.ppf(0.975)
    p = 1.0 if best.value == 0 else 0.0 if reach <= 0 else float(2 * stats.norm.sf(abs(best.value) / reach))
    gains = sorted(net_gain(analysis, x) for x in (best.low, best.high)) if spec.money else (None, None)
    return Row(
        file, spec.name, spec.question, designs.get(analysis.identification.design).label, analysis.grade.letter,
        best.value, best.low, best.high, p, net_gain(analysis, best.value) if spec.money else None, *gains,
        spec.outcome.unit, spec.money.currency if spec.money else "", headline(analysis), key=key,
    )  # fmt: skip


def ranked(rows: Sequence[Row]) -> list[Row]:
    """결정의 값 차례. 쓸 수 있는 것(A, B)에서 순이득의 구간 아래 끝이 큰 것, 돈을 적지 않은 것은 p 값이 작은 것부터, C, 멈춘 것."""

    def place(row: Row) -> tuple:
        if not row.grade:
            return (3, 0.0, row.file)
        if row.grade == "C":
            return (2, row.p, row.file)
        return (0, -row.gain_low, row.file) if row.gain_low is not None else (1, row.p, row.file)

    return sorted(rows, key=place)


def family(rows: Sequence[Row]) -> dict:
    """여러 번 본 것의 셈.

    Returns
    -------
    dict
        ``tests``(추정이 나온 명세), ``small``(p가 0.05보다 작은 것), ``expected``(효과가 하나도 없어도 그럴 것),
        ``chance``(효과가 하나도 없고 서로 무관할 때 이만큼 나올 확률), ``holm``과 ``bh``(파일 → 고친 p 값).
    """
    from scipy import stats

    tested = [row for row in rows if row.p is not None]
    m, small = len(tested), sum(row.p < LEVEL for row in tested)
    order = sorted(tested, key=lambda row: row.p)
    holm: dict[str, float] = {}
    bh: dict[str, float] = {}
    worst = 0.0
    for i, row in enumerate(order):
        worst = max(worst, min(1.0, (m - i) * row.p))
        holm[row.file] = worst
    best = 1.0
    for i, row in reversed(list(enumerate(order, 1))):
        best = min(best, m * row.p / i)
        bh[row.file] = best
    chance = float(stats.binom.sf(small - 1, m, LEVEL)) if m else 1.0
    return {"tests": m, "small": small, "expected": LEVEL * m, "chance": chance, "holm": holm, "bh": bh}


def summary(rows: Sequence[Row]) -> dict:
    """``index.json``의 내용."""
    return {"format": 1, "family": family(rows), "rows": [asdict(row) for row in rows]}


def sentence(rows: Sequence[Row]) -> list[str]:
    """여러 번 본 것의 말."""
    seen = family(rows)
    if not seen["tests"]:
        return ["추정이 나온 명세가 없습니다."]
    held = sum(p < LEVEL for p in seen["holm"].values())
    likely_by_chance = "0.001보다 작습니다" if seen["chance"] < 0.001 else f"{pvalue(seen['chance'])}입니다"
    likely = sum(p < LEVEL for p in seen["bh"].values())
    found = [
        f"명세 {len(rows):,}개 가운데 {seen['tests']:,}개에서 추정이 나왔고, {seen['small']:,}개의 95% 신뢰구간이 0을 벗어납니다.",
        f"효과가 하나도 없어도 {number(seen['expected'], digits=1)}개쯤은 우연히 벗어납니다. 모두 효과가 없고 서로 무관할 때 {seen['small']:,}개 이상이 벗어날 확률은 {likely_by_chance}.",
        f"여러 번 본 것을 셈하면(Holm) {held:,}개가 남고, 남은 것 가운데 거짓이 {percent(LEVEL, 0)} 안이게 고르면(BH) {likely:,}개입니다. 아래 표에 '남음'과 '아마'로 적었습니다.",
    ]
    if any(row.grade == "C" for row in rows):
        found.append("등급 C인 명세의 구간은 믿을 수 없습니다. 이 셈에는 들어 있지만 표에서는 뒤로 보냈습니다.")
    return found


def html(rows: Sequence[Row]) -> str:
    """모은 쪽. 바깥의 아무것도 부르지 않습니다."""
    from causal_pipeline.report import environment

    seen = family(rows)

    def mark(row: Row) -> str:
        if row.p is None or row.grade == "C":
            return ""
        return (
            "남음" if seen["holm"][row.file] < LEVEL else "아마" if seen["bh"][row.file] < LEVEL else "우연일 수 있음"
        )

    lines = [
        {
            "row": row,
            "link": f"{Path(row.file).stem}/report.html",
            "effect": number(row.value, _se(row.low, row.high)),
            "range": f"{number(row.low, _se(row.low, row.high))} ~ {number(row.high, _se(row.low, row.high))}",
            "gain": "" if row.gain is None else f"{number(row.gain, _se(row.gain_low, row.gain_high))}{row.currency}",
            "gain_range": ""
            if row.gain is None
            else f"{number(row.gain_low, _se(row.gain_low, row.gain_high))} ~ {number(row.gain_high, _se(row.gain_low, row.gain_high))}",
            "mark": mark(row),
        }
        for row in rows
        if row.grade
    ]
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            lines=lines,
            stopped=[row for row in rows if not row.grade],
            sentences=sentence(rows),
            count={letter: sum(row.grade == letter for row in rows) for letter in "ABC"},
            total=len(rows),
        )
    )


def _se(low: float, high: float) -> float:
    return (high - low) / 3.92
