# 사람이 알아야 할 명령은 이것이 전부입니다. `make help`로 봅니다.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
export PYTHONPATH := $(CURDIR)

.PHONY: help environment test-environment book test serve lab slides analyze analyze-init template new-case check-case checks redraw reviewed bench scale test-scale peers lock audit clean data write mutate pdf epub

help: ## 명령 목록
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# 잠금 파일대로 환경을 만듭니다. 이미 맞으면 0.1초 만에 조용히 지나갑니다.
environment:
	@$(PYTHON) -m book.commands.environment "$(VENV)"

# 시험과 검사에만 쓰는 패키지를 그 환경에 더합니다. `make book`만 쓰는 사람은 받지 않습니다.
test-environment:
	@$(PYTHON) -m book.commands.environment "$(VENV)" --test

book: environment ## 환경을 갖추고 모든 쪽을 실행해 _build/html에 사이트를 만듭니다
	@$(PY) -m book.commands.build book

test: book test-environment ## 사이트를 만들고 모든 시험을 돌립니다
	@$(PY) -m book.commands.run_tests

serve: book ## 만든 사이트를 http://127.0.0.1:8000 에서 봅니다
	@$(PY) -m book.commands.serve

lab: environment ## 그 주의 실습 노트북을 엽니다: make lab WEEK=5
	@$(PY) -m book.commands.lab --week "$(WEEK)"

slides: book ## 발표 자료를 만들고 위치를 알려 줍니다
	@find _build/html/slides -name '*.html' | sort

# 묶은 파일을 만든 뒤 사이트를 한 번 더 지어 첫 화면에 링크를 답니다. 실행은 하지 않습니다.
pdf: book test-environment ## 책 한 권의 PDF를 만들어 첫 화면에 답니다(크로뮴 필요)
	@$(PY) -m book.commands.pdf
	@$(PY) -m book.commands.build book

epub: book ## 책 한 권의 EPUB을 만들어 첫 화면에 답니다
	@$(PY) -m book.commands.epub
	@$(PY) -m book.commands.build book

analyze: environment ## 명세 하나로 분석 전체를 돌립니다: make analyze SPEC=data/example_adjustment.yml OUT=_build/report(명세가 든 폴더는 SPECS=폴더)
	@OMP_NUM_THREADS=1 $(PY) -m causal_pipeline analyze $(if $(SPECS),--specs "$(SPECS)","$(SPEC)") --out "$(OUT)" $(if $(PEERS),--peers)

analyze-init: environment ## 명세의 초안을 씁니다: make analyze-init DATA=orders.csv DESIGN=instrument OUT=orders.yml(셋 다 고를 수 있습니다)
	@$(PY) -m causal_pipeline analyze $(if $(DATA),--init "$(DATA)") $(if $(DESIGN),--design "$(DESIGN)") $(if $(OUT),--out "$(OUT)")

template: environment ## 설계의 틀(명세, 노트북, 메모, 점검표)을 폴더로 씁니다: make template DESIGN=experiment OUT=내분석
	@$(PY) -m book.commands.template "$(DESIGN)" "$(OUT)"

new-case: environment ## 새 사례의 틀을 만듭니다: make new-case NAME=kakao_push
	@$(PY) -m book.commands.new_case "$(NAME)"

data: environment ## 생성기를 고친 뒤 자료와 카드를 다시 씁니다: make data NAME=kakao_push
	@$(PY) -m book.catalog write "$(NAME)"

write: environment ## 원고를 주피터랩에서 노트북처럼 고칩니다(파일에서 오른쪽 단추 → Open With → Notebook)
	@$(PY) -m jupyter lab --ServerApp.contents_manager_class=book.page_editing.PageContents

check-case: test-environment ## 사례 하나를 점검합니다: make check-case CASE=kakao_push
	@$(PY) -m book.commands.check_case "$(CASE)" $(if $(filter no,$(RUN)),--no-run)

checks: test-environment ## 문체, 숫자, 얼개 검사를 모든 쪽에 돌립니다
	@$(PY) -m book.checks

redraw: environment ## 쪽을 다른 자료로 다시 실행해 benchmarks/redraw의 기록을 고칩니다(바뀐 쪽만)
	@$(PY) -m book.redraw

reviewed: environment ## 쪽을 쓰지 않은 사람이 읽은 글을 적습니다: make reviewed PAGE=case_studies/kakao_push BY=이름(비우면 바뀐 문단만 봅니다)
	@$(PY) -m book.reviewed $(if $(PAGE),"$(PAGE)" --by "$(BY)")

bench: test-environment ## 빌드 시간, 쪽 무게, 검색 빠르기를 재어 표를 고칩니다
	@$(PY) -m benchmarks.book

mutate: test-environment ## 잘못을 하나씩 심고 시험이 잡는지 셉니다. 이어서 할 수 있습니다: make mutate SECONDS=280 JOBS=2
	@$(PY) -m benchmarks.mutate $(if $(JOBS),--jobs $(JOBS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ALL),--all)

scale: ## 선택: 책의 환경에 Spark와 Ray를 더한 환경(.venv-scale)을 만듭니다. 자바 17이 필요합니다
	@command -v java >/dev/null || { echo "자바가 없습니다. 자바 17을 깔고 다시 하세요(예: apt-get install openjdk-17-jre-headless)."; exit 1; }
	@$(PYTHON) -m book.commands.environment .venv-scale
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install -q -p .venv-scale/bin/python -r requirements-scale.txt; \
	else \
	  .venv-scale/bin/python -m pip install -q --disable-pip-version-check -r requirements-scale.txt; \
	fi

test-scale: scale test-environment ## 선택: Spark와 Ray로 돌린 것이 한 대에서 돌린 것과 같은지 시험합니다(주간 점검이 합니다)
	@BOOK_SCALE_PYTHON="$(CURDIR)/.venv-scale/bin/python" $(PY) -m pytest -q tests/pipeline/test_pipeline_many.py tests/pages/test_netflix_compress_once.py -k "ray or spark"

peers: ## 선택: 파이프라인을 견줄 도구의 환경(.venv-peers)을 만듭니다
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --allow-existing -p "$$(command -v $(PYTHON))" .venv-peers && uv pip install -q -p .venv-peers/bin/python -r requirements-peers.txt; \
	else \
	  $(PYTHON) -m venv .venv-peers && .venv-peers/bin/python -m pip install -q --disable-pip-version-check -r requirements-peers.txt; \
	fi

# 둘째 잠금은 첫째와 겹치는 패키지를 같은 판으로 잠급니다(-c). UPGRADE_PACKAGE는 주간 점검이 핀 하나를 풀어 볼 때 씁니다.
LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(if $(UPGRADE),--upgrade) $(addprefix --upgrade-package=,$(UPGRADE_PACKAGE))
lock: ## 두 잠금을 requirements.txt와 requirements-test.txt에서 다시 만듭니다(uv 필요). UPGRADE=1이면 모두 새 판으로
	@$(LOCK) requirements.txt -o requirements.lock
	@$(LOCK) requirements-test.txt -c requirements.lock -o requirements-test.lock

audit: ## 잠근 패키지에 알려진 취약점이 있는지 봅니다(네트워크와 uv 필요)
	@uvx --quiet pip-audit@2.10.1 --strict --disable-pip --require-hashes --progress-spinner off -r requirements.lock -r requirements-test.lock

clean: ## 만든 것을 모두 지웁니다(환경은 남깁니다)
	@rm -rf _build
