"""쪽의 얼개 검사: 머리말, 제목의 차례, 추정 대상, 연습문제, 그림, 데이터, 슬라이드, 기록, 링크."""

import ast
import difflib
import math
import re
from urllib.parse import unquote, urlsplit

from book.cases import MAIN_FIGURE, METHODS, are_methods
from book.checks.code_cells import UNSEEN
from book.checks.findings import Finding
from book.checks.prose_numbers import data_cards
from book.data_calls import data_calls
from book.evening import EveningError, is_plan, slots
from book.myst import Cell, Directive, Document, parse
from book.page import ROOT, Page, read_page, toc_branches, toc_docnames
from causal_practice.answers import MOST_DECIMALS, places

ESTIMANDS = {"ATE", "ATT", "ATU", "ATO", "CATE", "LATE", "ITT", "QTE", "ATT(g,t)", "CACE"}
BUDGET = {"어절": 2400, "보이는 코드 셀": 28, "보이는 코드 줄": 200, "슬라이드": 18}  # 한 저녁에 읽고 가르칠 수 있는 장
LONGEST_READ = 40  # 장을 읽는 시간(분)
MINIMUM_SLIDES = {"chapter": 8, "case": 6}
MINIMUM_EXERCISES = {"chapter": 3, "case": 3}
SHORTEST_ALT = 15
UNWRITTEN = "아직 쓰지 않은 사례입니다"  # make new-case가 적어 두는 설명의 첫머리

_MINUTES = re.compile(r"\b\d+분")

# 이름: 종류. 종류마다의 꼴은 아래 _is_valid와 _EXAMPLES에 있습니다.
_COMMON = {"kind": "text", "description": "text"}
_OPTIONAL = {
    "draft": "bool",
    "depends": "files",
    "keywords": "texts",
    "jupytext": "map",
    "kernelspec": "map",
    "given": "map",
    "drawn_once": "text",
}
_NOTEBOOK = {"week": "week", "minutes": "minutes", "libraries": "texts", "datasets": "texts"}
REQUIRED = {
    "guide": _COMMON,
    "chapter": _COMMON | _NOTEBOOK | {"prerequisites": "texts", "question": "questions"},
    "deeper": _COMMON | _NOTEBOOK,
    "case": _COMMON | _NOTEBOOK | {
        "organisation": "text", "industry": "text", "year": "year", "source": "source", "question": "questions", "method": "methods",
        "estimand": "estimand", "treatment": "text", "outcome": "text", "unit": "text",
    },
}  # fmt: skip
ALLOWED = {
    "guide": _OPTIONAL | _NOTEBOOK | {"estimand": "estimand"},
    "chapter": _OPTIONAL | {"textbook_chapter": "number", "estimand": "estimand"},
    "deeper": _OPTIONAL | {"textbook_chapter": "number", "estimand": "estimand", "question": "questions"},
    "case": _OPTIONAL,
}
_EXAMPLES = {
    "week": "week: 5 (0에서 12까지)", "minutes": "minutes: {read: 25, practise: 40, session: 20} (장은 {read: 35, talk: 45, practise: 30, case: 20, discussion: 25}, 네 토막의 합이 120, 심화는 {read: 20, practise: 20})", "year": "year: 2019",
    "methods": f"method: [이중차분법] ({', '.join(METHODS)} 가운데에서. 더 자세한 이름은 keywords에)",
    "texts": "[이름, 이름] 꼴의 목록", "text": "비지 않은 글", "source": 'source: {title: "글의 제목", url: "https://…"}',
    "questions": "question: [1, 2] (1에서 4까지)", "estimand": f"estimand: ATT ({', '.join(sorted(ESTIMANDS))} 가운데 하나)",
    "bool": "true 또는 false", "files": "저장소에 있는 파일의 목록", "number": "수", "map": "이름: 값",
}  # fmt: skip

# 제목은 '## '로 시작하고, 앞의 번호('3. ')는 무시합니다. 식에 맞는 것이 이 차례로 있어야 합니다.
HEADINGS = {
    "chapter": [
        ("이번 주 질문", r"이번 주 질문"), ("학습 목표", r"학습 목표"), ("가정을 깨 보기", r"가정을 깨"), ("흔한 오해", r"흔한 오해"),
        ("진짜 자료로", r"진짜 자료로"), ("월요일에 쓸 세 줄", r"월요일에 쓸 세 줄"), ("연습문제", r"연습문제"), ("핵심 정리", r"핵심 정리"), ("발표와 토론", r"발표와 토론"),
        ("더 읽을거리", r"더 읽을거리"), ("이번 주 사례", r"이번 주 사례"),
    ],
    "orientation": [
        ("이번 주 질문", r"이번 주 질문"), ("학습 목표", r"학습 목표"), ("가정을 깨 보기", r"가정을 깨"), ("흔한 오해", r"흔한 오해"),
        ("연습문제", r"연습문제"), ("핵심 정리", r"핵심 정리"), ("발표와 토론", r"발표와 토론"), ("더 읽을거리", r"더 읽을거리"),
    ],
    "case": [
        ("한눈에", r"한눈에"), ("출처 카드", r"출처 카드"), ("결정", r"결정(?!\s?메모)"), ("왜 실험이 아니고 왜 예측이 아닌가", r"왜 .*(?:실험|예측|방법|기법)"),
        ("인과 질문", r"인과 질문"), ("데이터", r"데이터(?!에)"), ("그래프와 가정", r"그래프와 가정"), ("식별", r"식별"), ("추정", r"추정"),
        ("반박과 민감도", r"반박과 민감도"), ("정답 확인", r"정답 확인"), ("의사결정 메모", r"의사결정 메모"), ("내 데이터에 쓰려면", r"내 데이터에 쓰려면"),
        ("연습문제", r"연습문제"), ("토론 질문", r"토론 질문|토론"), ("참고문헌", r"참고문헌"),
    ],
    "deeper": [],
    "guide": [],
}  # fmt: skip
_IMPORT_NAMES = {"scikit-learn": "sklearn", "pyyaml": "yaml"}
_EMBEDDED = re.compile(r"data:image/[a-z+]+;base64,")


class _Checker:
    """쪽 하나를 보며 찾은 것을 모읍니다."""

    def __init__(self, page: Page, document: Document, published: set[str]):
        self.page, self.document, self.published = page, document, published
        self.path = page.path.relative_to(ROOT).as_posix()
        self.kind = page.meta.get("kind") if isinstance(page.meta.get("kind"), str) else ""
        self.found: list[Finding] = []

    def add(self, line: int, rule: str, message: str) -> None:
        self.found.append(Finding(self.path, line, message, rule))

    def meta_line(self, key: str) -> int:
        return self.document.front_matter_line(key)

    # ── 머리말 ──

    def front_matter(self) -> bool:
        """머리말을 봅니다. 쪽의 종류를 알 수 없으면 거짓을 돌려주고 나머지 검사를 멈춥니다."""
        meta = self.page.meta
        if not self.document.front_matter_end:
            self.add(
                1,
                "front-matter",
                "머리말이 없습니다 — 첫 줄부터 '---'로 감싼 머리말을 적으세요(case_studies/template.md 참고).",
            )
            return False
        if self.kind not in REQUIRED:
            self.add(
                self.meta_line("kind"),
                "front-matter",
                f"kind가 {meta.get('kind')!r}입니다 — chapter, deeper, case, guide 가운데 하나를 적으세요.",
            )
            return False
        required, allowed = REQUIRED[self.kind], REQUIRED[self.kind] | ALLOWED[self.kind]
        unknown = [str(key) for key in meta if key not in allowed]
        for key, kind in required.items():
            if key not in meta and not difflib.get_close_matches(key, unknown, n=1):  # 오타는 아래에서 알립니다
                self.add(
                    1, "front-matter", f"머리말에 '{key}'이(가) 없습니다 — {self.example(key, kind)}을(를) 더하세요."
                )
        for key, value in meta.items():
            line = self.meta_line(str(key))
            if key not in allowed:
                near = difflib.get_close_matches(str(key), allowed, n=1)
                self.add(
                    line,
                    "front-matter",
                    f"머리말의 '{key}'은(는) 모르는 이름입니다 — "
                    + (f"'{near[0]}'(으)로 고치세요." if near else "지우세요."),
                )
            elif not _is_valid(allowed[key], value):
                self.add(
                    line,
                    "front-matter",
                    f"머리말의 '{key}' 값 {value!r}이(가) 알맞지 않습니다 — {self.example(key, allowed[key])}(으)로 적으세요.",
                )
        if self.kind != "guide" and not (isinstance(meta.get("jupytext") or {}, dict) and self.page.is_notebook):
            self.add(
                1,
                "front-matter",
                "jupytext 머리말이 없어 노트북으로 실행되지 않습니다 — template.md의 jupytext와 kernelspec 줄을 옮겨 적으세요.",
            )
        self.names()
        return True

    def example(self, key: str, kind: str) -> str:
        example = _EXAMPLES[kind]
        return example if example.startswith(f"{key}:") else f"'{key}: {example}'"

    def names(self) -> None:
        name, week = self.page.path.stem, self.page.meta.get("week")
        if self.kind == "chapter":
            match = re.match(r"week(\d\d)_[a-z0-9_]+$", name)
            if not match:
                self.add(
                    1, "name", f"파일 이름이 '{name}'입니다 — week05_propensity_score처럼 weekNN_주제 꼴로 고치세요."
                )
            elif isinstance(week, int) and int(match[1]) != week:
                self.add(
                    self.meta_line("week"),
                    "name",
                    f"파일 이름은 {int(match[1])}주차인데 머리말은 {week}주차입니다 — 하나로 맞추세요.",
                )
        if self.kind == "deeper":
            self.deeper_name()
        above = (
            next((name for name, below in toc_branches() if self.page.docname in below), "")
            if self.kind == "case"
            else ""
        )
        if (match := re.match(r"chapters/week(\d\d)_", above)) and int(match[1]) != week:
            self.add(
                self.meta_line("week"),
                "name",
                f"차례(_toc.yml)에서는 {int(match[1])}주차 장 아래인데 머리말은 {week}주차입니다 — 하나로 맞추세요.",
            )
        titles = [b for b in self.document.headings() if b.level == 1]
        if len(titles) != 1:
            line = titles[1].line if titles else self.document.front_matter_end
            self.add(line, "title", f"'# 제목'이 {len(titles)}개입니다 — 머리말 다음에 하나만 두세요.")
        elif re.match(r"\d+\s*주차|심화\b", titles[0].flat.text):
            self.add(
                titles[0].line,
                "title",
                "제목이 주차나 '심화'로 시작합니다 — 지우세요. 차례(_toc.yml)의 자리에서 '5주차 심화 ·'가 저절로 붙습니다.",
            )

    # ── 제목의 차례 ──

    def headings(self) -> None:
        wanted = HEADINGS["orientation" if self.kind == "chapter" and self.page.meta.get("week") == 0 else self.kind]
        levels = {2} if self.kind == "case" else {2, 3}
        present = [
            (b.line, re.sub(r"^[\d.]+\s+|^\d+단계\.\s*", "", b.flat.text))
            for b in self.document.headings()
            if b.level in levels
        ]
        reached, previous = 0, "쪽의 처음"
        for label, pattern in wanted:
            spots = [line for line, text in present if re.match(pattern, text)] or [
                line for line, text in present if re.search(pattern, text)
            ]
            if not spots:
                self.add(
                    self._line_before_missing(reached),
                    "heading",
                    f"'{label}' 절이 없습니다 — '{previous}' 다음에 '## {label}'을(를) 더하세요.",
                )
                continue
            later = [line for line in spots if line > reached]
            if later:
                reached = later[0]
            else:
                self.add(spots[0], "heading", f"'{label}' 절의 자리가 다릅니다 — '{previous}' 다음으로 옮기세요.")
            previous = label

    def deeper_name(self) -> None:
        """심화는 weekNN_deeper이고, 그 주의 장 바로 아래에 놓이며, 장과 서로 잇습니다."""
        week = self.page.meta.get("week")
        if not isinstance(week, int):
            return  # 머리말의 잘못은 이미 알렸습니다
        if self.page.path.stem != (wanted := f"week{week:02d}_deeper"):
            message = f"파일 이름이 '{self.page.path.stem}'입니다 — 심화는 '{wanted}'로 고치세요."
            self.add(self.meta_line("week"), "name", message)
            return
        branches = dict(toc_branches())
        chapter = next((name for name, below in branches.items() if self.page.docname in below), "")
        if not re.match(rf"chapters/week{week:02d}_", chapter) or branches[chapter][0] != self.page.docname:
            message = f"차례(_toc.yml)에서 {week}주차 장의 바로 아래(첫째)에 없습니다 — 장의 sections 첫 줄로 옮기세요."
            self.add(self.meta_line("week"), "name", message)
            return
        for page, other in ((self.page.docname, chapter), (chapter, self.page.docname)):
            document = self.document if page == self.page.docname else parse(read_page(f"{page}.md").text)
            target = f"{other.split('/')[-1]}.md"
            if not any(target in piece.target for _, piece in document.pieces("link")):
                self.add(
                    1,
                    "link",
                    f"{page}.md에 [{other}]({target})로 가는 링크가 없습니다 — 장과 심화는 서로 잇습니다.",
                )

    # ── 한 저녁의 크기 ──

    def size(self) -> None:
        """장은 35분에 읽고 45분에 가르칠 수 있어야 합니다. 넘치는 것은 심화로 갑니다."""
        if self.kind != "chapter":
            return
        for name, have in measure(self.document).items():
            if have > BUDGET[name]:
                message = f"{name}이(가) {have:,}입니다(많아야 {BUDGET[name]:,}) — 곁길을 weekNN_deeper.md로 옮기세요."
                self.add(1, "size", message)
        minutes = self.page.meta.get("minutes")
        if isinstance(minutes, dict) and isinstance(minutes.get("read"), int) and minutes["read"] > LONGEST_READ:
            message = f"읽는 데 {minutes['read']}분이라고 적혀 있습니다(많아야 {LONGEST_READ}분) — 줄이거나 고치세요."
            self.add(self.meta_line("minutes"), "size", message)
        plans = [d for d in self.document.directives if d.name == "evening"]
        if len(plans) != 1:
            message = (
                f"{{evening}}이 {len(plans)}개입니다 — '발표와 토론'에 ':::{{evening}}' 하나로 두 시간의 일을 적으세요."
            )
            self.add(plans[1].line if plans else 1, "size", message)
            return
        try:
            slots(minutes, plans[0].body.split("\n"))
        except EveningError as error:
            self.add(plans[0].line, "size", str(error))

    def _line_before_missing(self, reached: int) -> int:
        """빠진 절이 들어갈 자리: 마지막으로 찾은 절의 다음 제목."""
        return next(
            (b.line for b in self.document.headings() if b.line > reached and b.level == 2), len(self.document.lines)
        )

    # ── 추정 대상 ──

    def estimand(self) -> None:
        promised = self.page.meta.get("estimand")
        claims = [(line, call) for cell in self.document.cells for line, call in cell.calls("validate", "record_claim")]
        validations = [line for cell in self.document.cells for line, _ in cell.calls("validate", "record_validation")]
        if self.kind == "case" or promised:
            for name, have in (("record_claim", claims), ("record_validation", validations)):
                if not have:
                    message = f"validate(…)도 {name}(…)도 없습니다 — '정답 확인' 절에서 validate를 부르세요(template.md 참고)."
                    self.add(self.meta_line("estimand"), "claim", message)
        if not isinstance(promised, str):
            return
        word = re.compile(rf"(?<![A-Za-z]){re.escape(promised)}(?![A-Za-z])")
        if not any(word.search(b.raw) for b in self.document.blocks if b.kind != "heading"):
            self.add(
                self.meta_line("estimand"),
                "estimand",
                f"머리말의 추정 대상 {promised}이(가) 본문에 나오지 않습니다 — 본문에서 무엇을 추정하는지 적으세요.",
            )
        said = []
        for line, call in claims:
            value = next((k.value for k in call.keywords if k.arg == "estimand"), None)
            if value is None:
                name = ast.unparse(call.func)
                self.add(line, "estimand", f'{name}에 estimand가 없습니다 — estimand="{promised}"를 적으세요.')
            elif isinstance(value, ast.Constant):
                said.append((line, value.value))
        if said and promised not in {value for _, value in said}:
            line, value = said[0]
            self.add(
                line,
                "estimand",
                f"머리말의 추정 대상은 {promised}인데 코드는 {value}를 추정했다고 적었습니다 — 무엇을 추정했는지 보고 하나로 맞추세요.",
            )

    # ── 연습문제 ──

    def exercises(self) -> None:
        doc = self.document
        exercises = [d for d in doc.directives if d.name == "exercise"]
        if self.kind in MINIMUM_EXERCISES and len(exercises) < MINIMUM_EXERCISES[self.kind]:
            line = next((b.line for b in doc.headings() if "연습문제" in b.raw), 1)
            self.add(
                line, "exercise", f"연습문제가 {len(exercises)}개입니다 — {MINIMUM_EXERCISES[self.kind]}개 이상 두세요."
            )
        for i, exercise in enumerate(exercises):
            until = exercises[i + 1].line if i + 1 < len(exercises) else len(doc.lines) + 1
            until = min([until, *(b.line for b in doc.headings() if b.level <= 2 and b.line > exercise.line)])
            self.one_exercise(exercise, until)
        self.solutions_are_not_needed_later()
        self.visible_code_stands_alone()

    def one_exercise(self, exercise: Directive, until: int) -> None:
        doc, name = self.document, exercise.argument or "연습"
        match = re.match(r"연습 (\d+)\.\s*\S", exercise.argument)
        if not match:
            self.add(
                exercise.line,
                "exercise",
                f"연습문제의 제목이 '{exercise.argument}'입니다 — '연습 1. 제목' 꼴로 적으세요.",
            )
            return
        number = match[1]
        cells = [c for c in doc.cells if exercise.line < c.line < until]
        solution = next((c for c in cells if "solution" in c.tags), None)
        if solution is None:
            self.add(
                exercise.line,
                "exercise",
                f"'{name}'에 정답 셀이 없습니다 — 꼬리표 [solution, hide-cell]을 단 셀에서 answer_{number}을(를) 구하세요.",
            )
        elif f"answer_{number}" not in _assigned(solution):
            self.add(
                solution.first,
                "exercise",
                f"정답 셀이 answer_{number}에 값을 넣지 않습니다 — 'answer_{number} = …'을 적으세요.",
            )
        if not any(d.name == "solution" and exercise.line < d.line < until for d in doc.directives):
            self.add(
                exercise.line,
                "exercise",
                f"'{name}'에 풀이가 없습니다 — 정답 셀 다음에 ':::{{solution}}' 블록을 두세요.",
            )
        checks = [(line, call) for c in cells if "self-check" in c.tags for line, call in c.calls("check_answer")]
        if not checks:
            self.add(
                exercise.line,
                "exercise",
                f"'{name}'에 자기 점검이 없습니다 — 꼬리표 [self-check]를 단 셀에서 check_answer를 부르세요.",
            )
        asked = "\n".join(doc.lines[exercise.line - 1 : exercise.end])
        for line, call in checks:
            self.decimals(line, call, name, asked)
            wrong = next((k.value for k in call.keywords if k.arg == "wrong"), None)
            if wrong is None or (isinstance(wrong, ast.Dict) and not wrong.keys):
                self.add(
                    line,
                    "exercise",
                    f'\'{name}\'의 자기 점검에 흔한 오답이 없습니다 — wrong={{"이름": (값, "무엇과 헷갈렸는지")}}를 더하세요.',
                )
            label = call.args[0] if call.args else None
            if isinstance(label, ast.Constant) and label.value != f"연습 {number}":
                self.add(
                    line, "exercise", f"자기 점검의 이름이 '{label.value}'입니다 — '연습 {number}'(으)로 고치세요."
                )

    def decimals(self, line: int, call: ast.Call, name: str, asked: str) -> None:
        """계산한 정답은 소수 몇째 자리까지 답할지 문제와 점검이 같은 자리를 말합니다."""
        given = {k.arg: k.value for k in call.keywords}
        expected = given.get("expected", call.args[2] if len(call.args) > 2 else None)
        if "decimals" not in given:
            if expected is not None and not _is_literal(expected):
                message = f"'{name}'의 정답을 계산하는데 자릿수가 없습니다 — tol 대신 decimals=2처럼 적고 문제에도 '소수점 둘째 자리까지'를 적으세요."
                self.add(line, "decimals", message)
            return
        value = getattr(given["decimals"], "value", None)
        if value not in range(1, MOST_DECIMALS + 1):
            return
        wanted = places(value)
        if not re.search(wanted.replace("소수점", "소수점?"), asked):
            message = f"'{name}'의 점검은 decimals={value}인데 문제에 그 말이 없습니다 — 문제에 '{wanted}까지 답하세요'를 적으세요."
            self.add(line, "decimals", message)

    def solutions_are_not_needed_later(self) -> None:
        """학습자용 노트북에는 정답 셀이 없습니다. 다른 셀이 정답 셀의 이름에 기대면 거기서 멈춥니다."""
        own, lost = set(), {}
        for cell in self.document.cells:
            if "solution" in cell.tags:
                lost |= {
                    name: cell.first for name in _assigned(cell) if not name.startswith("answer_") and name not in own
                }
                continue
            defined_here = _assigned(cell)
            for name, line in sorted(_used(cell).items()):
                if name in lost and name not in defined_here:
                    self.add(
                        line,
                        "exercise",
                        f"정답 셀에서 만든 '{name}'을(를) 씁니다 — 학습자용에는 정답 셀이 없으니 이 셀에서 다시 만드세요.",
                    )
            own |= defined_here
            lost = {name: line for name, line in lost.items() if name not in defined_here}

    def visible_code_stands_alone(self) -> None:
        """쪽에서 코드를 옮겨 적는 사람은 지운 셀을 볼 수 없습니다. 보이는 셀은 보이는(접은 것까지) 이름만 씁니다."""
        seen, removed = set(), {}
        for cell in self.document.cells:
            made = _assigned(cell)
            if {"remove-cell", "remove-input"} & set(cell.tags):
                removed |= {name: cell.first for name in made if name not in seen}
                continue
            for name, line in sorted(_used(cell).items()):
                if name in removed and name not in seen and name not in made:
                    self.add(
                        line,
                        "removed-name",
                        f"'{name}'은(는) 지운 셀({removed[name]}번째 줄)에서만 만듭니다. 코드를 옮겨 적으면 멈춥니다 — 보이는 셀에서 만드세요.",
                    )
            seen |= made

    # ── 그림 ──

    def figures(self) -> None:
        chosen = [cell for cell in self.document.cells if MAIN_FIGURE in cell.tags]
        if self.kind == "case" and len(chosen) != 1:
            self.add(
                chosen[1].line if chosen else 1,
                "main-figure",
                f"{MAIN_FIGURE} 꼬리표가 달린 셀이 {len(chosen)}개입니다 — 사례를 한눈에 보일 그림 하나를 골라 그 셀의 tags에 적으세요.",
            )
        for cell in self.document.cells:
            if _draws(cell) and "remove-cell" not in cell.tags and "remove-output" not in cell.tags:
                if not cell.alt:
                    self.add(
                        cell.line,
                        "alt",
                        '그림에 대체 텍스트가 없습니다 — 셀 첫머리에 :mystnb: {image: {alt: "무엇을 보아야 하는지"}}를 적으세요.',
                    )
                elif len(cell.alt) < SHORTEST_ALT:
                    self.add(
                        cell.line,
                        "alt",
                        f"대체 텍스트 '{cell.alt}'가 너무 짧습니다 — 그림에서 무엇을 보아야 하는지 한 문장으로 적으세요.",
                    )
        for directive in self.document.directives:
            if directive.name in {"figure", "image"} and not str(directive.options.get("alt") or "").strip():
                self.add(
                    directive.line,
                    "alt",
                    f"{directive.name}에 대체 텍스트가 없습니다 — ':alt: 무엇을 보아야 하는지'를 더하세요.",
                )
        for line, image in self.document.pieces("image"):
            if not image.text.strip():
                self.add(line, "alt", "그림에 대체 텍스트가 없습니다 — ![무엇을 보아야 하는지](그림) 꼴로 적으세요.")

    # ── 데이터와 라이브러리 ──

    def datasets(self) -> None:
        promised = self.page.meta.get("datasets")
        promised = [str(n) for n in promised] if isinstance(promised, list) else []
        line, cards = self.meta_line("datasets"), data_cards()
        loaded: dict[str | None, int] = {}
        for name, at in data_calls(self.document.cells):
            loaded.setdefault(name, at)
        dynamic = loaded.pop(None, None) is not None
        for name in promised:
            if name not in loaded and not dynamic:
                self.add(
                    line,
                    "dataset",
                    f"머리말의 데이터 '{name}'을(를) 쪽이 쓰지 않습니다 — load(\"{name}\")로 쓰거나 머리말에서 빼세요.",
                )
        for name, at in loaded.items():
            if name not in promised:
                self.add(
                    at,
                    "dataset",
                    f"'{name}' 데이터를 쓰지만 머리말의 datasets에 없습니다 — datasets에 '{name}'을(를) 더하세요.",
                )
        for name in sorted({*promised, *loaded}):
            where = loaded.get(name, line)
            if name not in cards:
                near = difflib.get_close_matches(name, cards, n=1)
                self.add(
                    where,
                    "dataset",
                    f"'{name}' 데이터의 카드가 data/catalog.yml에 없습니다 — "
                    + (f"혹시 '{near[0]}'인가요?" if near else "카드를 적으세요."),
                )
                continue
            for part in (f"data/{name}.csv", f"data/generators/{name}.py"):
                if not (ROOT / part).is_file():
                    self.add(
                        where,
                        "dataset",
                        f"'{name}' 데이터의 파일 {part}가 없습니다 — 생성기를 두고 `make data NAME={name}`을 실행하세요.",
                    )
        for name, card in (
            cards.items() if self.page.is_notebook else ()
        ):  # 코드가 없는 쪽의 자료는 본보기 명세가 씁니다
            if isinstance(card, dict) and card.get("source_page") == self.page.docname and name not in promised:
                self.add(
                    line,
                    "dataset",
                    f"데이터 카드 '{name}'은 이 쪽의 것인데 머리말의 datasets에 없습니다 — 더하거나 카드의 source_page를 고치세요.",
                )

    def libraries(self) -> None:
        promised = self.page.meta.get("libraries")
        imported = set()
        for cell in self.document.cells:
            for node in cell.nodes:
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    imported.add(node.module.split(".")[0])
        for name in promised if isinstance(promised, list) else []:
            module = _IMPORT_NAMES.get(str(name), str(name)).replace("-", "_")
            if module not in imported:
                self.add(
                    self.meta_line("libraries"),
                    "library",
                    f"머리말의 라이브러리 '{name}'을(를) 쪽이 불러오지 않습니다 — 쓰거나 머리말에서 빼세요.",
                )

    # ── 슬라이드, 안내 상자, 코드, 링크, 출력 ──

    def guidance(self) -> None:
        """템플릿의 안내 상자와 새 사례의 첫 설명은 초안에만 남을 수 있습니다."""
        if self.kind == "case" and not self.page.meta.get("draft") and self.page.docname != "case_studies/template":
            if str(self.page.meta.get("description") or "").startswith(UNWRITTEN):
                message = (
                    "새 사례의 설명이 그대로입니다 — 무엇을 정하는 이야기인지 한두 문장으로 적고 '# 제목'도 고치세요."
                )
                self.add(self.meta_line("description"), "guidance", message)
            for directive in self.document.directives:
                if directive.name == "admonition" and directive.argument == "안내":
                    self.add(
                        directive.line,
                        "guidance",
                        "템플릿의 안내 상자가 남아 있습니다 — 내용을 쓰고 상자를 지우세요. 아직 초안이면 머리말에 draft: true를 적으세요.",
                    )

    def figure_slides(self) -> None:
        """그림이 있는 장마다 발표자 노트가 있고, 노트에 걸리는 분이 적혀 있는지."""
        figures = [c for c in self.document.cells if c.alt and {"slide", "slide-output"} & set(c.tags)]
        starts = [d.line for d in self.document.directives if d.name == "slide"]
        starts += [c.line for c in self.document.cells if "slide-new" in c.tags]
        notes = [d for d in self.document.directives if d.name == "notes"]
        for cell in figures:
            first = max((line for line in starts if line <= cell.line), default=1)
            last = min((line for line in starts if line > cell.line), default=math.inf)
            said = [note for note in notes if first < note.line < last]
            if not said:
                self.add(
                    cell.line,
                    "notes",
                    "그림이 있는 장에 발표자 노트가 없습니다 — 셀 바로 뒤에 ':::{notes} 장의 제목'을 두고, 걸리는 분, 물을 것, 잘못 읽기 쉬운 것을 적으세요.",
                )
            elif not any(_MINUTES.search(note.body) for note in said):
                self.add(
                    said[0].line,
                    "notes",
                    "그림의 노트에 걸리는 시간이 없습니다 — '3분.'처럼 분을 적으세요. 발표자가 어디를 줄일지 정합니다.",
                )

    def slides(self) -> None:
        self.figure_slides()
        need = MINIMUM_SLIDES.get(self.kind)
        if not need:
            return
        blocks = [d for d in self.document.directives if d.name == "slide"]
        fresh = [c for c in self.document.cells if "slide-new" in c.tags]
        if len(blocks) + len(fresh) < need:
            self.add(
                1,
                "slide",
                f"슬라이드가 {len(blocks) + len(fresh)}장입니다 — ':::{{slide}} 제목' 블록과 slide-new 꼬리표로 {need}장 이상 만드세요.",
            )
        for block in blocks:
            if not block.argument:
                self.add(block.line, "slide", "슬라이드에 제목이 없습니다 — ':::{slide} 제목' 꼴로 적으세요.")
            elif "{glue:" in block.argument:
                self.add(
                    block.line,
                    "slide",
                    "슬라이드의 제목에 묶인 값을 부르면 글자 그대로 보입니다 — 값은 슬라이드의 본문으로 옮기세요.",
                )

    def code(self) -> None:
        for cell in self.document.cells:
            if cell.tree is None:
                self.add(cell.first, "code", "코드 셀을 파이썬으로 읽지 못했습니다 — 괄호와 들여쓰기를 확인하세요.")
        for directive in self.document.directives:
            if not directive.closed:
                self.add(
                    directive.line,
                    "fence",
                    f"'{directive.name}' 블록이 닫히지 않았습니다 — 여는 줄과 같은 수의 ':' 또는 '`'로 닫으세요.",
                )

    def links(self) -> None:
        for line, piece in self.document.pieces("link", "image", "role"):
            if piece.kind != "role":
                self.one_link(line, piece.target)
            elif piece.name == "doc":
                named = re.fullmatch(r".*<([^<>]+)>\s*", piece.text, re.DOTALL)
                self.one_link(line, f"{named[1] if named else piece.text}.md")
        for directive in self.document.directives:
            target = str(directive.options.get("link") or "").strip()
            if target and directive.options.get("link-type") == "doc":
                self.one_link(directive.line, f"{target}.md")

    def one_link(self, line: int, target: str) -> None:
        parts = urlsplit(target)
        if parts.scheme or target.startswith(("#", "//")) or not parts.path:
            return
        base = ROOT if parts.path.startswith("/") else self.page.path.parent
        file = (base / unquote(parts.path).lstrip("/")).resolve()
        if not file.exists() and not file.suffix:
            file = file.with_suffix(".md")
        if not file.is_relative_to(ROOT.resolve()) or not file.exists():
            self.add(
                line, "link", f"링크의 파일 '{parts.path}'이(가) 없습니다 — 경로를 이 쪽에서 본 상대 경로로 고치세요."
            )
        elif file.suffix == ".md" and self.published and self.page.docname in self.published:
            name = file.relative_to(ROOT.resolve()).with_suffix("").as_posix()
            if name not in self.published:
                self.add(line, "link", f"'{parts.path}'은(는) 차례에 없는 쪽입니다 — _toc.yml에 싣거나 링크를 빼세요.")

    def outputs(self) -> None:
        beside = self.page.path.with_suffix(".ipynb")
        if beside.exists():
            self.add(1, "output", f"{beside.name}가 함께 있습니다 — 원고는 .md 하나입니다. 노트북 파일을 지우세요.")
        for number, line in enumerate(self.document.lines, 1):
            if _EMBEDDED.search(line):
                self.add(number, "output", "그림이 글자로 박혀 있습니다 — 그림은 실행할 때 만드세요. 이 줄을 지우세요.")
            elif re.match(r"^(?:Out|In) ?\[\d+\]:", line):
                self.add(number, "output", "실행 결과를 붙여 넣었습니다 — 결과는 빌드가 만듭니다. 이 줄을 지우세요.")

    def run(self) -> list[Finding]:
        self.outputs()
        if self.front_matter():
            self.headings()
            self.size()
            self.estimand()
            self.exercises()
            self.figures()
            self.datasets()
            self.libraries()
            self.slides()
            self.guidance()
            self.code()
            self.links()
        return sorted(self.found)


def measure(document: Document) -> dict[str, int]:
    """쪽의 크기: 어절(발표자 노트는 빼고), 펼쳐 보이는 코드의 셀과 줄(빈 줄은 빼고), 슬라이드."""
    shown = [cell for cell in document.cells if not UNSEEN & set(cell.tags)]
    words = (len(b.raw.split()) for b in document.blocks if b.kind in {"paragraph", "item"} and "notes" not in b.inside)
    slides = [d for d in document.directives if d.name == "slide"]
    slides += [cell for cell in document.cells if "slide-new" in cell.tags]
    lines = sum(bool(line.strip()) for cell in shown for line in cell.source.splitlines())
    return {"어절": sum(words), "보이는 코드 셀": len(shown), "보이는 코드 줄": lines, "슬라이드": len(slides)}


def _is_literal(node: ast.expr) -> bool:
    """적힌 그대로의 값이거나 정수로 만든 값이면 참. 자릿수를 말하지 않아도 되는 정답입니다."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"int", "len"} or (node.func.id == "round" and len(node.args) == 1)
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _is_valid(kind: str, value) -> bool:
    texts = isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value)
    number = isinstance(value, int) and not isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str) and bool(value.strip())
    if kind == "texts":
        return texts
    if kind == "methods":
        return are_methods(value)
    if kind == "files":
        return texts and all((ROOT / v).is_file() for v in value)
    if kind == "week":
        return number and 0 <= value <= 12
    if kind == "year":
        return number and 1950 <= value <= 2100
    if kind == "number":
        return number
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "map":
        return isinstance(value, dict)
    if kind == "minutes":
        return is_plan(value) or (
            isinstance(value, dict)
            and set(value) in ({"read", "practise", "session"}, {"read", "practise"})
            and all(isinstance(v, int) and v > 0 for v in value.values())
        )
    if kind == "source":
        return (
            isinstance(value, dict)
            and bool(str(value.get("title") or "").strip())
            and str(value.get("url") or "").startswith(("https://", "http://"))
        )
    if kind == "questions":
        return isinstance(value, list) and bool(value) and all(isinstance(v, int) and 1 <= v <= 4 for v in value)
    if kind == "estimand":
        return isinstance(value, str) and value in ESTIMANDS
    raise AssertionError(kind)


def _assigned(cell: Cell) -> set[str]:
    """셀이 맨 바깥에서 만드는 이름(함수 안은 빼고, 반복문과 with 안은 넣습니다)."""
    names: set[str] = set()

    def visit(node) -> None:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
            return
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            return
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        for child in ast.iter_child_nodes(node):
            visit(child)

    if cell.tree:
        visit(cell.tree)
    return names


def _used(cell: Cell) -> dict[str, int]:
    """셀이 읽는 이름 → 줄 번호."""
    used: dict[str, int] = {}
    for node in cell.nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.setdefault(node.id, cell.first + node.lineno - 1)
    return used


def _draws(cell: Cell) -> bool:
    """셀이 그림을 내놓으면 참. 함수를 정의하기만 하는 것은 그림이 아닙니다."""

    def visit(node) -> bool:
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            return False
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in {"draw_graph", "subplots", "subplot_mosaic"} or (
                name == "show" and ast.unparse(node.func) == "plt.show"
            ):
                return True
        return any(visit(child) for child in ast.iter_child_nodes(node))

    return bool(cell.tree) and visit(cell.tree)


def check(page: Page, document: Document | None = None, published: set[str] | None = None) -> list[Finding]:
    """쪽 하나의 얼개를 검사합니다. 차례에 실린 쪽의 이름은 주지 않으면 _toc.yml에서 읽습니다."""
    document = document or parse(page.text)
    published = set(toc_docnames()) if published is None else published
    return _Checker(page, document, published).run()
