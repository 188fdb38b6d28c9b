"""What compiling needs to know of the project."""

from __future__ import annotations

from typing import NamedTuple


class Settings(NamedTuple):
    """What one file's compilation needs of the project. Intervals are milliseconds; None means "do not check"."""

    scrape_interval: int = 15_000
    evaluation_interval: int = 15_000
    severities: tuple[str, ...] = ("info", "warning", "critical")
    receivers: frozenset[str] | None = None
    calendars: frozenset[str] | None = None

    def key(self) -> str:
        """All of it as text, the same in every process."""
        return repr([sorted(value) if isinstance(value, frozenset) else value for value in self])
