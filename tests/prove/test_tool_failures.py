"""When promtool itself fails, `alertkit test` says so, ends with code 3, and remembers nothing of it as passed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.toolchain import scratch
from tests.projects import small

# Enough that promtool is busy for a moment.
HOT = [
    f"Hot{n}: {{kind: threshold, metric: temperature_{n}, by: [room], above: {{warning: 30, critical: 40}}}}"
    for n in range(40)
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(small(tmp_path, *HOT))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def real() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed")
    return found


def test(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["test", *arguments], catch_exceptions=False)


test.__test__ = False  # type: ignore[attr-defined]


def instead(project: Path, monkeypatch: pytest.MonkeyPatch, script: str, version: str = "2.42.0") -> Path:
    """A promtool that answers `--version` well, and does what the script says else."""
    tools = project / "tools"
    tools.mkdir()
    path = tools / "promtool"
    path.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "promtool, version {version}"; exit 0; fi\n{script}\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    monkeypatch.setenv("ALERTKIT_TOOLS", str(tools))
    return path


def nothing_was_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real promtool has all to do."""
    real()
    monkeypatch.delenv("ALERTKIT_TOOLS", raising=False)
    done = test()
    assert done.exit_code == 0
    assert "all passed: 40 alerts" in done.output and "unchanged" not in done.output


def test_too_old(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = instead(project, monkeypatch, "exit 0", "2.41.0")
    done = test()
    assert done.exit_code == 3
    assert done.stderr == (
        f"error[AK607]: {path} is promtool 2.41.0, which is too old: 2.42 or newer is needed\n"
        "  help: run `alertkit tools install`, or set ALERTKIT_TOOLS to the folder of a newer one\n"
        "\n1 error\n"
    )


@pytest.mark.parametrize(
    ("script", "first"),
    [
        ("echo hello", "exit code 0; its first line: hello"),
        ("echo SUCCESS; echo SUCCESS", "exit code 0; its first line: SUCCESS"),
        ("echo oops >&2; exit 7", "exit code 7; its first line: oops"),
        ("exit 0", "exit code 0; its first line: -"),
    ],
    ids=["words", "too-many-verdicts", "an-error", "nothing"],
)
def test_nonsense(project: Path, monkeypatch: pytest.MonkeyPatch, script: str, first: str) -> None:
    instead(project, monkeypatch, script)
    done = test("--jobs", "1")
    assert done.exit_code == 3
    assert done.stderr == f"error[AK620]: promtool printed what alertkit cannot read\n  help: {first}\n\n1 error\n"
    nothing_was_remembered(monkeypatch)


def test_a_crash_is_that_of_one_alert(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is merged and shares a process with the alert on which promtool crashes is proven all the same."""
    # 7 reads what 8 reads, so there are several batches.
    small(project, *(line.replace("temperature_8,", "temperature_7,") for line in HOT))
    instead(
        project, monkeypatch,
        'for file in "$@"; do grep -qs "alertname: Hot7$" "$file" && printf "panic: oh\\n\\ngoroutine 1 [running]:\\n" '
        f'&& exit 2; done\nexec {real()} "$@"',
    )  # fmt: skip
    done = test("--jobs", "1")
    assert done.exit_code == 1
    assert set(re.findall(r"^demo (\w+)", done.output, re.MULTILINE)) == {"Hot7"}
    assert "promtool could not evaluate it: panic: oh" in done.output
    assert "39 alerts" not in done.output and re.search(r"cases failed: 40 alerts in 1 system", done.output)


def test_killed_in_the_middle(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real promtool is stopped as soon as it runs, and then killed."""
    log = project / "pids"
    instead(project, monkeypatch, f'echo $$ >> {log}\nexec {real()} "$@"')
    command = [sys.executable, "-m", "alertkit", "test", "--jobs", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pid = _first_promtool(log)
    os.kill(pid, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "error[AK604]: promtool was killed by SIGKILL" in said
    assert "somebody stopped it, or the machine ran out of memory" in said
    assert not list((project / "cache").rglob("proofs/*"))


def _first_promtool(log: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, IndexError, ValueError):
            pid = int(log.read_text(encoding="utf-8").split()[0])
            if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "promtool":
                os.kill(pid, signal.SIGSTOP)
                return pid
        time.sleep(0.001)
    raise AssertionError("promtool was not started")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A very small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("there is no `mount`")
    if done.returncode != 0:
        pytest.skip("mounting is not permitted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_full_disk(project: Path, disk: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Either alertkit's own files do not fit, or once they are written those of the real promtool do not."""
    fill = f"cat /dev/zero > {disk}/filling"
    if when == "before":
        subprocess.run(fill, shell=True, capture_output=True, check=False)
    else:
        instead(project, monkeypatch, f'{fill} 2> /dev/null\nexec {real()} "$@"')
    monkeypatch.setattr(scratch, "_SHM", project / "nowhere")
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    done = test("--jobs", "1")
    assert done.exit_code == 3
    words = "there is no room left(?: for .*)?" if when == "before" else "promtool had no room left for its files"
    assert re.fullmatch(
        rf"error\[AK606\]: {words}\n  help: free some space, or set TMPDIR to a larger disk\n\n1 error\n", done.stderr
    )
    assert [path.name for path in disk.iterdir()] == ["filling"]
    monkeypatch.undo()
    monkeypatch.chdir(project)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    nothing_was_remembered(monkeypatch)
