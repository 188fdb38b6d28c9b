"""A second process looks at large builds and links them ahead: what comes of it is what comes without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import small

ALERT = "Hot: {kind: threshold, metric: temperature_celsius, by: [room], above: 30}"
# Runs a compile that links ahead whatever stays, and says in the end what came of that.
PROGRAM = """
import os, signal
from alertkit.build import ahead, beside, folder
from alertkit.cli import run

made = []

class Ahead(ahead.Ahead):
    def __init__(self, look, link):
        super().__init__(look, link)
        made.append(self)

def _hash(path, real=folder._hash):
    os.write(1, b"hashed\\n")  # by whichever process
    return real(path)

folder.AHEAD_FROM, folder.Ahead, folder._hash = 1, Ahead, _hash
main = os.getpid()
{before}
try:
    run()
finally:
    print("told", [one.told for one in made], "linked", [one.linked() for one in made])
"""
LINKED = "told [True] linked [True]"
DIES_LINKING = """
def _link(self, new, paths, real=folder.Folder._link):
    os.kill(os.getpid(), signal.SIGKILL) if os.getpid() != main else real(self, new, paths)
folder.Folder._link = _link
"""
DIES_AFTER_ONE = """
def _link(old, target, real=beside.link):
    real(old, target)
    os.getpid() == main or os.kill(os.getpid(), signal.SIGKILL)
beside.link = _link
"""
COPIES_HALF = """
def _link(old, target):
    with open(old, "rb") as whole, open(target, "xb") as part:
        part.write(whole.read() if os.getpid() == main else whole.read()[:100])
    os.getpid() == main or os.kill(os.getpid(), signal.SIGKILL)
beside.link = lambda old, target: os.path.exists(target) or _link(old, target)
"""
NOT_TOLD = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
DIES_LOOKING = """
def _look(self, real=folder.Folder._look):
    return os._exit(1) if os.getpid() != main else real(self)
folder.Folder._look = _look
"""


def alertkit(folder: Path, before: str = "", code: int = 0) -> list[str]:
    """What a compile says; `before` is Python that runs before it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before), "compile"], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    return done.stdout.splitlines()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def fresh(project: Path) -> dict[str, bytes]:
    """The build as a compile makes it that knows nothing of the last one."""
    build = project / "build"
    build.rename(project / "other")
    done = subprocess.run(
        [sys.executable, "-m", "alertkit", "compile", "--no-cache"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    made = tree(build)
    shutil.rmtree(build)
    (project / "other").rename(build)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three systems, compiled."""
    for system in ("one", "two", "three"):
        small(tmp_path, ALERT, system=system)
    alertkit(tmp_path)
    return tmp_path


def change(project: Path, system: str, alert: str = ALERT.replace("30", "40")) -> None:
    small(project, alert, system=system)


def test_one_file_changed_and_one_gone(project: Path) -> None:
    os.link(project / "build" / "rules" / "one.yml", project / "old.yml")
    change(project, "one")
    (project / "rules_src" / "two.yaml").unlink()
    assert alertkit(project)[-1] == LINKED
    assert tree(project / "build") == fresh(project)
    assert "> 40" in (project / "build" / "rules" / "one.yml").read_text(encoding="utf-8")
    assert "> 30" in (project / "old.yml").read_text(encoding="utf-8")  # nothing wrote through a link


def test_a_folder_that_holds_nothing_any_more_is_gone(project: Path) -> None:
    (project / "build" / "copies").mkdir()
    shutil.copy(project / "build" / "rules" / "one.yml", project / "build" / "copies")
    change(project, "one")
    said = alertkit(project)
    assert said.count("hashed") == 1 and said[-1] == LINKED
    assert {path.name for path in (project / "build").iterdir()} == {"rules", "tests"}
    assert tree(project / "build") == fresh(project)


def test_a_mistake_that_is_found_late_changes_nothing(project: Path) -> None:
    before = tree(project / "build")
    change(project, "one")
    change(project, "three", ALERT.replace("30", "hot"))
    assert alertkit(project, code=2)[-1] == LINKED
    assert tree(project / "build") == before
    change(project, "one", ALERT)
    change(project, "three", ALERT)
    said = alertkit(project)  # though all files had been linked, none is read to know that it is as it was
    assert "(unchanged)" in said[0] and "hashed" not in said


def test_a_change_that_changes_nothing(project: Path) -> None:
    spec = project / "rules_src" / "one.yaml"
    spec.write_text(spec.read_text(encoding="utf-8") + "# checked\n", encoding="utf-8")
    said = alertkit(project)
    assert "(unchanged)" in said[0] and said[-1] == LINKED
    said = alertkit(project)
    assert "(unchanged)" in said[0] and "hashed" not in said


def test_where_no_other_process_can_start(project: Path) -> None:
    change(project, "one")
    said = alertkit(project, "def fork(): raise BlockingIOError(11, 'none left')\nos.fork = fork")
    assert said[-1] == "told [] linked []"
    assert tree(project / "build") == fresh(project)


@pytest.mark.parametrize("before", [DIES_LINKING, DIES_AFTER_ONE, COPIES_HALF, DIES_LOOKING, NOT_TOLD])
def test_without_the_second_process_the_first_does_its_work(before: str, project: Path) -> None:
    change(project, "one")
    (project / "rules_src" / "two.yaml").unlink()
    assert alertkit(project, before)[-1] == "told [True] linked [False]"
    assert tree(project / "build") == fresh(project)


def test_a_build_that_somebody_writes_into_meanwhile_is_mended_in_the_next_run(project: Path) -> None:
    change(project, "one")
    rules = project / "build" / "rules" / "two.yml"
    text = rules.read_text(encoding="utf-8")
    writes = f"""
real = folder.Folder.differences
def differences(self, outputs):
    with open({str(rules)!r}, "a") as file:
        file.write("# by hand")
    return real(self, outputs)
folder.Folder.differences = differences
"""
    alertkit(project, writes.replace("{", "{{").replace("}", "}}").replace("{{str", "{str"))
    assert rules.read_text(encoding="utf-8") == text + "# by hand"
    said = alertkit(project)
    assert "(unchanged)" not in said[0] and rules.read_text(encoding="utf-8") == text


def test_nobody_waits_for_what_nobody_asked() -> None:
    program = "from alertkit.build.ahead import Ahead; print(Ahead(lambda: {'x' * 1_000_000: ''}, print).linked())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n" and "Traceback" not in done.stderr
