"""명령줄. 잘못이면 한국어로 무엇을 고칠지 알리고 종류마다 다른 코드로 끝냅니다(명세 2, 자료 3, 거절 4, 출력 5)."""

import argparse
import logging
import sys
import warnings
from pathlib import Path

from causal_pipeline.errors import PipelineError, cause

UNEXPECTED, FILES_BLOCKED = 1, 5


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.exit(2, f"명령을 읽을 수 없습니다: {message}\n  → `python -m causal_pipeline analyze --help`를 보세요.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m causal_pipeline", description="인과추론과 실무의 명령")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    run = commands.add_parser("analyze", help="명세 하나로 분석 전체를 돌립니다")
    run.add_argument("spec", nargs="?", help="명세 파일(.yml)")
    run.add_argument("--out", help="보고서를 쓸 폴더(--init이면 초안의 파일 이름)")
    run.add_argument("--init", metavar="CSV", help="자료의 열을 보고 주석이 달린 명세의 초안을 씁니다")
    run.add_argument("--specs", metavar="FOLDER", help="명세가 든 폴더를 모두 돌리고 모은 쪽(index.html)을 씁니다")
    run.add_argument("--workers", type=int, help="--specs와 함께: 프로세스의 수(없으면 코어의 수)")
    run.add_argument(
        "--ray", metavar="ADDRESS", help="--specs와 함께: Ray의 일꾼에 나눕니다(local, auto, 또는 클러스터의 주소)"
    )
    run.add_argument(
        "--peers", action="store_true", help="같은 대상을 다른 라이브러리로도 내어 견줍니다(몇 초가 더 듭니다)"
    )
    run.add_argument("--design", help="--init과 함께: 그 설계의 줄을 살린 초안을 씁니다. 자료가 없으면 빈 틀입니다")
    run.add_argument("--force", action="store_true", help="보관한 단계를 버리고 처음부터 돌리며, 있던 것을 덮어씁니다")
    run.add_argument("--quiet", action="store_true", help="진행 막대를 그리지 않습니다")
    run.add_argument("--debug", action="store_true", help="뜻밖의 오류에서 파이썬의 추적을 보입니다")
    return parser


def main(argv: list[str] | None = None) -> int:
    """명령을 돌리고 종료 코드를 돌려줍니다."""
    options = _parser().parse_args(argv)
    logging.disable(logging.WARNING)
    quiet = warnings.catch_warnings()
    quiet.__enter__()
    if not options.debug:  # 라이브러리의 영어 경고(없는 글꼴, 넘친 수)는 --debug에서만 보입니다
        warnings.simplefilter("ignore")
    try:
        if options.specs:
            return _many(options)
        return _draft(options) if options.init or options.design else _analyze(options)
    except PipelineError as error:
        print(f"[{error.code}] {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if options.debug:
            raise
        print(
            f"[file_error] 파일을 다루지 못했습니다: {error.filename or '이름 모름'} ({cause(error)}).\n"
            "  → 읽고 쓸 권한과 디스크의 남은 자리를 보세요.",
            file=sys.stderr,
        )
        return FILES_BLOCKED
    except Exception as error:
        if options.debug:
            raise
        print(
            f"[unexpected] 뜻밖의 오류입니다({type(error).__name__}).\n  → --debug를 붙여 다시 돌리고, 나온 글을 함께 알려 주세요.",
            file=sys.stderr,
        )
        return UNEXPECTED
    finally:
        quiet.__exit__(None, None, None)
        logging.disable(logging.NOTSET)


def _draft(options: argparse.Namespace) -> int:
    from causal_pipeline.draft import write_draft

    data, out = Path(options.init) if options.init else None, Path(options.out) if options.out else None
    path = write_draft(data, out, force=options.force, design=options.design)
    print(
        f"초안을 썼습니다: {path.as_posix()}\n  → TODO를 채운 뒤 `python -m causal_pipeline analyze {path.as_posix()} --out report`를 돌리세요."
    )
    return 0


def _many(options: argparse.Namespace) -> int:
    """폴더의 명세를 모두 돌립니다. 멈춘 명세가 있어도 0이고, 하나도 끝나지 않았으면 자료의 오류(3)입니다."""
    from causal_pipeline.errors import DataError, OutputError
    from causal_pipeline.many import INDEX, analyze_many, sentence

    if not options.out:
        raise OutputError("out_not_given", "보고서를 쓸 폴더를 적지 않았습니다.", "`--out reports`를 붙이세요.")
    rows = analyze_many(
        options.specs,
        options.out,
        workers=options.workers,
        force=options.force,
        progress=not options.quiet,
        peers=options.peers,
        ray=options.ray,
    )
    stopped = [row for row in rows if not row.grade]
    print("\n".join(sentence(rows)))
    for row in stopped[:10]:
        print(f"멈춤: {row.file} [{row.code}]", file=sys.stderr)
    print(f"모은 쪽: {(Path(options.out) / INDEX).as_posix()}")
    return DataError.exit_code if len(stopped) == len(rows) else 0


def _analyze(options: argparse.Namespace) -> int:
    from causal_pipeline.errors import OutputError, SpecError
    from causal_pipeline.memo import headline
    from causal_pipeline.run import REPORT, analyze

    if not options.spec:
        raise SpecError(
            "spec_not_given",
            "명세 파일을 적지 않았습니다.",
            "`analyze spec.yml --out report`처럼 적거나, `--init 자료.csv`로 초안을 만드세요.",
        )
    if not options.out:
        raise OutputError("out_not_given", "보고서를 쓸 폴더를 적지 않았습니다.", "`--out report`를 붙이세요.")
    analysis = analyze(
        options.spec, out=options.out, force=options.force, progress=not options.quiet, peers=options.peers
    )
    print(f"등급 {analysis.grade.letter}. {headline(analysis)}")
    print(f"보고서: {(Path(options.out) / REPORT).as_posix()}")
    return 0
