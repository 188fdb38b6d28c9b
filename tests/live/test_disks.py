"""Real disks that are full, read-only or fail in the middle: all servers run the whole old state or the whole new one.

Folders are small tmpfs mounts, which needs root; where mounting is not permitted these tests are skipped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertkit.deploy import Options
from alertkit.deploy.target import STATE
from tests.live.site import Site, running_site
from tests.servers import versions

CHOSEN = [v for v in versions("prometheus") if getattr(v, "id", "") != "2.53"]
PAGE = 4096


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


@contextlib.contextmanager
def mounted(folder: Path, pages: int = 60) -> Iterator[Path]:
    """A disk of its own; skips where that is not permitted."""
    folder.mkdir(exist_ok=True)
    try:
        run("mount", "-t", "tmpfs", "-o", f"size={pages * PAGE},mode=755", "tmpfs", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small disk cannot be mounted here: {getattr(error, 'stderr', None) or error}")
    try:
        yield folder
    finally:
        run("umount", folder)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    run("mount", "-o", "remount,ro", folder)
    try:
        yield
    finally:
        run("mount", "-o", "remount,rw", folder)


@contextlib.contextmanager
def immutable(path: Path) -> Iterator[None]:
    """A file or folder that not even root may change or replace."""
    try:
        run("chattr", "+i", path)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"chattr +i is not possible here: {getattr(error, 'stderr', None) or error}")
    try:
        yield
    finally:
        run("chattr", "-i", path)


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill a disk but for `leave` pages; the ballast, to be removed."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail - leave
    with ballast.open("wb") as stream:
        stream.write(b"x" * max(free * PAGE, 0))
    assert os.statvfs(folder).f_bavail == min(leave, free + leave)
    return ballast


@pytest.fixture(scope="module", params=CHOSEN)
def site_of_version(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The second server of the pair has its folder on a disk of its own, and so has the state."""
    root = tmp_path_factory.mktemp("disks")
    with (
        mounted(root / "two") as _,
        mounted(root / "states") as _,
        running_site(request.param, root) as site,
    ):
        yield site


@pytest.fixture
def site(site_of_version: Site) -> Iterator[Site]:
    """The old state applied, the new one built."""
    yield site_of_version.prepared()
    for ballast in site_of_version.root.rglob("ballast"):
        ballast.unlink()


def cli(site: Site) -> tuple[int, str]:
    """`alertkit apply` as a person runs it: exit code, and all that it says."""
    command = ["-m", "alertkit", "-C", site.root, "apply", "--env", "prod", "--yes", "--build", site.root / "build"]
    done = subprocess.run(
        [sys.executable, *map(str, command)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def test_a_full_disk_at_every_page(site: Site) -> None:
    """However much room is left on the second server's disk, it is all or nothing."""
    outcomes = []
    for leave in range(0, 12):
        ballast = fill(site.root / "two", leave)
        outcome, problems = site.apply()
        ballast.unlink()
        outcomes.append(outcome.state)
        if outcome.done:
            assert site.state() == "new"
            break
        assert [p.code for p in problems] == ["AK726"] and "No space left on device" in problems[0].message
        assert str(site.root / "two") in problems[0].message
        assert (outcome.state, site.state(), site.leftovers()) == ("old", "old", []), leave
    assert outcomes[0] == "old" and outcomes[-1] == "new" and len(outcomes) > 3


def test_a_full_disk_for_the_state_at_every_page(site: Site) -> None:
    folder = site.root / "states" / "prod"
    site.configure(f"    state_dir: {folder}\n")
    outcomes = []
    for leave in range(0, 40):
        shutil.rmtree(folder, ignore_errors=True)
        ballast = fill(site.root / "states", leave)
        outcome, problems = site.apply()
        ballast.unlink()
        outcomes.append(outcome.state)
        if outcome.done:
            assert site.state() == "new"
            break
        assert [p.code for p in problems] == ["AK726"] and "No space left on device" in problems[0].message
        assert site.state() == "old" and outcome.state in ("old", "unchanged"), leave
        assert site.leftovers() == []
    assert outcomes[-1] == "new" and "old" in outcomes and len(outcomes) > 8


def test_a_full_disk_says_which_state_is_in_force(site: Site) -> None:
    fill(site.root / "two")
    code, said = cli(site)
    assert code == 3
    assert "everything runs the old state, whole" in said and "AK726" in said and "No space left on device" in said
    assert site.state() == "old"


def test_the_disk_fills_up_after_the_files_are_swapped(site: Site) -> None:
    """The server refuses the new files, and no room is left to write the old ones: they come back all the same."""
    checkpoints = []

    def checkpoint(name: str) -> None:
        checkpoints.append(name)
        if name == "swapped":
            fill(site.root / "two")
            site.proxy.mode = "500"

    options = Options(patience=2, evaluated=False, checkpoint=checkpoint, on_step=site.steps.append)
    outcome, problems = site.apply(options)
    assert "swapped" in checkpoints and [p.code for p in problems] == ["AK711"]
    assert (outcome.state, site.state(), site.leftovers()) == ("old", "old", [])
    assert site.steps[-1].text.startswith("restored: the files of before are back")


KILLED = """
import os, signal, sys
from pathlib import Path
from alertkit.deploy import Options, apply
from alertkit.source import Problems
from alertkit.spec.project import read_project
def checkpoint(name):
    if name == "swapped":
        os.kill(os.getpid(), signal.SIGKILL)
apply(read_project(Path(sys.argv[1]), Problems()), "prod", Problems(), Options(checkpoint=checkpoint))
"""


def test_killed_and_the_disk_full_when_the_next_run_comes(site: Site) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(site.root)], timeout=60)
    assert site.journal.exists()
    fill(site.root / "two")
    outcome, problems = site.apply(
        Options(patience=2, evaluated=False, confirm=lambda plan: False, on_step=site.steps.append)
    )
    assert problems == [] and outcome.state == "unchanged"
    assert site.steps[0].text.startswith("undoing what was left by")
    assert site.state() == "old" and site.leftovers() == []


def test_a_read_only_folder(site: Site) -> None:
    with read_only(site.root / "two"):
        code, said = cli(site)
        assert site.state() == "old"
    assert code == 3
    assert "everything runs the old state, whole" in said and "AK726" in said and "Read-only file system" in said
    assert site.leftovers() == []
    assert cli(site)[0] == 0 and site.state() == "new"


def test_a_folder_that_becomes_read_only_after_the_swap(site: Site) -> None:
    """Nothing can bring the old file back before the disk can be written again: it is said, and the next run does."""

    def checkpoint(name: str) -> None:
        if name == "swapped":
            run("mount", "-o", "remount,ro", site.root / "two")
            site.proxy.mode = "500"

    outcome, problems = site.apply(Options(patience=2, evaluated=False, checkpoint=checkpoint))
    assert outcome.state == "unclear" and [p.code for p in problems] == ["AK711", "AK729"]
    assert str(site.root / "two" / "a.yml") in problems[1].message
    code, said = cli(site)
    assert code == 3 and "AK729" in said and "not every file or server could be brought back" in said
    run("mount", "-o", "remount,rw", site.root / "two")
    assert cli(site)[0] == 0 and site.state() == "new"
    assert site.leftovers() == []


@pytest.mark.parametrize("what", ["folder", "changed", "removed"])
def test_an_immutable_folder_or_file(site: Site, what: str) -> None:
    """A file that cannot be replaced stops the swap in its middle: the others of it go back."""
    folder = site.root / "one"
    name = {"folder": "", "changed": "a.yml", "removed": "gone.yml"}[what]
    with immutable(folder / name):
        code, said = cli(site)
        assert site.state() == "old"
    assert code == 3
    assert "everything runs the old state, whole" in said and "AK726" in said and "Operation not permitted" in said
    assert str(folder / name) in said.replace("\n", "") and site.leftovers() == []


@pytest.mark.parametrize("ready", [False, True], ids=["to be made", "there"])
def test_a_state_dir_that_cannot_be_written(site: Site, ready: bool) -> None:
    folder = site.root / "states" / f"prod-{ready}"
    if ready:
        folder.mkdir(mode=0o700)
    site.configure(f"    state_dir: {folder}\n")
    with read_only(site.root / "states"):
        code, said = cli(site)
    assert code == 3 and "nothing was changed" in said and "AK726" in said and "Read-only file system" in said
    assert site.state() == "old"


def test_a_state_dir_that_fails_at_the_very_end(site: Site) -> None:
    """Everything runs the new state and is verified: that it could not be written down is said, and made up for."""
    with contextlib.ExitStack() as stack:

        def checkpoint(name: str) -> None:
            if name == "recording":
                stack.enter_context(immutable(site.journal.parent))

        outcome, problems = site.apply(Options(patience=2, evaluated=False, checkpoint=checkpoint))
    assert outcome.state == "new" and [p.code for p in problems] == ["AK726"]
    assert "the next apply records it" in problems[0].help and site.state() == "new"
    assert site.journal.exists()
    code, said = cli(site)
    assert code == 0 and "finished what was left by" in said
    assert site.state() == "new" and site.leftovers() == []


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="root becomes somebody else by setpriv")
def test_somebody_who_may_not_write(site: Site) -> None:
    """An ordinary user without rights in the folder: what chmod forbids, which root does not feel."""
    shutil.rmtree(site.root / "one" / STATE)
    script = (
        "from pathlib import Path; import sys; from alertkit.deploy import apply; from alertkit.source import Problems;"
        "from alertkit.spec.project import read_project; root = Path(sys.argv[1]); problems = Problems();"
        "outcome = apply(read_project(root, problems), 'prod', problems);"
        "print(outcome.state, [(p.code, p.message) for p in problems])"
    )
    for parent in [site.root, *site.root.parents]:  # pytest's folders are private
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(0o711)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", sys.executable, "-c", script,
         str(site.root)],
        text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    if "ModuleNotFoundError" in done.stderr or ("Permission denied" in done.stderr and not done.stdout):
        pytest.skip(f"another user cannot run this Python: {done.stderr.splitlines()[-1]}")
    assert done.stderr == ""
    assert done.stdout.startswith("unchanged [('AK726'") and "Permission denied" in done.stdout
    assert site.state() == "old"
