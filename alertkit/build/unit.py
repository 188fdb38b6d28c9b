"""What is known of one compiled spec file besides its texts: what workers hand back and the cache remembers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from alertkit.source import Span

if TYPE_CHECKING:
    from alertkit.compile.routing import Routable


class Section(NamedTuple):
    """The generated tests of one alert, which stand one after the other in its system's test files.

    content  a hash of what they were made from; "" where that cannot be told
    cases    how many expectations there are
    lengths  (evaluation interval in milliseconds, characters) in each file that they are in
    """

    content: str
    cases: int
    lengths: tuple[tuple[int, int], ...]


class Unit(NamedTuple):
    """The result of one spec file.

    path, name     of that file, as the user who compiled it saw it, and as its texts say it
    alerts, cases  how many rules and generated expectations there are
    outputs        path below `build/` -> content hash of its text
    records        name of a recording rule -> line, column and length of the alert that it is for
    notes          what its author should know though nothing is wrong
    routed         its alerts as routing sees them, written as `written` does; "" in a project without routing
    """

    system: str
    path: str
    name: str
    alerts: int
    cases: int
    outputs: dict[str, str]
    records: dict[str, tuple[int, int, int]]
    notes: tuple[str, ...] = ()
    routed: str = ""

    @property
    def span(self) -> Span:
        """The beginning of its file."""
        return Span(self.path, 1, 1)

    def recorded(self) -> list[tuple[str, str, Span]]:
        """Its records: their names, this system, and where the alert is that each is for."""
        return [(name, self.system, Span(self.path, *place)) for name, place in self.records.items()]


def written(routables: Iterable[Routable]) -> str:
    """Alerts as text: it stays text until routing wants to know more than whether it has changed."""
    return json.dumps([asdict(routable) for routable in routables], separators=(",", ":"))


def read_routables(units: Iterable[Unit]) -> tuple[Routable, ...]:
    """The alerts of units, by system and place."""
    found = [_routable(entry) for unit in units if unit.routed for entry in json.loads(unit.routed)]
    return tuple(sorted(found, key=lambda routable: (routable.system, routable.span)))


def _routable(data: dict[str, Any]) -> Routable:
    from alertkit.compile.routing import Routable

    return Routable(
        data["name"], data["system"], tuple(data["levels"]),
        None if data["identity"] is None else tuple(data["identity"]), Span(**data["span"]),
        tuple(data["unless"]), tuple(data["notify"]), data["active"], data["companion"], data["heartbeat_receiver"],
        data["mute"], tuple(data["variables"]),
    )  # fmt: skip
