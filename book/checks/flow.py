"""문장의 흐름 검사: 짧은 문장을 늘어놓지 않고 까닭과 결과를 잇는지, 길이가 고르지 않게 바뀌는지.

한 절에 한 문장씩 끊은 글은 옳아도 읽기 힘듭니다. 까닭이 주장보다 세 문장 뒤에 오기 때문입니다. 그래서 셋을 봅니다.

- 이음: 이어 주는 말로 시작하거나('그래서', '다만') 안에 이어 주는 꼴('때문에', '지만', '면')이 있는 문장의 비율.
- 길이의 변동: 문장의 어절 수의 표준편차.
- 토막: 짧고(일곱 어절까지) 이어지지 않은 문장이 한 문단에서 세 개 잇달아 나오는 곳.

본문의 문단만 봅니다. 목록, 표, 슬라이드, 노트, 연습문제의 지시는 짧은 것이 낫습니다.
"""

import re
import statistics
from dataclasses import dataclass

from book.checks.findings import Finding
from book.checks.language import count_words, sentences
from book.myst import Document, parse
from book.page import ROOT, Page

KINDS = {"chapter", "deeper", "case"}
FEWEST = 30  # 이보다 문장이 적으면 비율이 말이 되지 않습니다
CONNECTED = 0.55  # 이어진 문장의 비율
SPREAD = 3.0  # 어절 수의 표준편차
SHORT, IN_A_ROW = 7, 3  # 짧은 문장의 어절, 잇달아 나오면 알리는 수
_NOT_PROSE = {"notes", "exercise", "slide", "solution", "hint"}

_STARTS = re.compile(
    r"^(?:그래서|그러자|그런데|그러나|그러면|그렇지만|그러니|그러므로|그리고|그래도|그렇다면|그렇다고|그 대신|그 결과|그만큼|하지만|다만|반면|반대로|"
    r"따라서|때문에|또|또한|즉|예를 들어|이때|이처럼|이렇게|오히려|물론|결국|한편|먼저|이어서|게다가|대신|마찬가지로|특히|실제로|왜냐하면|만약|만일)"
    r"(?=[\s,은는])"
)
_INSIDE = re.compile(
    r"때문|므로|지만[ ,]|[는은인]데[ ,]|[가-힣]면서|면[ ,]|니까[ ,]|서[ ,]|려면|더라도|거나[ ,]|[아어해]도[ ,]|대로[ ,]|뿐 아니라|덕분에|탓에|위해|"
    r"자마자|만큼|보다는|[가-힣]고[ ,]|[가-힣]며[ ,]|으?니[ ,]"
)


@dataclass(frozen=True)
class Flow:
    """한 쪽의 흐름.

    Attributes
    ----------
    sentences : int
    connected : float
        이어진 문장의 비율.
    spread : float
        문장의 어절 수의 표준편차.
    choppy : tuple of int
        짧고 이어지지 않은 문장이 잇달아 시작하는 줄.
    """

    sentences: int
    connected: float
    spread: float
    choppy: tuple[int, ...]


def is_connected(sentence: str) -> bool:
    """이어 주는 말로 시작하거나 안에 이어 주는 꼴이 있으면 참."""
    return bool(_STARTS.search(sentence) or _INSIDE.search(sentence))


def measure(document: Document) -> Flow:
    """원고의 문단에서 이음, 길이의 변동, 토막 난 곳을 잽니다."""
    words, joined, choppy = [], 0, []
    for block in document.blocks:
        if block.kind != "paragraph" or _NOT_PROSE & set(block.inside):
            continue
        row: list[int] = []
        for at, sentence in sentences(block.flat.text):
            if (count := count_words(sentence)) < 2:
                continue
            linked = is_connected(sentence)
            words.append(count)
            joined += linked
            row = [] if linked or count > SHORT else [*row, block.line_at(at)]
            if len(row) == IN_A_ROW:
                choppy.append(row[0])
    spread = statistics.pstdev(words) if words else 0.0
    return Flow(len(words), joined / len(words) if words else 1.0, spread, tuple(choppy))


def check(page: Page, document: Document | None = None) -> list[Finding]:
    """쪽 하나의 흐름을 검사합니다.

    Parameters
    ----------
    page : Page
    document : Document
        읽은 원고. 주지 않으면 새로 읽습니다.
    """
    if page.meta.get("kind") not in KINDS:
        return []
    path = page.path.relative_to(ROOT).as_posix()
    flow = measure(document or parse(page.text))
    found = [
        Finding(path, line, f"짧은 문장이 {IN_A_ROW}개 잇달아 나옵니다 — 까닭과 결과를 한 문장으로 이으세요.", "flow")
        for line in flow.choppy
    ]
    if flow.sentences < FEWEST:
        return found
    if flow.connected < CONNECTED:
        message = f"이어진 문장이 {100 * flow.connected:.0f}%입니다(적어도 {100 * CONNECTED:.0f}%) — '때문에', '그래서', '지만'으로 까닭을 주장 곁에 두세요."
        found.append(Finding(path, 1, message, "flow"))
    if flow.spread < SPREAD:
        message = f"문장의 길이가 고릅니다(어절의 표준편차 {flow.spread:.1f}, 적어도 {SPREAD}) — 짧은 문장과 긴 문장을 섞으세요."
        found.append(Finding(path, 1, message, "flow"))
    return found
