"""언제 죽어도, 파일이 비거나 반쪽이 되어도, 디스크가 차도 다음 `make book`은 같은 사이트를 짓습니다. 멈추라면 3초 안에 멈춥니다.

작은 책을 씁니다. 진짜 책을 50번 죽이는 일은 ``python -m benchmarks.kills``가 합니다.
"""

import os
import random
import shutil
import sys
import time
from pathlib import Path

import psutil
import pytest
from small_book import CELL, TWO, Book

STOP_WITHIN = 3.0  # 초
RANDOM_CPU = 10.0  # 아무 때나 죽이는 시험이 쓸 CPU 초
BUSY = f"""
{CELL}import os
import subprocess
import sys

open(os.environ["PYTHONPATH"].split(os.pathsep)[1] + "/_build/running", "w").close()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
while True:
    sum(range(10**7))
```
"""


class Faulty:
    """고장을 내며 짓는 작은 책."""

    def __init__(self, folder: Path):
        self.book = Book(folder)
        self.driver, self.order = self.book.driver, self.book.order
        first = self.order(do="watch")
        assert first["code"] == 0, first["said"]
        self.events = {tuple(event) for event in first["events"]}
        self.whole = self.book.hashes()

    def path(self, name: str) -> Path:
        """``_build`` 안의 파일 하나(별표를 쓸 수 있습니다)."""
        return next(iter(sorted((self.book.folder / "_build").glob(name))))

    def same_site(self) -> str:
        """다음 빌드가 성공하고 사이트가 같아야 합니다. 찍은 말을 돌려줍니다."""
        done = self.order(do="watch")
        assert done["code"] == 0, done["said"]
        now = self.book.hashes()
        assert set(now) == set(self.whole)
        assert [name for name in now if now[name] != self.whole[name]] == []
        assert not list(self.book.folder.rglob(".partial-*")), "쓰다 만 파일이 남았습니다."
        return done["said"]

    def forget_the_run(self) -> None:
        """'하나' 쪽의 실행을 지웁니다."""
        for file in (self.book.folder / "_build" / "execution").glob("one.*"):
            file.unlink()

    def age_partial_files(self) -> None:
        """쓰다 만 파일을 한 시간 지난 것으로 합니다. 막 생긴 것은 다른 빌드의 것일 수 있어 두기 때문입니다."""
        for file in (self.book.folder / "_build").rglob(".partial-*"):
            os.utime(file, (1_000_000_000, 1_000_000_000))

    def left_over(self) -> list[str]:
        """이 책을 짓던 프로세스 가운데 아직 살아 있는 것."""
        alive = []
        for process in psutil.process_iter():
            try:
                ours = str(self.book.folder) in process.environ().get("PYTHONPATH", "")
                if ours and process.pid != self.driver.pid and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(" ".join(process.cmdline()))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return alive

    def wait_until_gone(self, seconds: float = 20.0) -> None:
        """막 뜬 자식은 꾸러미를 부르고 나서야 부모가 없음을 압니다. 느린 컴퓨터에서는 몇 초가 걸립니다."""
        deadline = time.monotonic() + seconds
        while (left := self.left_over()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, left


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    faulty = Faulty(tmp_path_factory.mktemp("faulty"))
    yield faulty
    faulty.book.close()


# --- 죽임 ---


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ("os.rename", r"execution/one\..*ipynb$"),
        ("open", r"execution/.*one\..*json$"),
        ("os.rename", r"execution/one\..*json$"),
    ],
)
def test_killed_while_storing_a_run(faulty, event, path):
    faulty.forget_the_run()
    assert faulty.order(do="kill", event=event, path=path)["code"] == -9
    faulty.age_partial_files()
    faulty.same_site()


def test_killed_at_every_kind_of_write_of_the_site(faulty):
    """죽은 뒤에는 늘 '다 지은 사이트의 목록'이 없거나, 있으면 그 목록이 맞습니다. 그래서 다음 빌드가 속지 않습니다."""
    points = [
        ("os.remove", r"^site\.json$"),
        ("open", r"doctrees/environment\.pickle$"),
        ("open", r"jupyter_execute/.*png$"),
        ("open", r"html/two\.html$"),
        ("open", r"site\.json$"),
        ("os.rename", r"^site\.json$"),
        ("os.rename", r"^report\.json$"),
    ]
    listed = faulty.book.folder / "_build" / "site.json"
    for event, path in points:
        if event != "os.remove":
            listed.unlink(missing_ok=True)
        killed = faulty.order(do="kill", event=event, path=path)
        assert killed["code"] == -9, f"그 자리에 닿지 않았습니다: {path}, {killed}"
        assert not listed.exists() or event == "os.remove" or "report" in path, path
    listed.unlink()
    picture = faulty.path("jupyter_execute/*.png")  # 그림이 반쪽으로 남은 때. myst-nb는 있는 그림을 다시 쓰지 않습니다
    picture.write_bytes(picture.read_bytes()[:100])
    faulty.same_site()


def test_every_kind_of_write_is_aimed_at(faulty):
    """위의 목록에 없는 새 파일을 쓰기 시작하면 여기서 알립니다."""
    known = ("execution", "doctrees", "jupyter_execute", "html", ".lock", ".partial-", "site.json", "report.json")
    assert [path for _, path in faulty.events if not path.startswith(known)] == []


def test_killed_at_random_moments(faulty):
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    start = _cpu(faulty)
    kills = 0
    while _cpu(faulty) - start < RANDOM_CPU:
        if kills % 4 == 0:
            shutil.rmtree(faulty.book.folder / "_build")
        kills += faulty.order(do="kill", after=moments.uniform(0.0, 3.0 if kills % 4 == 0 else 1.0))["code"] == -9
        faulty.wait_until_gone()
        if kills > 30:
            break
    assert kills >= 3, "죽이기 전에 모두 끝났습니다."
    faulty.age_partial_files()
    try:
        faulty.same_site()
    except AssertionError as error:
        error.add_note(f"씨앗 {seed}, {kills}번 죽임")
        raise


def _cpu(faulty: Faulty) -> float:
    times = psutil.Process(faulty.driver.pid).cpu_times()
    return times.user + times.system + times.children_user + times.children_system


# --- 빈 파일과 반쪽 파일 ---


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"\0" * len(b)], ids=["빈", "반쪽", "영"]
)
def test_every_file_damaged_at_once(faulty, damage):
    for path in (faulty.book.folder / "_build").rglob("*"):
        if path.is_file():
            path.write_bytes(damage(path.read_bytes()))
    said = faulty.same_site()
    for name in ("one", "two"):
        assert f"{name}: 보관한 실행이 온전하지 않아 다시 실행합니다" in said


@pytest.mark.parametrize(
    "names",
    [
        ("html/one.html",),
        ("jupyter_execute/*.png", "html/_images/*.png"),
        ("doctrees/two.doctree",),
        ("doctrees/environment.pickle", "site.json"),
    ],
)
def test_a_damaged_file_of_the_site(faulty, names):
    for name in names:
        path = faulty.path(name)
        path.write_bytes(path.read_bytes()[:100])
    faulty.same_site()


# --- 디스크와 권한 ---


def test_a_full_disk_is_named_and_nothing_is_lost(faulty):
    points = [
        ("os.rename", r"execution/one\..*ipynb$"),
        ("open", r"html/two\.html$"),
        ("open", r"jupyter_execute/"),
        ("open", r"html/downloads/"),
    ]
    faulty.forget_the_run()
    for event, path in points:
        full = faulty.order(do="full", event=event, path=path)
        if "execution" in path:
            assert faulty.order(do="full", event=event, path=path)["code"] == 1, "두 번째에도 같은 까닭으로 멈춥니다."
            faulty.same_site()
            faulty.path("site.json").unlink()
        assert full["code"] == 1 and "디스크가 가득 찼습니다" in full["said"] and "Traceback" not in full["said"], (
            path,
            full["said"],
        )
        assert "경고가 가리키는 쪽" not in full["said"], (path, full["said"])
    faulty.same_site()


def test_a_folder_that_cannot_be_written_is_named(faulty):
    faulty.forget_the_run()
    for event, path in [("open", r"^\.lock$"), ("open", r"execution/"), ("open", r"html/one\.html$")]:
        denied = faulty.order(do="denied", event=event, path=path)
        assert denied["code"] == 1 and "쓸 수 없는 곳입니다" in denied["said"] and "Traceback" not in denied["said"], (
            path,
            denied["said"],
        )
        assert "BOOK_BUILD_DIR" in denied["said"]
        if "execution" in path:
            faulty.same_site()
            faulty.path("site.json").unlink()
    faulty.same_site()


# --- 멈춤 ---


@pytest.mark.parametrize(("do", "code"), [("interrupt", -2), ("terminate", -15)])
def test_stops_at_once_while_pages_run(faulty, do, code):
    """커널이 파이썬에 틈을 주지 않아도, 손자 프로세스가 있어도 모두 거둡니다."""
    with faulty.book.changed({"two.md": TWO + BUSY}):
        stopped = faulty.order(do=do, exists="running")
        assert stopped["code"] == code, stopped
        assert stopped["seconds_to_stop"] < STOP_WITHIN
        assert "이어서 합니다" in stopped["said"] and "Traceback" not in stopped["said"], stopped["said"]
        assert faulty.left_over() == []
    faulty.path("running").unlink()


@pytest.mark.parametrize(
    ("do", "code", "path"), [("interrupt", -2, r"doctrees/one\.doctree$"), ("terminate", -15, r"html/two\.html$")]
)
def test_stops_at_once_while_the_site_is_written(faulty, do, code, path):
    faulty.path("site.json").unlink()
    stopped = faulty.order(do=do, event="open", path=path)
    assert stopped["code"] == code and stopped["seconds_to_stop"] < STOP_WITHIN, stopped
    assert stopped["said"].rstrip().endswith("이어서 합니다.") and "Traceback" not in stopped["said"], stopped["said"]
    faulty.same_site()


def test_a_killed_build_takes_its_kernels_along(faulty):
    if sys.platform != "linux":
        pytest.skip("부모를 따라 죽는 것은 리눅스에서만 합니다.")
    with faulty.book.changed({"two.md": TWO + BUSY}):
        assert faulty.order(do="kill", exists="running")["code"] == -9
        deadline = time.monotonic() + 2
        while (
            left := [line for line in faulty.left_over() if "time.sleep(300)" not in line]
        ) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, left
    faulty.path("running").unlink()
    for process in psutil.process_iter():  # 페이지가 스스로 띄운 것은 kill -9까지 따라 죽지 않습니다
        try:
            if "time.sleep(300)" in " ".join(process.cmdline()) and str(faulty.book.folder) in process.environ().get(
                "PYTHONPATH", ""
            ):
                process.kill()
        except psutil.Error:
            continue


def test_a_second_build_says_what_it_waits_for(faulty):
    import fcntl

    lock = (faulty.book.folder / "_build" / ".lock").open("r+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.truncate(0)
    lock.write("4321")
    lock.flush()
    stopped = faulty.order(do="terminate", after=1.0)
    assert stopped["code"] == -15 and stopped["seconds_to_stop"] < STOP_WITHIN
    assert "다른 빌드(프로세스 4321)가 _build에 짓고 있습니다. 끝나기를 기다립니다." in stopped["said"]
    lock.close()


def test_files_follow_the_umask(faulty):
    old = os.umask(0)
    os.umask(old)
    for path in (faulty.book.folder / "_build").rglob("*"):
        if path.is_file() and "matplotlib" not in path.parts:
            assert path.stat().st_mode & 0o777 & ~0o111 == 0o666 & ~old, path
