"""What has been proven already, by its content and the promtool that ran it: jobs that passed, and alerts.

Of alerts whose cases all passed the results are kept too, so that nothing of them is derived again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from alertkit.prove.running.results import Result, Skipped
from alertkit.source import Span
from alertkit.source.digest import digest, place_digest
from alertkit.toolchain import Tool, cache_dir

# One line each is small; beyond this many the oldest are forgotten.
MOST = 100_000


class Said(NamedTuple):
    """What was said of the generated cases of one alert, all of which passed.

    content  a hash of what they follow from; "" where that cannot be told
    place    of the alert: path, line, column and length
    rows     (severity, case, expectations) of what passed, and (case, reason) of what the alert cannot have
    """

    alert: str
    content: str
    place: Sequence[Any]
    rows: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, alert: str, content: str, span: Span, events: Iterable[Result | Skipped]) -> Said:
        rows: list[Sequence[Any]] = []
        for event in events:
            if isinstance(event, Result):
                rows.append((event.severity, event.case, event.expectations))
            else:
                rows.append((event.case, event.reason))
        return cls(alert, content, (span.path, span.line, span.column, span.length), rows)

    def events(self, system: str, span: Span | None = None) -> Iterator[Result | Skipped]:
        """All of it again, of the alert where it stood, or at `span`."""
        span = span or Span(*self.place)
        for row in self.rows:
            if len(row) == 2:
                yield Skipped(system, self.alert, row[0], row[1], span)
            else:
                severity, case, expectations = row
                yield Result(system, self.alert, severity, case, True, span, expectations, cached=True)


class Memory:
    """Hashes of what has passed, on disk, and what was said of it.

    `keys`: hashes of what the systems depend on; `program`: one of what derives their cases (not needed where only
    whole systems are asked for). What is unreadable counts as empty.
    """

    def __init__(self, place: Path, promtool: Tool, keys: Mapping[str, str], program: str = "") -> None:
        self._place = place
        self._whole = place.with_suffix(".systems.json")
        self._of = keys
        self.program = program
        self._version = f"{promtool.name} {promtool.full_version}"
        self._new: list[str] = []
        self._changed = False

    @classmethod
    def of_project(cls, root: Path, promtool: Tool, keys: Mapping[str, str], program: str = "") -> Memory:
        """What of a project has passed before."""
        return cls(cache_dir() / "proofs" / f"{place_digest(root)}.json", promtool, keys, program)

    @cached_property
    def _known(self) -> dict[str, None]:
        data = _read(self._place)
        return dict.fromkeys(key for key in data if isinstance(key, str)) if isinstance(data, list) else {}

    @cached_property
    def _systems(self) -> dict[str, tuple[str | None, list[Said]]]:
        """Of each system the hash of what it depended on when all of it passed (None: not all did), and its alerts."""
        data = _read(self._whole)
        try:
            systems = data.items() if isinstance(data, dict) else ()
            return {system: (key, [Said(*entry) for entry in alerts]) for system, (key, alerts) in systems}
        except (TypeError, ValueError):
            return {}

    def _key_of(self, system: str) -> str | None:
        key = self._of.get(system)
        return None if key is None else digest(self._version.encode(), key.encode())

    def results(self, system: str) -> list[Result | Skipped] | None:
        """What was said of a system when all of it passed; None where it has changed since."""
        key, alerts = self._systems.get(system, (None, []))
        if key is None or key != self._key_of(system):
            return None
        try:
            return [event for said in alerts for event in said.events(system)]
        except (TypeError, ValueError):
            return None

    def has(self, system: str) -> bool:
        """Whether anything of a system is remembered."""
        return system in self._systems

    def of_alerts(
        self, system: str, contents: Mapping[str, str], spans: Mapping[str, Span]
    ) -> dict[str, list[Result | Skipped]]:
        """What was said of alerts, by name, of which nothing that their cases follow from has changed since.

        `contents`: hashes of that, `spans`: where they stand now.
        """
        known = {said.alert: said for said in self._systems.get(system, (None, []))[1] if said.content}
        found = {}
        for alert, content in contents.items():
            said = known.get(alert)
            if said is not None and said.content == self._content(content):
                with contextlib.suppress(TypeError, ValueError):
                    found[alert] = list(said.events(system, spans[alert]))
        return found

    def _content(self, content: str) -> str:
        return digest(self._version.encode(), content.encode())

    def keep(self, system: str, contents: Mapping[str, str], events: Iterable[Result | Skipped], whole: bool) -> None:
        """Remember all that was said of alerts that passed; `whole`: these are all alerts of the system.

        `contents`: hashes of what the cases of the alerts follow from, as far as that can be told.
        """
        key = self._key_of(system)
        if key is None:
            return
        alerts: dict[tuple[str, Span], list[Result | Skipped]] = {}
        for event in events:
            alerts.setdefault((event.alert, event.span), []).append(event)
        places = Counter(alert for alert, _ in alerts)
        said = []
        for (alert, span), mine in alerts.items():
            content = contents.get(alert) if places[alert] == 1 else None
            said.append(Said.of(alert, "" if content is None else self._content(content), span, mine))
        self._systems[system] = (key if whole else None, said)
        self._changed = True

    def key(self, texts: Iterable[str]) -> str:
        """The name under which something is remembered; `texts`, its files, say all that its verdict depends on."""
        return digest(self._version.encode(), *(text.encode() for text in texts))

    def passed(self, key: str) -> bool:
        """Whether exactly this has passed before."""
        return key in self._known

    def remember(self, key: str) -> None:
        self._known[key] = None
        self._new.append(key)

    def save(self) -> None:
        """Write what is new; that it cannot be written is no error."""
        if self._new:
            _write(self._place, list(self._known)[-MOST:])
        if self._changed:
            known = {system: entry for system, entry in self._systems.items() if system in self._of}
            _write(self._whole, known)


def _read(place: Path) -> object:
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(place: Path, data: object) -> None:
    aside = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
        aside.replace(place)
    except OSError:
        aside.unlink(missing_ok=True)
