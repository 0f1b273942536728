"""언어 모델에게 묻는 모듈: 행이 들어갈 길이 없고, 모든 실패가 까닭을 말하며, 점수가 손 계산과 같습니다.

묻기는 이 컴퓨터에 띄운 흉내 서버로 시험합니다. 바깥으로는 아무것도 보내지 않습니다.
"""

import inspect
import json
import re
import socket
import threading
import time
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from book.page import ROOT
from case_studies import graph_elicitation as ge
from case_studies.graph_elicitation import (
    AnswerError,
    AskError,
    Variable,
    ask,
    build_messages,
    build_pair_messages,
    read_answer,
    read_pair_answer,
)

VARIABLES = [
    Variable("rain", "비", "하루 강수량(mm)", "아침", 0),
    Variable("umbrella", "우산", "우산을 들었으면 1", "집을 나설 때", 1),
    Variable("wet", "젖음", "옷이 젖었으면 1", "회사에 닿은 때", 2),
]
QUESTION = "우산이 옷을 덜 젖게 하는지 알고 싶습니다."
GOOD = json.dumps(
    {"edges": [{"from": "rain", "to": "umbrella", "reason": "비가 오면 듭니다."}, {"from": "umbrella", "to": "wet"}]},
    ensure_ascii=False,
)


# ── 물음 ──


def test_question_holds_names_meanings_and_timing_only():
    system, user = build_messages(VARIABLES, QUESTION)
    assert (system["role"], user["role"]) == ("system", "user")
    for v in VARIABLES:
        assert all(text in user["content"] for text in (v.name, v.label, v.description, v.timing))
    assert '"order"' not in user["content"] and {f.name for f in fields(Variable)} == {
        "name",
        "label",
        "description",
        "timing",
        "order",
    }


def test_asking_in_reverse_swaps_only_the_last_line():
    there = build_pair_messages(VARIABLES, QUESTION, "rain", "wet")[1]["content"].splitlines()
    back = build_pair_messages(VARIABLES, QUESTION, "wet", "rain")[1]["content"].splitlines()
    assert there[:-1] == back[:-1] and there[-1] != back[-1]


FRAME = pd.DataFrame({"rain": [0.0, 1.0], "umbrella": [0, 1], "wet": [1, 0]})


@pytest.mark.parametrize(
    "rows",
    [
        FRAME,
        FRAME.to_numpy(),
        FRAME.to_dict(),
        FRAME["rain"],
        [FRAME],
        [FRAME["rain"], FRAME["wet"]],
        [{"rain": 1.0}],
        FRAME.to_dict("records"),
        None,
        "rain",
    ],
)
def test_no_row_of_data_can_enter_the_question(rows):
    with pytest.raises(TypeError, match="자료는 받지 않습니다"):
        build_messages(rows, QUESTION)
    with pytest.raises(TypeError, match="자료는 받지 않습니다"):
        build_pair_messages(rows, QUESTION, "rain", "wet")
    if not isinstance(rows, str):
        with pytest.raises(TypeError, match="자료는 받지 않습니다"):
            build_messages(VARIABLES, rows)


def test_module_has_no_function_that_takes_data_and_never_imports_pandas():
    source = inspect.getsource(ge)
    assert "pandas" not in source and "read_csv" not in source and "load(" not in source
    for name, function in inspect.getmembers(ge, inspect.isfunction):
        if function.__module__ == ge.__name__:
            assert not {"data", "frame", "df", "rows"} & set(inspect.signature(function).parameters), name


def test_a_variable_cannot_smuggle_a_table_in_its_description():
    with pytest.raises(ValueError, match="200자 안의 한 줄"):
        Variable("rain", "비", FRAME.to_csv(), "아침", 0)
    with pytest.raises(ValueError, match="한 줄"):
        Variable("rain", "비", "x" * 201, "아침", 0)
    with pytest.raises(ValueError, match="한 줄 글"):
        build_messages(VARIABLES, FRAME.to_csv())

    class Child(Variable):
        pass

    with pytest.raises(TypeError, match="자료는 받지 않습니다"):
        build_messages([Child("a", "가", "나", "다", 0), VARIABLES[0]], QUESTION)


@pytest.mark.parametrize(
    "bad", [{"name": "비"}, {"name": "Rain"}, {"label": " "}, {"timing": None}, {"order": 1.5}, {"order": True}]
)
def test_bad_variables_are_rejected(bad):
    with pytest.raises(ValueError, match="여야 합니다|이어야 합니다|써야 합니다"):
        Variable(**{"name": "rain", "label": "비", "description": "강수량", "timing": "아침", "order": 0} | bad)


def test_bad_questions_are_rejected():
    with pytest.raises(ValueError, match="둘 이상"):
        build_messages(VARIABLES[:1], QUESTION)
    with pytest.raises(ValueError, match="둘 이상"):
        build_messages([VARIABLES[0], VARIABLES[0]], QUESTION)
    with pytest.raises(ValueError, match="목록에 없는"):
        build_pair_messages(VARIABLES, QUESTION, "rain", "snow")
    with pytest.raises(ValueError, match="서로 다른"):
        build_pair_messages(VARIABLES, QUESTION, "rain", "rain")
    with pytest.raises(ValueError, match="500자"):
        build_messages(VARIABLES, "")


# ── 답 ──


def edges(*pairs):
    return json.dumps({"edges": [{"from": a, "to": b} for a, b in pairs]})


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"그래프입니다.\n{GOOD}\n도움이 되길 바랍니다.",
        f"<think>{{고민}}</think>{GOOD}",
        f"```\n{GOOD}",
    ],
)
def test_good_answers_are_read(text):
    answer = read_answer(text, VARIABLES)
    assert answer.edges == (("rain", "umbrella"), ("umbrella", "wet"))
    assert answer.reasons["rain", "umbrella"] == "비가 오면 듭니다." and answer.reasons["umbrella", "wet"] == ""


def test_an_empty_graph_is_an_answer():
    assert read_answer('{"edges": []}', VARIABLES).edges == ()


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("", "empty", "비어"),
        (None, "empty", "비어"),
        ("죄송하지만 도와드릴 수 없습니다.", "refusal", "거절"),
        ("I'm sorry, but I can't help with that.", "refusal", "거절"),
        ("비가 오면 우산을 듭니다.", "malformed", "JSON이 없습니다"),
        (GOOD[:60], "malformed", "깨졌습니다"),
        ("{'edges': []}", "malformed", "깨졌습니다"),
        ('{"a":' * 100_000, "malformed", "JSON"),
        ('{"graph": []}', "schema", "edges"),
        ('{"edges": {"from": "rain"}}', "schema", "edges"),
        ('{"edges": ["rain -> wet"]}', "schema", "1번째"),
        ('{"edges": [{"from": "rain", "to": 3}]}', "schema", "1번째"),
        ('{"edges": [{"from": "rain", "to": "wet", "reason": 3}]}', "schema", "reason"),
        (edges(("rain", "wet"), ("rain", "mood")), "unknown_variable", "2번째.*mood"),
        (edges(("Rain", "wet")), "unknown_variable", "Rain"),
        (edges(("wet", "wet")), "self_loop", "자기 자신"),
        (edges(("rain", "wet"), ("rain", "wet")), "duplicate", "두 번"),
        (edges(("rain", "wet"), ("wet", "rain")), "cycle", "순환.*rain.*wet"),
        (edges(("rain", "umbrella"), ("umbrella", "wet"), ("wet", "rain")), "cycle", "순환"),
    ],
)
def test_every_bad_answer_says_why(text, kind, said):
    with pytest.raises(AnswerError, match=said) as caught:
        read_answer(text, VARIABLES)
    assert caught.value.kind == kind and len(str(caught.value)) < 300


@pytest.mark.parametrize("word", ge.PAIR_ANSWERS)
def test_pair_answers(word):
    assert read_pair_answer(json.dumps({"answer": word.upper(), "reason": "…"})) == word


@pytest.mark.parametrize(
    ("text", "kind"),
    [('{"answer": "maybe"}', "schema"), ('{"answer": true}', "schema"), ("예", "malformed"), ("", "empty")],
)
def test_bad_pair_answers(text, kind):
    with pytest.raises(AnswerError) as caught:
        read_pair_answer(text)
    assert caught.value.kind == kind


# ── 흉내 서버 ──


class Stub:
    """응답을 정해 두는 서버. 받은 요청을 적어 둡니다."""

    def __init__(self):
        self.seen, self.reply = [], (200, {}, b"")
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stub.seen.append((self.path, dict(self.headers), json.loads(body)))
                status, headers, content = stub.reply() if callable(stub.reply) else stub.reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for chunk in content if not isinstance(content, bytes) else [content]:
                        self.wfile.write(chunk)
                        self.wfile.flush()
                except OSError:
                    pass

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def says(self, content, finish="stop", **extra):
        message = {"role": "assistant", "content": content} | extra
        self.reply = (
            200,
            {"Content-Type": "application/json"},
            json.dumps({"choices": [{"message": message, "finish_reason": finish}]}).encode(),
        )


@pytest.fixture
def stub(monkeypatch):
    for name in (ge.URL_VARIABLE, ge.MODEL_VARIABLE, ge.KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    server = Stub()
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_success_by_environment_variables(stub, monkeypatch):
    stub.says(GOOD)
    monkeypatch.setenv(ge.URL_VARIABLE, stub.url + "/")
    monkeypatch.setenv(ge.MODEL_VARIABLE, "small")
    monkeypatch.setenv(ge.KEY_VARIABLE, "secret")
    messages = build_messages(VARIABLES, QUESTION)
    assert read_answer(ask(messages), VARIABLES).edges == (("rain", "umbrella"), ("umbrella", "wet"))
    path, headers, body = stub.seen[0]
    assert path == "/v1/chat/completions" and headers["Authorization"] == "Bearer secret"
    assert body == {"model": "small", "messages": messages}


def test_the_live_code_on_the_case_page_runs(stub, monkeypatch):
    text = (ROOT / "case_studies" / "llm_domain_expert.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    stub.says(GOOD)
    monkeypatch.setenv(ge.URL_VARIABLE, stub.url)
    monkeypatch.setenv(ge.MODEL_VARIABLE, "small")
    names = {"variables": VARIABLES, "question": QUESTION, "build_messages": build_messages, "read_answer": read_answer}
    exec(code, names)
    assert names["live"].edges == names["live_again"].edges == (("rain", "umbrella"), ("umbrella", "wet"))
    assert [body["messages"] for _, _, body in stub.seen] == [
        build_messages(VARIABLES, QUESTION),
        build_messages(VARIABLES[::-1], QUESTION),
    ]
    for name in (ge.URL_VARIABLE, ge.MODEL_VARIABLE, ge.KEY_VARIABLE):
        assert f"export {name}=" in text


def test_arguments_win_over_the_environment_and_no_key_is_sent_when_there_is_none(stub, monkeypatch):
    stub.says("답")
    monkeypatch.setenv(ge.URL_VARIABLE, "http://127.0.0.1:9/v1")
    assert ask(build_messages(VARIABLES, QUESTION), url=stub.url + "/chat/completions", model="m", timeout=5) == "답"
    path, headers, _ = stub.seen[0]
    assert path == "/v1/chat/completions" and "Authorization" not in headers


def question(stub, **options):
    return ask(build_messages(VARIABLES, QUESTION), **({"url": stub.url, "model": "m", "timeout": 5} | options))


def test_malformed_json_from_the_model(stub):
    stub.says(GOOD[:40])
    with pytest.raises(AnswerError, match="깨졌습니다"):
        read_answer(question(stub), VARIABLES)


@pytest.mark.parametrize("marked", [{"refusal": "I can't help."}, {}])
def test_refusal(stub, marked):
    stub.says(None if marked else "죄송합니다. 도와드릴 수 없습니다.", **marked)
    with pytest.raises(AnswerError, match="거절") as caught:
        read_answer(question(stub), VARIABLES)
    assert caught.value.kind == "refusal"


def test_content_filter_is_a_refusal(stub):
    stub.says("", finish="content_filter")
    with pytest.raises(AnswerError, match="거절"):
        question(stub)


def test_time_out(stub):
    stub.reply = lambda: time.sleep(1.0) or (200, {}, b"{}")
    started = time.monotonic()
    with pytest.raises(AskError, match="0.2초 안에 답이 오지 않았습니다") as caught:
        question(stub, timeout=0.2)
    assert caught.value.kind == "timeout" and time.monotonic() - started < 0.9


def test_a_server_that_drips_is_cut_off(stub):
    def drip():
        for _ in range(40):
            time.sleep(0.05)
            yield b" "

    stub.reply = lambda: (200, {}, drip())
    started = time.monotonic()
    with pytest.raises(AskError) as caught:
        question(stub, timeout=0.3)
    assert caught.value.kind == "timeout" and time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "열쇠"),
        (403, "쓸 수 없습니다"),
        (404, "모델의 이름"),
        (429, "잠시 뒤"),
        (500, "고장"),
        (503, "고장"),
        (400, "주소"),
        (302, "주소"),
    ],
)
def test_http_errors_say_what_to_do_and_hide_the_key(stub, status, hint):
    elsewhere = {"Location": stub.url + "/elsewhere"} if status == 302 else {}
    stub.reply = status, elsewhere, json.dumps({"error": {"message": "bad key sk-123"}}).encode()
    with pytest.raises(AskError, match=hint) as caught:
        question(stub, key="sk-123")
    assert caught.value.kind == "http" and str(status) in str(caught.value) and "sk-123" not in str(caught.value)
    assert len(stub.seen) == 1, "다른 주소로 따라가면 안 됩니다."


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b'{"choices": []}', b'{"choices": [{"message": "x"}]}', b"\xff\xfe", b"1"]
)
def test_replies_of_another_shape(stub, raw):
    stub.reply = 200, {}, raw
    with pytest.raises(AskError, match="대화 완성의 꼴이 아닙니다") as caught:
        question(stub)
    assert caught.value.kind == "bad_reply"


def test_empty_cut_off_and_endless_replies(stub):
    stub.says("  ")
    with pytest.raises(AskError, match="빈 답"):
        question(stub)
    stub.says(GOOD[:30], finish="length")
    with pytest.raises(AskError, match="잘렸습니다"):
        question(stub)
    stub.reply = 200, {}, b" " * 1_100_000
    with pytest.raises(AskError, match="너무 깁니다"):
        question(stub)


def test_nobody_listens(stub):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(AskError, match="이어지지 않습니다") as caught:
        question(stub, url=f"http://127.0.0.1:{port}/v1")
    assert caught.value.kind == "connection"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": ""}, "물을 주소가 없습니다"),
        ({"url": "localhost:1234"}, "http://나 https://"),
        ({"url": "file:///etc/hosts"}, "http://나 https://"),
        ({"url": "http://[::1/v1"}, "http://나 https://"),
        ({"url": "http://회사/v1"}, "http://나 https://"),
        ({"model": ""}, "모델의 이름"),
        ({"url": "http://example.invalid/v1", "key": "k"}, "암호화되지 않은"),
        ({"key": "sk 123"}, "빈칸이나 한글"),
        ({"key": "열쇠"}, "빈칸이나 한글"),
    ],
)
def test_addresses_and_keys_are_checked_before_anything_is_sent(stub, options, said):
    with pytest.raises(AskError, match=said) as caught:
        question(stub, **options)
    assert caught.value.kind == "no_address" and not stub.seen and "sk 123" not in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [FRAME, [FRAME], [{"role": "user", "content": FRAME}], [{"role": "user", "content": "…", "rows": FRAME}], "물음"],
)
def test_only_conversations_can_be_sent(stub, bad):
    with pytest.raises(TypeError, match="build_messages"):
        ask(bad, url=stub.url, model="m")
    assert not stub.seen


@pytest.mark.parametrize("bad", [0, -1, True, "1", float("nan")])
def test_bad_time_limits(stub, bad):
    with pytest.raises(ValueError, match="timeout"):
        question(stub, timeout=bad)


# ── 점수와 그래프 ──


def test_score_by_hand():
    true = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")]
    score = ge.score_graph([("a", "b"), ("c", "b"), ("a", "d")], true)
    assert score.right == (("a", "b"),) and score.reversed == (("c", "b"),) and score.extra == (("a", "d"),)
    assert set(score.missing) == {("a", "c"), ("c", "d")}
    assert score.distance == 4 and score.precision == pytest.approx(1 / 3) and score.recall == pytest.approx(1 / 4)
    perfect, nothing = ge.score_graph(true, true), ge.score_graph([], true)
    assert (perfect.distance, perfect.precision, perfect.recall) == (0, 1, 1) and (
        nothing.distance,
        nothing.precision,
        nothing.recall,
    ) == (4, 0, 0)


def random_dag(rng, n=6):
    names = [f"x{i}" for i in range(n)]
    rng.shuffle(names)
    return [(names[i], names[j]) for i in range(n) for j in range(i + 1, n) if rng.random() < 0.4]


def test_implied_independencies_hold_in_the_graph_itself():
    rng = np.random.default_rng(1)
    for _ in range(100):
        drawn = random_dag(rng)
        graph = nx.DiGraph(drawn)
        found = ge.implied_independencies(drawn)
        assert len(found) == len(graph) * (len(graph) - 1) // 2 - len(drawn)
        for a, b, given in found:
            assert nx.is_d_separator(graph, {a}, {b}, set(given))


def test_markov_equivalence_agrees_with_all_separations():
    rng = np.random.default_rng(2)
    names, seen = list("abcd"), set()

    def separations(drawn):
        graph = nx.DiGraph(drawn)
        graph.add_nodes_from(names)
        return {
            (a, b, s) for a in names for b in names if a < b
            for s in (frozenset(c for k, c in enumerate(sorted(set(names) - {a, b})) if m >> k & 1) for m in range(4))
            if nx.is_d_separator(graph, {a}, {b}, set(s))
        }  # fmt: skip

    for _ in range(300):
        first, second = (
            [(a, b) for a, b in ((p[i], p[j]) for i in range(4) for j in range(i + 1, 4)) if rng.random() < 0.6]
            for p in (rng.permutation(names).tolist(), rng.permutation(names).tolist())
        )
        same = ge.markov_equivalent(first, second)
        seen.add(same)
        assert same == (separations(first) == separations(second))
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("adjusted", "valid"),
    [
        ((), False),
        (("x",), True),
        (("x", "m"), False),
        (("x", "after"), False),
        (("t",), False),
        (("x", "c"), False),
        (("x", "c", "u"), True),
    ],
)
def test_adjustment_sets(adjusted, valid):
    graph = [
        ("x", "t"),
        ("x", "y"),
        ("t", "m"),
        ("m", "y"),
        ("y", "after"),
        ("v", "t"),
        ("v", "c"),
        ("u", "c"),
        ("u", "y"),
    ]
    assert ge.is_valid_adjustment(graph, "t", "y", adjusted) is valid


def test_time_order():
    assert ge.time_violations([("rain", "wet"), ("wet", "rain"), ("umbrella", "rain")], VARIABLES) == [
        ("wet", "rain"),
        ("umbrella", "rain"),
    ]


def test_missing_folder_of_answers():
    with pytest.raises(FileNotFoundError, match="저장된 답이 없습니다"):
        ge.saved_answers("no_such_case")
