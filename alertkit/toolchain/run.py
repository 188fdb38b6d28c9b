"""Running external programs, one or many at once, and what can go wrong with that as problems.

Nothing else in alertkit starts a process. An exit code other than 0 is the caller's business; a program that cannot
start, is killed, takes too long or has no room for its files is a problem (AK602 to AK606).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertkit.source import Problem, Problems
from alertkit.toolchain.scratch import Scratch

Command = Sequence[str | Path]

# Bytes on a disk that is full for all that promtool writes at once.
HARDLY_ANYTHING = 1024 * 1024
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ran to its end: exit `code`, what it wrote to both streams as `text`, how long in `seconds`."""

    command: tuple[str, ...]
    code: int
    text: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def crashed(self) -> bool:
        """A Go program that died of a bug of its own, whatever its exit code."""
        return self.code != 0 and ("\ngoroutine " in self.text or self.text.startswith("panic:"))


@contextlib.contextmanager
def open_scratch(problems: Problems, near: Path | None = None) -> Iterator[Scratch | None]:
    """A `Scratch`, or None and a problem when no temporary folder can be made."""
    with contextlib.ExitStack() as stack:
        scratch: Scratch | None = None
        try:
            scratch = stack.enter_context(Scratch(near))
        except OSError as error:
            where = f" in {near}" if near else ""
            problems.add(
                "AK606", f"no temporary folder can be made{where}: {error.strerror or error}",
                help="free some space, or set TMPDIR to a folder that you may write to",
            )  # fmt: skip
        yield scratch


def run(
    command: Command,
    problems: Problems,
    *,
    timeout: float = 60.0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: str | None = None,
    scratch: Scratch | None = None,
) -> Finished | None:
    """Run one program to its end, at most `timeout` seconds; None and a problem when it did not get there.

    `env` is added to the environment; `input` is its standard input (empty if None). It runs with a TMPDIR of its own,
    that of `scratch` if given.
    """
    with contextlib.ExitStack() as stack:
        if scratch is None:
            scratch = stack.enter_context(open_scratch(problems))
            if scratch is None:
                return None
        return _settle(_run(scratch, _words(command), timeout, cwd, env, input), problems)


def run_many(
    commands: Sequence[Command],
    problems: Problems,
    *,
    jobs: int | None = None,
    timeout: float = 60.0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    scratch: Scratch | None = None,
    on_done: Callable[[int, Finished | None], None] | None = None,
) -> list[Finished | None]:
    """Run several programs, `jobs` (all usable cores) at a time; results and problems in the order of `commands`.

    Each may use its share of the cores: a Go program that has the others for its garbage collector slows those who
    work there (a sixth of promtool's time). `on_done` is called in this thread as each one ends, with its index.
    Ctrl-C kills all of them.
    """
    from concurrent.futures import ThreadPoolExecutor, as_completed

    found: list[Finished | Problem | None] = [None] * len(commands)
    with contextlib.ExitStack() as stack:
        if scratch is None:
            scratch = stack.enter_context(open_scratch(problems))
            if scratch is None:
                return [None] * len(commands)
        cores = usable_cores()
        together = max(1, min(jobs or cores, len(commands)))
        env = {"GOMAXPROCS": str(max(1, cores // together)), **(env or {})}
        pool = stack.enter_context(ThreadPoolExecutor(together))
        # Called before the pool waits for its threads, so that they have nothing left to wait for.
        stack.push(lambda kind, _error, _trace: scratch.cancel() if kind else None)
        futures = {
            pool.submit(_run, scratch, _words(command), timeout, cwd, env, None): index
            for index, command in enumerate(commands)
        }
        for future in as_completed(futures):
            index = futures[future]
            found[index] = result = future.result()
            if on_done:
                on_done(index, result if isinstance(result, Finished) else None)
    return [_settle(result, problems) for result in found if result is not None]


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Service:
    """A program that keeps running, such as a server, until `stop` or the end of its scratch.

    Its output goes to the file `log`.
    """

    def __init__(self, scratch: Scratch, process: subprocess.Popen[bytes], log: Path) -> None:
        self._scratch = scratch
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text("utf-8", "replace")

    def signal(self, number: int) -> None:
        """Send a signal to it and to what it started."""
        self._scratch.kill(self._process, number)

    def stop(self, patience: float = 5.0) -> int:
        """Ask it to end, kill it after `patience` seconds; returns its exit code."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
        code = self._process.wait()
        self._scratch.forget(self._process)
        return code


def start(
    command: Command,
    problems: Problems,
    scratch: Scratch,
    *,
    name: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Service | None:
    """Start a server; its output goes to `<name>.log` in the scratch folder. None and a problem if it cannot."""
    words = _words(command)
    log = scratch.path / f"{name or Path(words[0]).name}.log"
    try:
        with log.open("ab") as stream:
            process = scratch.popen(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, output=stream)
    except OSError as error:
        problems.append(_not_started(words[0], error))
        return None
    return Service(scratch, process, log)


def _words(command: Command) -> list[str]:
    return [str(word) for word in command]


def _settle(result: Finished | Problem, problems: Problems) -> Finished | None:
    if isinstance(result, Problem):
        problems.append(result)
        return None
    return result


def _run(
    scratch: Scratch, words: list[str], timeout: float, cwd: Path | None, env: Mapping[str, str] | None,
    input: str | None,
) -> Finished | Problem:  # fmt: skip
    began = time.monotonic()
    try:
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        process = scratch.popen(words, cwd=cwd, env=env, stdin=stdin, output=subprocess.PIPE)
    except OSError as error:
        return _not_started(words[0], error)
    sent = None if input is None else input.encode()
    timed_out = False
    try:
        with process:
            try:
                raw, _ = process.communicate(sent, timeout=timeout)
            except subprocess.TimeoutExpired:
                timed_out = True
                scratch.kill(process)
                raw, _ = process.communicate()
            except BaseException:
                scratch.kill(process)
                raise
    finally:
        scratch.forget(process)
    text = raw.decode("utf-8", "replace")
    name = Path(words[0]).name
    if timed_out:
        said = f"; it last said: {last}" if (last := _last_line(text)) else ""
        return Problem(
            "AK605", f"{name} was stopped after {timeout:g} s without an end{said}",
            help="is the machine very busy, or does it wait for something that never comes?",
        )  # fmt: skip
    if process.returncode < 0:
        return Problem(
            "AK604", f"{name} was killed by {_signal_name(-process.returncode)}",
            help="somebody stopped it, or the machine ran out of memory",
        )  # fmt: skip
    finished = Finished(tuple(words), process.returncode, text, time.monotonic() - began)
    if not finished.ok and (_FULL.search(text) or (finished.crashed and _is_full(scratch.path))):
        return Problem(
            "AK606", f"{name} had no room left for its files", help="free some space, or set TMPDIR to a larger disk"
        )
    return finished


def _is_full(folder: Path) -> bool:
    """Whether hardly anything can be written there. promtool 2.42 crashes then, and does not say why."""
    try:
        state = os.statvfs(folder)
    except OSError:
        return False
    return state.f_bavail * state.f_frsize < HARDLY_ANYTHING


def _not_started(program: str, error: OSError) -> Problem:
    reason = error.strerror or str(error)
    help = "is it a program for this kind of machine? `alertkit doctor` shows what is used"
    if isinstance(error, FileNotFoundError):
        help = "`alertkit doctor` shows what is found and how to get what is missing"
    elif isinstance(error, PermissionError):
        help = f"make it executable: chmod +x {program}"
    return Problem("AK602", f"{program} cannot be started: {reason}", help=help)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else ""
