"""What has been proven already: batches that passed, by their content and the promtool that ran them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from alertkit.source.digest import digest
from alertkit.toolchain import Tool

# One line each is small; beyond this many the oldest are forgotten.
MOST = 20_000


class Proven(Protocol):
    """What can be remembered: its rule file and its test file say all that its verdict depends on."""

    def files(self) -> tuple[str, str]: ...


class Memory:
    """A set of content hashes on disk; unreadable counts as empty."""

    def __init__(self, place: Path, promtool: Tool) -> None:
        self._place = place
        self._version = f"{promtool.name} {promtool.full_version}"
        self._keys: dict[int, str] = {}
        self._new: list[str] = []
        try:
            self._known = dict.fromkeys(json.loads(place.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self._known = {}

    def _key(self, batch: Proven) -> str:
        found = self._keys.get(id(batch))
        if found is None:
            rules, tests = batch.files()
            found = self._keys[id(batch)] = digest(self._version.encode(), rules.encode(), tests.encode())
        return found

    def passed(self, batch: Proven) -> bool:
        """Whether exactly this has passed before."""
        return self._key(batch) in self._known

    def remember(self, batch: Proven) -> None:
        self._known[self._key(batch)] = None
        self._new.append(self._key(batch))

    def save(self) -> None:
        """Write what is new; that it cannot be written is no error."""
        if not self._new:
            return
        aside = self._place.with_name(f"{self._place.name}.{os.getpid()}")
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(list(self._known)[-MOST:]), encoding="utf-8")
            aside.replace(self._place)
        except OSError:
            aside.unlink(missing_ok=True)
