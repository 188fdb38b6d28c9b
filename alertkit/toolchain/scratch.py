"""A private folder and the processes that work in it; both are gone at the end, whatever the end is.

A normal end, an exception and Ctrl-C are handled here. So that even `kill -9` of this process leaves nothing behind,
a guardian (one /bin/sh that reads a pipe and costs about a millisecond) kills the processes and removes the folder as
soon as the pipe closes. That needs no code between fork and exec, so it is safe beside threads, unlike PDEATHSIG.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

# Bytes that must be free in memory before temporary files go there: promtool alone needs 4 MB, ten times over.
ROOM = 64 * 1024 * 1024
_SHM = Path("/dev/shm")

_GUARDIAN = """
trap '' INT TERM HUP QUIT
jobs=' '
ended=
while read -r op id; do
  case $op in
    +) jobs="$jobs$id " ;;
    -) jobs="${jobs%% $id *} ${jobs#* $id }" ;;
    done) ended=yes ;;
  esac
done
for id in $jobs; do kill -s KILL -- "-$id" 2>/dev/null; done
# One that was started but not told of yet is known by its TMPDIR; at first it may still be in the midst of starting.
for wait in 0 0.2; do
  [ -z "$ended" ] || break
  sleep $wait
  for place in /proc/[0-9]*; do
    grep -qsF "TMPDIR=$1" "$place/environ" && kill -s KILL "${place#/proc/}" 2>/dev/null
  done
done
rm -rf -- "$1" 2>/dev/null || { sleep 1; rm -rf -- "$1"; }
"""


class Scratch:
    """A folder for temporary files, at `path`, and the processes that use it as their TMPDIR.

    In memory (/dev/shm) when there is room, else where `tempfile` puts things; `near` asks for a folder beside the
    given one instead, so that its content can be renamed to there. Entering raises OSError when no folder can be made.
    Usable from several threads; SIGTERM and SIGHUP become SystemExit while it is open in the main thread.
    """

    def __init__(self, near: Path | None = None) -> None:
        self.path = Path()
        self.cancelled = False
        self._near = near
        self._guardian: subprocess.Popen[bytes] | None = None
        self._running: set[subprocess.Popen[Any]] = set()
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(terminated_means_exit())
        try:
            self.path = Path(tempfile.mkdtemp(prefix=".alertkit-" if self._near else "alertkit-", dir=self._base()))
        except BaseException:
            self._stack.close()
            raise
        with contextlib.suppress(OSError):  # without a shell there is still the ordinary clean-up below
            self._guardian = subprocess.Popen(
                ["/bin/sh", "-c", _GUARDIAN, "alertkit-guardian", str(self.path)],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd="/", start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.cancel()
            shutil.rmtree(self.path, ignore_errors=True)
            guardian = self._guardian
            if guardian is not None and guardian.stdin is not None:
                with contextlib.suppress(OSError):
                    if kind is None:  # else a signal may have come while a program was being started
                        os.write(guardian.stdin.fileno(), b"done\n")
                    guardian.stdin.close()
                guardian.wait()
        finally:
            self._stack.close()

    def _base(self) -> str | None:
        if self._near is not None:
            return str(self._near)
        try:
            state = os.statvfs(_SHM)
        except OSError:
            return None
        return str(_SHM) if state.f_bavail * state.f_frsize >= ROOM and os.access(_SHM, os.W_OK | os.X_OK) else None

    def popen(
        self, command: list[str], *, cwd: Path | None, env: Mapping[str, str] | None, stdin: int, output: int | Any
    ) -> subprocess.Popen[bytes]:
        """Start a program in a process group of its own, stdout and stderr both to `output`; raises OSError."""
        with self._lock:
            if self.cancelled:
                raise InterruptedError("the run was interrupted")
            process = subprocess.Popen(
                command, stdin=stdin, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, process_group=0,
                env={**os.environ, **(env or {}), "TMPDIR": str(self.path)},
            )  # fmt: skip
            self._running.add(process)
            self._tell("+", process)
        return process

    def kill(self, process: subprocess.Popen[Any], signal_: int = signal.SIGKILL) -> None:
        """Send a signal to a process that `popen` started and to all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal_)

    def forget(self, process: subprocess.Popen[Any]) -> None:
        """A process has ended and been waited for."""
        with self._lock:
            self._running.discard(process)
            self._tell("-", process)

    def cancel(self) -> None:
        """Kill all that still runs and refuse to start more."""
        with self._lock:
            self.cancelled = True
            running = list(self._running)
        for process in running:
            self.kill(process)
        for process in running:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None and threading.current_thread() is threading.main_thread():
                    with contextlib.suppress(OSError, ValueError):
                        stream.close()
            self.forget(process)

    def _tell(self, op: str, process: subprocess.Popen[Any]) -> None:
        if self._guardian is not None and self._guardian.stdin is not None and not self._guardian.stdin.closed:
            with contextlib.suppress(OSError):
                os.write(self._guardian.stdin.fileno(), f"{op} {process.pid}\n".encode())


@contextlib.contextmanager
def terminated_means_exit() -> Iterator[None]:
    """Let `kill` and a closed terminal unwind the stack as Ctrl-C does; keeps handlers that others have set."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    names = ("SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ours: list[int] = []
    if threading.current_thread() is threading.main_thread():
        ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in ours:
            signal.signal(number, leave)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
