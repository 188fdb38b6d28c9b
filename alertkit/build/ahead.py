"""A second process that looks at the last build, and links what is in it, while this one compiles.

Looking at thousands of files and linking them takes as long as compiling a spec, and needs nothing of it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

# Fewer files than this are looked at faster than a process starts.
AHEAD_FROM = 500


def possible() -> bool:
    """Whether this process can be forked: with threads, the other one might wait for a lock that nobody opens."""
    return hasattr(os, "fork") and threading.active_count() == 1


class Ahead:
    """Does `look` at once and `link` when told to, in a forked process."""

    def __init__(self, look: Callable[[], dict[str, Any]], link: Callable[[], None]) -> None:
        """Begin; raises `OSError` where there can be no other process."""
        seen, answer = os.pipe()
        told, self._tell = os.pipe()
        self._seen = os.fdopen(seen, "rb")
        self.told = False  # to link: some of that may be done
        self._linked: bool | None = None
        try:
            self._process = os.fork()
        except OSError:
            for end in (answer, told, self._tell):
                os.close(end)
            raise
        if self._process == 0:
            for ours in (seen, self._tell):  # or it would wait for itself
                os.close(ours)
            _work(look, answer, link, told)
        os.close(answer)
        os.close(told)

    def seen(self) -> dict[str, Any] | None:
        """What `look` returned, waited for; None where it failed. Asked once."""
        with self._seen:
            try:
                return dict(json.loads(self._seen.read()))
            except ValueError:
                return None

    def link(self) -> None:
        """Begin with `link`, if that was not done."""
        if not self.told:
            self.told = True
            with suppress(BrokenPipeError):  # it is not there any more, and `linked` says so
                os.write(self._tell, b"\n")

    def linked(self) -> bool:
        """Whether all was linked, waited for; the other process is gone then."""
        if self._linked is None:
            self._linked = False
            self._seen.close()  # nobody reads on: it shall not wait for that
            os.close(self._tell)
            with suppress(ChildProcessError):  # who ignores the ends of processes is not told how they were
                self._linked = os.waitpid(self._process, 0)[1] == 0 and self.told
        return self._linked


def _work(look: Callable[[], dict[str, Any]], answer: int, link: Callable[[], None], told: int) -> None:
    """What the second process does; it never returns."""
    failed = 1
    try:
        with os.fdopen(answer, "wb") as file:
            file.write(json.dumps(look()).encode())
        if os.read(told, 1):  # nothing: there is nobody any more, or nothing to link
            link()
        failed = 0
    finally:
        os._exit(failed)
