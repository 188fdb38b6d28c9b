"""What alertkit remembers of an environment, beside the files that it writes there: lock, journal, kept builds.

The folder is private (0700): kept configurations of Alertmanager may hold what only it may read.

    lock            held (flock) while one run changes things; says who
    journal.json    there only while a change is under way: what the next run needs to finish or undo it
    undo/           the files of before, while the journal is there
    builds/N/       the last builds that were applied: rules/, alertmanager.yml, templates/, about.json
    current         the number of the build that was applied last
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alertkit.deploy.build import Build, read_build
from alertkit.source import Problems, Span


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept build: its number, when it was applied (UTC, ISO) and by whom."""

    number: int
    applied: str
    by: str


class State:
    """The state folder of one environment; it need not exist. `span`: where the project file says that it is there."""

    def __init__(self, folder: Path, span: Span | None = None) -> None:
        self.folder = folder
        self.span = span
        self.journal = folder / "journal.json"
        self.undo = folder / "undo"
        self._builds = folder / "builds"

    def make(self, problems: Problems) -> bool:
        """Create the folder; False and a problem (AK726) when that cannot be."""
        try:
            if not self.folder.parent.is_dir():
                problems.add("AK726", f"the folder {self.folder.parent} does not exist", self.span,
                             "create it, or correct the environment")  # fmt: skip
                return False
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            problems.add("AK726", f"{self.folder} cannot be made: {error.strerror or error}", self.span,
                         "check that you may write there and that the disk is not full")  # fmt: skip
            return False
        return True

    @contextlib.contextmanager
    def locked(
        self, problems: Problems, wait: float = 0.0, on_wait: Callable[[str], None] = lambda who: None
    ) -> Iterator[bool]:
        """Hold the lock; yields False and a problem (AK730) that names the holder when it is not free in `wait` s.

        A run that was killed holds it no longer: it is the kernel that gives it up.
        """
        try:
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            problems.add("AK726", f"{self.folder / 'lock'} cannot be written: {error.strerror or error}", self.span,
                         "check that you may write there and that the disk is not full")  # fmt: skip
            yield False
            return
        try:
            if not self._take(handle, wait, on_wait, problems):
                yield False
                return
            with contextlib.suppress(OSError):  # a full disk: the lock is held all the same
                os.ftruncate(handle, 0)
                os.pwrite(handle, who().encode(), 0)
            try:
                yield True
            finally:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    def _take(self, handle: int, wait: float, on_wait: Callable[[str], None], problems: Problems) -> bool:
        end = time.monotonic() + wait
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except OSError:
                holder = os.pread(handle, 500, 0).decode("utf-8", "replace").strip() or "another run"
            if time.monotonic() >= end:
                problems.add("AK730", f"{holder} is changing this environment right now",
                             help="wait until it is done, or give --lock-wait 5m")  # fmt: skip
                return False
            if not told:
                told = True
                on_wait(holder)
            time.sleep(0.1)

    def read_journal(self, problems: Problems) -> dict[str, Any] | None:
        """The journal of a run that did not end; None when there is none or it cannot be read (a problem, AK735)."""
        try:
            data = json.loads(self.journal.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            problems.add("AK735", f"the journal {self.journal} cannot be read: {error}",
                         help="look at the rule files and `undo` beside it, mend what is wrong, delete it")  # fmt: skip
            return None
        return data if isinstance(data, dict) else {}

    def write_journal(self, data: dict[str, Any]) -> None:
        """Replace the journal, durably; raises OSError."""
        replace(self.journal, json.dumps(data, indent=1).encode())

    def close_journal(self) -> None:
        """The change is over: forget what undid it."""
        self.journal.unlink(missing_ok=True)
        shutil.rmtree(self.undo, ignore_errors=True)

    @property
    def current(self) -> int | None:
        """The number of the build that was applied last; None when there is none."""
        try:
            return int((self.folder / "current").read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def kept(self) -> list[Kept]:
        """The kept builds, oldest first."""
        found = []
        for folder in self._builds.glob("*") if self._builds.is_dir() else ():
            if folder.name.isdigit():
                try:
                    about = json.loads((folder / "about.json").read_bytes())
                    found.append(Kept(int(folder.name), str(about["applied"]), str(about["by"])))
                except (OSError, ValueError, KeyError, TypeError):
                    continue
        return sorted(found, key=lambda kept: kept.number)

    def build(self, number: int, problems: Problems) -> Build | None:
        """A kept build; None and a problem (AK733) when it is not there."""
        if number not in {kept.number for kept in self.kept()}:
            there = ", ".join(str(kept.number) for kept in self.kept())
            problems.add("AK733", f"build {number} is not kept",
                         help=f"kept are: {there}" if there else "nothing was applied yet")  # fmt: skip
            return None
        return read_build(self._builds / str(number), problems)

    def store(self, build: Build) -> int:
        """Keep a build, under the number of the current one if that is the same; raises OSError."""
        current = self.current
        if current is not None and self._same(current, build):
            return current
        number = max([kept.number for kept in self.kept()], default=0) + 1
        self._builds.mkdir(mode=0o700, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self._builds))
        try:
            texts = build.files()
            texts["about.json"] = json.dumps({"applied": now(), "by": who()}).encode()
            for name, raw in texts.items():
                path = aside / name
                path.parent.mkdir(mode=0o700, exist_ok=True)
                replace(path, raw)
            (aside).rename(self._builds / str(number))
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        return number

    def _same(self, number: int, build: Build) -> bool:
        there = read_build(self._builds / str(number), Problems())
        return there is not None and (there.rules, there.alertmanager, there.templates) == (
            build.rules, build.alertmanager, build.templates,
        )  # fmt: skip

    def set_current(self, number: int, keep: int) -> None:
        """Say which build is in force, and let go of the oldest beyond `keep`; raises OSError."""
        replace(self.folder / "current", f"{number}\n".encode())
        for old in [kept.number for kept in self.kept()][:-keep]:
            if old != number:
                shutil.rmtree(self._builds / str(old), ignore_errors=True)


def replace(path: Path, content: bytes) -> None:
    """Write a private file, durably and as a whole; raises OSError."""
    handle, name = tempfile.mkstemp(prefix=".alertkit-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def who() -> str:
    """Who runs this: `user@host, process 123, since 2026-01-05T14:30:00Z`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}, process {os.getpid()}, since {now()}"


def now() -> str:
    """This moment as UTC text."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
