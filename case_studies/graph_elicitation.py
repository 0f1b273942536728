"""언어 모델에게 인과 그래프를 묻고, 답을 믿기 전에 거르는 도구입니다.

물음은 변수의 이름, 설명, 잰 때로만 만듭니다. 이 모듈에는 자료의 행을 받는 함수가 없습니다.
답은 네 단계로 거릅니다. 답이 왔는가(``ask``), 약속한 꼴인가(``read_answer``), 시점을 거스르지 않는가
(``time_violations``), 그 그래프가 시키는 보정이 맞는가(``is_valid_adjustment``)입니다.
그래프가 자료와 맞는지는 ``implied_independencies``가 내놓은 독립성을 쪽에서 검정합니다.

주소는 OpenAI의 대화 완성(chat completions) 형식을 따르는 서버이면 됩니다. 환경변수 ``BOOK_LLM_URL``,
``BOOK_LLM_MODEL``, ``BOOK_LLM_KEY``로 줍니다. 책을 만들 때는 저장된 답만 읽고 아무 곳에도 묻지 않습니다.
"""

import http.client
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from urllib.parse import urlsplit

URL_VARIABLE, MODEL_VARIABLE, KEY_VARIABLE = "BOOK_LLM_URL", "BOOK_LLM_MODEL", "BOOK_LLM_KEY"
PAIR_ANSWERS = ("direct", "indirect", "none", "reverse")
"""짝 물음의 답: 직접 원인, 다른 변수를 거치는 원인, 원인이 아님, 거꾸로 결과가 원인."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_REFUSAL = re.compile(
    r"도와\s?드릴 수 없|답(?:변)?(?:해\s?드릴|할|을 드릴) 수 없|제공(?:해 드릴|할) 수 없|I(?:'m| am) sorry|I can(?:'t|not)|unable to",
    re.IGNORECASE,
)
_LONGEST_REPLY = 1_000_000

Edge = tuple[str, str]


class AskError(RuntimeError):
    """답을 받지 못했습니다.

    Attributes
    ----------
    kind : str
        no_address, timeout, connection, http, bad_reply, empty 가운데 하나.
    """

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


class AnswerError(ValueError):
    """받은 답을 그래프로 쓸 수 없습니다. 쓸 수 없는 답도 기록할 값어치가 있는 결과입니다.

    Attributes
    ----------
    kind : str
        empty, refusal, malformed, schema, unknown_variable, self_loop, duplicate, cycle 가운데 하나.
    """

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Variable:
    """물음에 적을 변수 하나. 값이 아니라 뜻만 담습니다.

    Attributes
    ----------
    name : str
        영어 소문자, 숫자, 밑줄로 된 이름. 답이 이 이름을 씁니다.
    label, description : str
        한글 이름과 뜻(단위 포함).
    timing : str
        언제 재는지 적은 말.
    order : int
        잰 차례. 작을수록 먼저입니다. 물음에는 적지 않고 ``time_violations``에만 씁니다.

    Raises
    ------
    ValueError
        이름의 꼴이 다르거나, 글이 비었거나 줄바꿈이 있거나, 차례가 정수가 아닐 때.
    """

    name: str
    label: str
    description: str
    timing: str
    order: int

    def __post_init__(self):
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f"변수의 이름은 영어 소문자로 시작하고 소문자, 숫자, 밑줄만 써야 합니다: {self.name!r}")
        for field in ("label", "description", "timing"):
            text = getattr(self, field)
            if not isinstance(text, str) or not text.strip() or "\n" in text or len(text) > 200:
                raise ValueError(f"{self.name}의 {field}은(는) 200자 안의 한 줄 글이어야 합니다: {str(text)[:40]!r}")
        if not isinstance(self.order, int) or isinstance(self.order, bool):
            raise ValueError(f"{self.name}의 order는 정수여야 합니다: {self.order!r}")


def _checked(variables: Iterable[Variable]) -> list[Variable]:
    """변수의 목록만 받아들입니다. 표나 사전이 섞여 들어오는 길을 여기서 막습니다."""
    if not isinstance(variables, (list, tuple)):
        raise TypeError(f"물음은 Variable의 목록으로만 만듭니다. 자료는 받지 않습니다: {type(variables).__name__}")
    if wrong := [type(v).__name__ for v in variables if type(v) is not Variable]:
        raise TypeError(f"물음은 Variable의 목록으로만 만듭니다. 자료는 받지 않습니다: {', '.join(sorted(set(wrong)))}")
    names = [v.name for v in variables]
    if len(names) < 2 or len(set(names)) != len(names):
        raise ValueError("서로 이름이 다른 변수가 둘 이상 있어야 합니다.")
    return list(variables)


def _listing(variables: list[Variable]) -> str:
    return "\n".join(f"- {v.name}: {v.label}. {v.description} (잰 때: {v.timing})" for v in variables)


def build_messages(variables: Iterable[Variable], question: str) -> list[dict[str, str]]:
    """그래프 전체를 묻는 대화를 만듭니다.

    Parameters
    ----------
    variables : list of Variable
        물을 변수. 적은 차례대로 물음에 들어갑니다.
    question : str
        배경과 알고 싶은 것을 적은 한 줄 글(500자 안). 고객의 이름이나 기록을 적지 않습니다.

    Returns
    -------
    list of dict
        ``{"role": …, "content": …}`` 두 개.

    Raises
    ------
    TypeError
        변수 대신 표 같은 것이 들어온 때.
    ValueError
        변수가 둘보다 적거나 이름이 겹치거나, 물음이 비었거나 길거나 여러 줄일 때.
    """
    variables = _checked(variables)
    system = (
        "당신은 인과 그래프의 초안을 그리는 현장 전문가입니다. 직접 원인에서 결과로 가는 화살표만 적습니다. "
        "다른 변수를 거쳐서만 이어지면 적지 않습니다. 순환을 만들지 않습니다. 목록에 없는 변수를 쓰지 않습니다. "
        'JSON 하나로만 답합니다: {"edges": [{"from": "이름", "to": "이름", "reason": "한 문장"}]}'
    )
    user = (
        f"{_one_line(question)}\n\n변수:\n{_listing(variables)}\n\n이 변수들 사이의 인과 그래프를 JSON으로 답해 주세요."
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def build_pair_messages(variables: Iterable[Variable], question: str, cause: str, effect: str) -> list[dict[str, str]]:
    """두 변수의 방향을 묻는 대화를 만듭니다. 같은 짝을 차례를 바꿔 두 번 물으면 답이 한결같은지 볼 수 있습니다.

    Parameters
    ----------
    variables, question
        ``build_messages``와 같습니다.
    cause, effect : str
        "cause가 effect의 원인인가"라고 묻습니다.

    Raises
    ------
    TypeError, ValueError
        ``build_messages``와 같고, 목록에 없는 이름이거나 두 이름이 같을 때.
    """
    variables = _checked(variables)
    labels = {v.name: v.label for v in variables}
    for name in (cause, effect):
        if name not in labels:
            raise ValueError(f"'{name}'은(는) 목록에 없는 변수입니다. 있는 이름: {', '.join(labels)}.")
    if cause == effect:
        raise ValueError("서로 다른 두 변수를 골라야 합니다.")
    system = (
        "당신은 인과 그래프의 초안을 그리는 현장 전문가입니다. 두 변수의 관계를 다음 가운데 하나로 답합니다. "
        "direct: 앞의 변수가 뒤의 변수의 직접 원인입니다. indirect: 다른 변수를 거쳐서만 원인입니다. "
        "none: 원인이 아닙니다. reverse: 뒤의 변수가 앞의 변수의 원인입니다. "
        'JSON 하나로만 답합니다: {"answer": "direct", "reason": "한 문장"}'
    )
    user = (
        f"{_one_line(question)}\n\n변수:\n{_listing(variables)}\n\n"
        f"{cause}({labels[cause]})이(가) {effect}({labels[effect]})의 원인입니까? JSON으로 답해 주세요."
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _one_line(question: str) -> str:
    if not isinstance(question, str):
        raise TypeError(f"물음은 글이어야 합니다. 자료는 받지 않습니다: {type(question).__name__}")
    if not question.strip() or "\n" in question or len(question) > 500:
        raise ValueError("물음은 500자 안의 한 줄 글이어야 합니다.")
    return question.strip()


@dataclass(frozen=True)
class Answer:
    """거른 답.

    Attributes
    ----------
    edges : tuple of (str, str)
        (원인, 결과). 답에 적힌 차례대로입니다.
    reasons : dict
        화살표마다 답이 적은 까닭. 적지 않았으면 빈 글자입니다.
    """

    edges: tuple[Edge, ...]
    reasons: dict[Edge, str]


def read_answer(text: str, variables: Iterable[Variable]) -> Answer:
    """답에서 그래프를 꺼냅니다. 약속한 꼴이 아니면 고쳐 쓰지 않고 무엇이 틀렸는지 알립니다.

    Parameters
    ----------
    text : str
        모델의 답 그대로. ```` ```json ```` 울타리와 앞뒤의 말은 받아들입니다.
    variables : list of Variable
        물음에 쓴 변수.

    Returns
    -------
    Answer

    Raises
    ------
    AnswerError
        빈 답, 거절, 깨진 JSON, 다른 꼴, 모르는 변수, 제자리 화살표, 겹친 화살표, 순환일 때(``kind``로 가립니다).
    """
    names = [v.name for v in _checked(variables)]
    items = _json_object(text).get("edges")
    if not isinstance(items, list):
        raise AnswerError("schema", 'JSON에 "edges" 목록이 없습니다. 물음의 보기와 같은 꼴이어야 합니다.')
    reasons: dict[Edge, str] = {}
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in ("from", "to")):
            raise AnswerError("schema", f'{number}번째 화살표에 글자로 된 "from"과 "to"가 없습니다: {_short(item)}')
        if not isinstance(item.get("reason", ""), str):
            raise AnswerError("schema", f'{number}번째 화살표의 "reason"이 글이 아닙니다: {_short(item["reason"])}')
        edge = item["from"].strip(), item["to"].strip()
        for name in edge:
            if name not in names:
                raise AnswerError(
                    "unknown_variable",
                    f"{number}번째 화살표의 '{_short(name)}'은(는) 묻지 않은 변수입니다. 있는 이름: {', '.join(names)}.",
                )
        if edge[0] == edge[1]:
            raise AnswerError("self_loop", f"{number}번째 화살표가 자기 자신을 가리킵니다: {edge[0]} → {edge[1]}")
        if edge in reasons:
            raise AnswerError("duplicate", f"같은 화살표가 두 번 나옵니다: {edge[0]} → {edge[1]}")
        reasons[edge] = item.get("reason", "")
    if loop := _cycle(reasons):
        raise AnswerError(
            "cycle",
            f"순환이 있어 인과 그래프가 아닙니다: {' → '.join(loop)}. 시점을 나누어 다시 묻거나 사람이 정해야 합니다.",
        )
    return Answer(tuple(reasons), reasons)


def read_pair_answer(text: str) -> str:
    """짝 물음의 답에서 direct, indirect, none, reverse 가운데 하나를 꺼냅니다.

    Raises
    ------
    AnswerError
        빈 답, 거절, 깨진 JSON, 다른 꼴일 때.
    """
    answer = _json_object(text).get("answer")
    if not isinstance(answer, str) or answer.strip().lower() not in PAIR_ANSWERS:
        raise AnswerError("schema", f'"answer"는 {", ".join(PAIR_ANSWERS)} 가운데 하나여야 합니다: {_short(answer)}')
    return answer.strip().lower()


def _json_object(text: str) -> dict:
    if not isinstance(text, str) or not text.strip():
        raise AnswerError("empty", "답이 비어 있습니다. 다시 묻거나 다른 모델을 쓰세요.")
    body = re.sub(r"<think>.*?</think>", "", text, flags=re.DOTALL).strip()
    if fenced := _FENCE.search(body):
        body = fenced.group(1).strip()
    start = body.find("{")
    if start < 0:
        if _REFUSAL.search(body):
            raise AnswerError("refusal", f"모델이 답을 거절했습니다: {_short(body)}")
        raise AnswerError("malformed", f"답에 JSON이 없습니다: {_short(body)}")
    try:
        found, _ = json.JSONDecoder().raw_decode(body[start:])
    except (json.JSONDecodeError, RecursionError) as error:
        where = (
            f"{error.lineno}번째 줄 {error.colno}번째 글자에서 멈췄습니다"
            if isinstance(error, json.JSONDecodeError)
            else "너무 깊이 겹쳐 있습니다"
        )
        raise AnswerError("malformed", f"JSON이 깨졌습니다. {where}. 답이 잘렸는지 보세요.") from None
    return found


def _short(value) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:80] + "…"


def _cycle(edges: Iterable[Edge]) -> list[str]:
    """순환을 이루는 이름(처음과 끝이 같음). 없으면 빈 목록."""
    import networkx as nx

    try:
        found = nx.find_cycle(nx.DiGraph(list(edges)))
    except nx.NetworkXNoCycle:
        return []
    return [cause for cause, _ in found] + [found[0][0]]


# ── 묻기 ──


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """다른 주소로 넘기라는 응답을 따르지 않습니다. 물음과 열쇠가 모르는 곳으로 가는 것을 막습니다."""

    def redirect_request(self, *args, **kwargs):
        return None


def ask(
    messages: list[dict[str, str]],
    url: str | None = None,
    model: str | None = None,
    key: str | None = None,
    timeout: float = 60.0,
) -> str:
    """OpenAI 형식의 서버에 묻고 답의 글을 그대로 돌려줍니다.

    Parameters
    ----------
    messages : list of dict
        ``build_messages``나 ``build_pair_messages``가 만든 대화.
    url : str, 선택
        ``https://…/v1`` 같은 주소. 없으면 환경변수 ``BOOK_LLM_URL``을 씁니다.
    model : str, 선택
        모델의 이름. 없으면 ``BOOK_LLM_MODEL``을 씁니다.
    key : str, 선택
        열쇠. 없으면 ``BOOK_LLM_KEY``를 쓰고, 그것도 없으면 보내지 않습니다.
    timeout : float
        응답을 기다리는 시간(초). 0보다 큽니다.

    Returns
    -------
    str
        고치지 않은 답. ``read_answer``로 거릅니다.

    Raises
    ------
    AskError
        주소가 없거나, 시간이 넘거나, 이어지지 않거나, 서버가 오류나 모르는 꼴을 돌려줄 때.
    AnswerError
        서버가 거절이라고 표시한 때(``kind="refusal"``).
    TypeError
        대화의 꼴이 아닐 때.
    ValueError
        timeout이 0보다 큰 수가 아닐 때.
    """
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not timeout > 0:
        raise ValueError(f"timeout은 0보다 큰 수(초)여야 합니다: {timeout!r}")
    if not isinstance(messages, list) or not all(
        isinstance(m, dict) and set(m) == {"role", "content"} and all(isinstance(v, str) for v in m.values())
        for m in messages
    ):
        raise TypeError("messages는 build_messages가 만든 대화여야 합니다.")
    url, model, key = (
        given or os.environ.get(name, "").strip()
        for given, name in ((url, URL_VARIABLE), (model, MODEL_VARIABLE), (key, KEY_VARIABLE))
    )
    request = _request(messages, url, model, key)
    opener = urllib.request.build_opener(_NoRedirect)
    slow = f"{timeout:g}초 안에 답이 오지 않았습니다. timeout을 늘리거나 더 빠른 모델을 쓰세요."
    try:
        raw = _read_all(opener, request, timeout)
    except urllib.error.HTTPError as error:
        raise AskError("http", _http_message(error, key)) from None
    except TimeoutError:
        raise AskError("timeout", slow) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise AskError("timeout", slow) from None
        raise AskError(
            "connection", f"{request.host}에 이어지지 않습니다. 주소와 서버를 확인하세요: {_short(error.reason)}"
        ) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise AskError(
            "connection", f"{request.host}에 묻다가 끊겼습니다({type(error).__name__}). 주소와 서버를 확인하세요."
        ) from None
    return _reply_text(raw)


def _read_all(opener, request: urllib.request.Request, timeout: float) -> bytes:
    """응답을 끝까지 읽습니다. 조금씩 흘려 보내는 서버도 정한 시간에 멈춥니다."""
    until, chunks, size = time.monotonic() + timeout, [], 0
    with opener.open(request, timeout=timeout) as response:
        while size <= _LONGEST_REPLY and (chunk := response.read1(65_536)):
            chunks.append(chunk)
            size += len(chunk)
            if time.monotonic() > until:
                raise TimeoutError
    return b"".join(chunks)


def _request(messages, url: str, model: str, key: str) -> urllib.request.Request:
    if not url:
        raise AskError(
            "no_address",
            f"물을 주소가 없습니다. 환경변수 {URL_VARIABLE}에 https://…/v1 같은 주소를 적으세요. 없이도 저장된 답은 읽을 수 있습니다.",
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isascii():
        raise AskError("no_address", f"주소는 http://나 https://로 시작하는 영어여야 합니다: {_short(url)}")
    if not model:
        raise AskError("no_address", f"모델의 이름이 없습니다. 환경변수 {MODEL_VARIABLE}에 적으세요.")
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        raise AskError("no_address", f"열쇠({KEY_VARIABLE})에 빈칸이나 한글이 섞였습니다. 다시 복사해 넣으세요.")
    if key and parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise AskError("no_address", "암호화되지 않은 http 주소로는 열쇠를 보내지 않습니다. https 주소를 쓰세요.")
    address = url.rstrip("/")
    address += "" if address.endswith("/chat/completions") else "/chat/completions"
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    body = json.dumps({"model": model, "messages": messages}, ensure_ascii=False).encode()
    return urllib.request.Request(address, data=body, headers=headers, method="POST")


def _http_message(error: urllib.error.HTTPError, key: str) -> str:
    hints = {
        401: f"열쇠({KEY_VARIABLE})를 확인하세요",
        403: "이 열쇠로는 쓸 수 없습니다",
        404: f"주소와 모델의 이름({MODEL_VARIABLE})을 확인하세요",
        429: "요청이 너무 많습니다. 잠시 뒤에 다시 물으세요",
    }
    hint = hints.get(
        error.code, "서버가 고장 났습니다. 잠시 뒤에 다시 물으세요" if error.code >= 500 else "주소를 확인하세요"
    )
    try:
        said = json.loads(error.read(10_000))["error"]
        said = said["message"] if isinstance(said, dict) else said
    except (OSError, ValueError, KeyError, TypeError):
        said = ""
    said = _short(str(said).replace(key, "…") if key else said)
    return f"서버가 HTTP {error.code} 오류를 돌려주었습니다. {hint}." + (f" 서버의 말: {said}" if said else "")


def _reply_text(raw: bytes) -> str:
    if len(raw) > _LONGEST_REPLY:
        raise AskError("bad_reply", "서버의 응답이 너무 깁니다(1MB 넘음).")
    try:
        choice = json.loads(raw)["choices"][0]
        message, reason = choice["message"], choice.get("finish_reason")
        refusal, content = message.get("refusal"), message.get("content")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise AskError(
            "bad_reply",
            f"서버의 응답이 대화 완성의 꼴이 아닙니다. 주소가 맞는지 보세요: {_short(raw[:200].decode('utf-8', 'replace'))}",
        ) from None
    if refusal or reason == "content_filter":
        raise AnswerError("refusal", f"모델이 답을 거절했습니다: {_short(refusal or '내용 거르개에 걸림')}")
    if reason == "length":
        raise AskError("bad_reply", "답이 길이 제한에 걸려 잘렸습니다. 변수를 줄이거나 서버의 제한을 늘리세요.")
    if not isinstance(content, str) or not content.strip():
        raise AskError("empty", "서버가 빈 답을 돌려주었습니다. 다시 묻거나 다른 모델을 쓰세요.")
    return content


# ── 견주고 따지기 ──


@dataclass(frozen=True)
class Score:
    """제안한 그래프를 정답 그래프와 견준 점수.

    Attributes
    ----------
    right, extra, missing, reversed : tuple of (str, str)
        맞은 것, 없는 것을 그은 것, 있는 것을 빠뜨린 것, 방향이 뒤집힌 것(제안한 방향으로 적음).
    """

    right: tuple[Edge, ...]
    extra: tuple[Edge, ...]
    missing: tuple[Edge, ...]
    reversed: tuple[Edge, ...]

    @property
    def precision(self) -> float:
        """그은 화살표 가운데 맞은 비율. 하나도 긋지 않았으면 0입니다."""
        drawn = len(self.right) + len(self.extra) + len(self.reversed)
        return len(self.right) / drawn if drawn else 0.0

    @property
    def recall(self) -> float:
        """있어야 할 화살표 가운데 그은 비율."""
        wanted = len(self.right) + len(self.missing) + len(self.reversed)
        return len(self.right) / wanted if wanted else 0.0

    @property
    def distance(self) -> int:
        """구조 해밍 거리(structural Hamming distance). 더하고 빼고 뒤집어야 할 화살표의 수입니다."""
        return len(self.extra) + len(self.missing) + len(self.reversed)


def score_graph(proposed: Iterable[Edge], true: Iterable[Edge]) -> Score:
    """제안한 화살표를 정답과 견줍니다. 뒤집힌 화살표는 하나의 잘못으로 셉니다."""
    proposed, true = list(dict.fromkeys(proposed)), list(dict.fromkeys(true))
    flipped = tuple(e for e in proposed if e not in true and e[::-1] in true)
    return Score(
        right=tuple(e for e in proposed if e in true),
        extra=tuple(e for e in proposed if e not in true and e not in flipped),
        missing=tuple(e for e in true if e not in proposed and e[::-1] not in flipped),
        reversed=flipped,
    )


def time_violations(edges: Iterable[Edge], variables: Iterable[Variable]) -> list[Edge]:
    """나중에 잰 변수에서 먼저 잰 변수로 가는 화살표. 같은 때에 잰 변수끼리는 가리지 못합니다."""
    order = {v.name: v.order for v in _checked(variables)}
    return [(cause, effect) for cause, effect in edges if order[cause] > order[effect]]


def is_valid_adjustment(edges: Iterable[Edge], treatment: str, outcome: str, adjusted: Iterable[str]) -> bool:
    """정답 그래프에서 ``adjusted``로 보정하면 총효과를 얻는지 뒷문 기준으로 따집니다.

    처치의 자손이 들어 있지 않고, 처치에서 나가는 화살표를 지운 그래프에서 처치와 결과가 d-분리되면 참입니다.
    숨은 변수도 ``edges``에 넣습니다.
    """
    import networkx as nx

    graph, adjusted = nx.DiGraph(list(edges)), set(adjusted)
    if adjusted & (nx.descendants(graph, treatment) | {treatment, outcome}):
        return False
    graph.remove_edges_from(list(graph.out_edges(treatment)))
    return nx.is_d_separator(graph, {treatment}, {outcome}, adjusted)


def implied_independencies(edges: Iterable[Edge]) -> list[tuple[str, str, tuple[str, ...]]]:
    """그래프가 약속하는 독립성. 이어지지 않은 두 변수는 뒤쪽 변수의 부모를 고정하면 독립입니다.

    Returns
    -------
    list of (str, str, tuple)
        (앞 변수, 뒤 변수, 고정할 변수). 그래프에 나오는 변수만 다룹니다.
    """
    import networkx as nx

    graph = nx.DiGraph(list(edges))
    ordered = list(nx.lexicographical_topological_sort(graph))
    return [
        (first, second, tuple(sorted(graph.predecessors(second))))
        for first, second in combinations(ordered, 2)
        if not graph.has_edge(first, second)
    ]


def markov_equivalent(first: Iterable[Edge], second: Iterable[Edge]) -> bool:
    """두 그래프가 같은 독립성을 약속하면 참. 뼈대와 이어지지 않은 부모 둘의 모임(v-구조)이 같은지 봅니다."""

    def shape(edges):
        edges = list(edges)
        skeleton = {frozenset(e) for e in edges}
        parents: dict[str, list[str]] = {}
        for cause, effect in edges:
            parents.setdefault(effect, []).append(cause)
        colliders = {
            (frozenset(pair), effect)
            for effect, causes in parents.items()
            for pair in combinations(causes, 2)
            if frozenset(pair) not in skeleton
        }
        return skeleton, colliders

    return shape(first) == shape(second)


# ── 저장된 답 ──


def saved_answers(case: str) -> dict[str, dict]:
    """저장된 답을 읽습니다. 아무 곳에도 묻지 않습니다.

    Parameters
    ----------
    case : str
        ``data/answers``의 폴더 이름.

    Returns
    -------
    dict
        파일 이름(확장자 없이) → ``provenance``(obtained 또는 composed), ``label``, ``messages``, ``reply`` 따위.

    Raises
    ------
    FileNotFoundError
        폴더가 없거나 비었을 때.
    """
    from causal_practice.data import data_dir

    folder = data_dir() / "answers" / case
    files = sorted(folder.glob("*.json"))
    if not files:
        raise FileNotFoundError(f"저장된 답이 없습니다: data/answers/{case}/*.json")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}
