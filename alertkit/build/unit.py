"""What is known of one compiled spec file besides its texts: what workers hand back and the cache remembers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
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


@dataclass(frozen=True, slots=True)
class Unit:
    """The result of one spec file.

    alerts, cases  how many rules and generated expectations there are
    outputs        path below `build/` -> content hash of its text
    routables      its alerts as routing sees them; () in a project without routing
    """

    system: str
    span: Span
    alerts: int
    cases: int
    outputs: dict[str, str]
    routables: tuple[Routable, ...]

    def data(self) -> dict[str, Any]:
        """All of it as plain JSON data."""
        return asdict(self)


def unit(data: dict[str, Any]) -> Unit:
    """A `Unit` from its JSON data."""
    return Unit(
        data["system"], Span(**data["span"]), data["alerts"], data["cases"], data["outputs"],
        tuple(_routable(entry) for entry in data["routables"]),
    )  # fmt: skip


def _routable(data: dict[str, Any]) -> Routable:
    from alertkit.compile.routing import Routable

    return Routable(
        data["name"], data["system"], tuple(data["levels"]),
        None if data["identity"] is None else tuple(data["identity"]), Span(**data["span"]),
        tuple(data["unless"]), tuple(data["notify"]), data["active"], data["companion"], data["heartbeat_receiver"],
        data["mute"],
    )  # fmt: skip
