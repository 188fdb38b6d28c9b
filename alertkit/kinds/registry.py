"""Which kinds there are; each is imported only when a spec uses it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache

from alertkit.kinds import plugins
from alertkit.kinds.base import Kind

# Name -> class; the module is `alertkit.kinds.<name>`.
BUILT_IN = {
    "threshold": "Threshold",
    "circuit_breaker": "CircuitBreaker",
    "drawdown": "Drawdown",
    "latency": "Latency",
    "ratio": "Ratio",
    "rate": "Rate",
    "increase": "Increase",
    "stalled": "Stalled",
    "stale": "Stale",
    "down": "Down",
    "absent": "Absent",
    "change": "Change",
    "forecast": "Forecast",
    "anomaly": "Anomaly",
    "burn_rate": "BurnRate",
    "heartbeat": "Heartbeat",
    "expr": "Expr",
}


@cache
def _built_in(name: str) -> type[Kind]:
    kind: type[Kind] = getattr(importlib.import_module(f"alertkit.kinds.{name}"), BUILT_IN[name])
    return kind


class Registry:
    """Kinds by name: the built-in ones, those of the project and those of installed packages, through the same door.

    `digest` stands for the content of the project's own ones, for caches; `broken` are those with mistakes.
    """

    def __init__(
        self, own: dict[str, type[Kind]] | None = None, digest: str = "", broken: frozenset[str] = frozenset()
    ) -> None:
        self._own = own or {}
        self.broken = broken
        self.digest = digest

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in BUILT_IN or name in plugins.entries()

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*BUILT_IN, *self._own, *plugins.entries()]))

    def __getitem__(self, name: str) -> type[Kind]:
        if name in self._own:
            return self._own[name]
        return _built_in(name) if name in BUILT_IN else plugins.load(name)

    def is_own(self, name: str) -> bool:
        """Whether the project defines it itself."""
        return name in self._own

    def is_plugin(self, name: str) -> bool:
        """Whether an installed package defines it."""
        return name not in self._own and name not in BUILT_IN
