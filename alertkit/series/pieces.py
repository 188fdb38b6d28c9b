"""What one series does for a while: the words that stimuli, scenarios and the simulator share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge that stays at `value`."""

    value: float


@dataclass(frozen=True, slots=True)
class Slope:
    """A counter that rises by `per_second`; it goes on from where the series was, or `anew` from zero: a restart.

    Its increments are rounded to a share of them that hardly shows, `fine` ones to a much smaller one.
    """

    per_second: float
    anew: bool = False
    fine: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """A timestamp gauge that always reads `lag` seconds before now; a second is `scale` of its unit, 1000 for ms."""

    lag: float
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Zigzag:
    """A gauge that alternates between `low` and `high` every `period` milliseconds (0: from sample to sample).

    `every` is the time between two samples in milliseconds, where they shall be sparser than the series' step.
    """

    low: float
    high: float
    period: int = 0
    every: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A gauge that starts at `start` and changes by `per_second`."""

    start: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Gone:
    """No samples: the series ends with a staleness marker, as when its target or its labels vanish."""


@dataclass(frozen=True, slots=True)
class Missed:
    """No samples, and no staleness marker either: scrapes were missed while a counter went on counting."""


Piece = Level | Slope | Clock | Zigzag | Line | Gone | Missed
