"""One spec file, compiled to its texts: what the workers do and what the cache remembers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from alertkit.compile.routing import Routable
from alertkit.source import Span


@dataclass(frozen=True, slots=True)
class Unit:
    """The result of one spec file: `files` are texts by path below `build/`."""

    system: str
    path: str
    span: Span
    alerts: int
    cases: int
    routables: tuple[Routable, ...]
    files: dict[str, str]

    def head(self) -> dict[str, Any]:
        """All but the texts, as plain JSON data."""
        return {
            "system": self.system, "path": self.path, "span": asdict(self.span), "alerts": self.alerts,
            "cases": self.cases, "routables": [asdict(routable) for routable in self.routables],
        }  # fmt: skip


def routable(data: dict[str, Any]) -> Routable:
    """A `Routable` from its JSON data."""
    return Routable(
        data["name"], data["system"], tuple(data["levels"]),
        None if data["identity"] is None else tuple(data["identity"]), Span(**data["span"]),
        tuple(data["unless"]), tuple(data["notify"]), data["active"], data["companion"], data["heartbeat_receiver"],
        data["mute"],
    )  # fmt: skip


def dumps(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
