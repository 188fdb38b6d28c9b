"""Running programs: results, failures, and that nothing is left behind whatever ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alertkit.source import Problems
from alertkit.toolchain import Scratch, open_scratch, run, run_many, start
from alertkit.toolchain import scratch as scratch_module


def test_both_streams_come_in_order() -> None:
    problems = Problems()
    result = run(["sh", "-c", "echo a; echo b >&2; echo c; exit 3"], problems)
    assert result is not None and problems == []
    assert (result.code, result.ok, result.text) == (3, False, "a\nb\nc\n")


def test_input_env_and_a_private_tmpdir() -> None:
    command = ["sh", "-c", 'cat; echo "$X"; echo "$TMPDIR"; touch "$TMPDIR/left"']
    result = run(command, Problems(), input="in\n", env={"X": "1"})
    assert result is not None
    text, value, folder = result.text.splitlines()
    assert (text, value) == ("in", "1")
    assert Path(folder) != Path(os.environ.get("TMPDIR", "/tmp"))
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("command", "timeout", "code", "words"),
    [
        (["/no/such/program"], 9, "AK602", "No such file"),
        (["/etc/passwd"], 9, "AK602", "Permission denied"),
        (["sh", "-c", "kill -9 $$"], 9, "AK604", "SIGKILL"),
        (["sh", "-c", "echo started; sleep 60"], 0.3, "AK605", "it last said: started"),
        (["sh", "-c", "echo write x: no space left on device; exit 1"], 9, "AK606", "no room"),
    ],
)
def test_failures_are_problems(command: list[str], timeout: float, code: str, words: str) -> None:
    problems = Problems()
    assert run(command, problems, timeout=timeout) is None
    assert [p.code for p in problems] == [code]
    assert words in problems[0].message


def test_a_timeout_kills_grandchildren_too(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    assert run(["sh", "-c", f"sleep 60 & echo $! > {file}; wait"], Problems(), timeout=0.5) is None
    assert gone(int(file.read_text()))


def test_many_keep_their_order() -> None:
    problems = Problems()
    done: list[int] = []
    commands = [["sh", "-c", f"sleep 0.0{9 - i}; echo {i}"] for i in range(8)]
    commands[3] = ["/no/such/program"]
    results = run_many(commands, problems, jobs=4, on_done=lambda index, _: done.append(index))
    assert [r.text.strip() if r else None for r in results] == ["0", "1", "2", None, "4", "5", "6", "7"]
    assert sorted(done) == list(range(8))
    assert [p.code for p in problems] == ["AK602"]
    assert run_many([], problems) == []


def test_an_exception_while_many_run_ends_all_of_them(tmp_path: Path) -> None:
    def interrupt(index: int, _: object) -> None:
        raise KeyboardInterrupt

    commands = [["true"], *[["sh", "-c", f"echo $$ > {tmp_path}/{i}; sleep 60"] for i in range(5)]]
    with pytest.raises(KeyboardInterrupt):
        run_many(commands, Problems(), jobs=3, on_done=interrupt)
    assert all(gone(int(text)) for path in tmp_path.iterdir() if (text := path.read_text()))


def test_a_full_shared_memory_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scratch_module, "ROOM", 1 << 62)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Scratch() as scratch:
        assert scratch.path.parent == tmp_path


def test_no_folder_can_be_made(tmp_path: Path) -> None:
    with open_scratch(problems := Problems(), near=tmp_path / "none") as scratch:
        assert scratch is None
    assert [p.code for p in problems] == ["AK606"]


def test_a_service(tmp_path: Path) -> None:
    with Scratch() as scratch:
        service = start(["sh", "-c", "echo up; exec sleep 60"], Problems(), scratch, name="s")
        assert service is not None and service.running
        assert eventually(lambda: service.output() == "up\n")
        assert service.stop() == -signal.SIGTERM
        forgotten = start(["sleep", "60"], Problems(), scratch)
        assert forgotten is not None
    assert gone(forgotten.pid)
    assert not scratch.path.exists()


CHILD = """
import sys
from alertkit.source import Problems
from alertkit.toolchain import Scratch, run
with Scratch() as scratch:
    print(scratch.path, flush=True)
    run(["sh", "-c", "echo $$ > $TMPDIR/pid; sleep 60 & echo $! > $TMPDIR/pid2; wait"], Problems(), scratch=scratch)
print("not reached")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_signal_leaves_anything_behind(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:  # fmt: skip
        assert child.stdout is not None
        folder = Path(child.stdout.readline().strip())
        files = (folder / "pid", folder / "pid2")
        assert eventually(lambda: all(f.exists() and f.read_text().strip() for f in files))
        pids = [int(f.read_text()) for f in files]
        child.send_signal(number)
        assert child.stdout.read() == ""
        code = child.wait()
    assert code in {-number, 128 + number, 130 if number is signal.SIGINT else 128 + number}
    assert eventually(lambda: not folder.exists())
    assert all(gone(pid) for pid in pids)


def eventually(condition: object) -> bool:
    for _ in range(1000):
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def gone(pid: int) -> bool:
    """Whether a process is no more, or only a remnant that nobody has waited for."""

    def check() -> bool:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        return True

    return eventually(check)
