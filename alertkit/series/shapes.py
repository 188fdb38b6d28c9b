"""What a segment of a readable series can be, as data; `language.py` reads them, `build.py` samples them.

Values are in the metric's own unit, durations in milliseconds, rates per second. `None` as a start means "from where
the series is".
"""

from __future__ import annotations

from dataclasses import dataclass


class MistakeError(Exception):
    """What is wrong at characters `offset` to `offset + length` of a series' text; the rest as in a `Problem`."""

    def __init__(self, code: str, message: str, offset: int, length: int, help: str) -> None:
        super().__init__(message)
        self.code, self.message, self.offset, self.length, self.help = code, message, offset, max(length, 1), help


@dataclass(frozen=True, slots=True)
class Constant:
    """`X for D`: a gauge that stays at `value`."""

    value: float


@dataclass(frozen=True, slots=True)
class Ramp:
    """`ramp A to B over D`: a straight line that has reached `end` when the segment ends."""

    start: float | None
    end: float


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate X/s for D`: a counter that goes on rising from where it is, or from `start`."""

    per_second: float
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """`walk from A drift -2%/h vol 0.5% seed 7 for D`: a random walk in relative steps.

    `drift` is the share gained each second; `vol` the standard deviation of the share gained in one sample, or, when
    `vol_per` is given, in that many seconds (it grows with the square root of time).
    """

    start: float | None
    drift: float
    vol: float
    vol_per: float | None
    seed: int


@dataclass(frozen=True, slots=True)
class Sine:
    """`sine A to B every P for D`: swings between the two, beginning at `low`."""

    low: float
    high: float
    period: int


@dataclass(frozen=True, slots=True)
class Noise:
    """`noise A to B seed 3 for D`: each sample anywhere between the two."""

    low: float
    high: float
    seed: int


@dataclass(frozen=True, slots=True)
class Spike:
    """`spike to X over D`: straight up (or down) to `peak` and straight back to the value before."""

    peak: float


@dataclass(frozen=True, slots=True)
class Freeze:
    """`freeze for D`: stays where it is."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`clock for D`: always the present time less `lag` milliseconds."""

    lag: int


@dataclass(frozen=True, slots=True)
class Gap:
    """`gap for D`: scrapes are missed; Prometheus looks back at the last sample for 5 minutes."""


@dataclass(frozen=True, slots=True)
class Stale:
    """`stale for D`: the series ends with a staleness marker, as when its target vanishes."""


@dataclass(frozen=True, slots=True)
class Reset:
    """`reset`: a counter starts again from 0; takes no time."""


@dataclass(frozen=True, slots=True)
class Latency:
    """`latency p95 2s rate 50/s buckets 0.1 0.5 1 2.5 5 for D`: a histogram whose quantile comes out at `value`.

    `buckets` are finite upper bounds in rising order; empty: those of the segment before.
    """

    quantile: float
    value: float
    per_second: float
    buckets: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """`from FILE.csv column NAME`: recorded data; `column` None is the one called `value`, or the second."""

    file: str
    column: str | None


Shape = (
    Constant | Ramp | Rate | Walk | Sine | Noise | Spike | Freeze | Clock | Gap | Stale | Reset | Latency | Recorded
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """One shape and the time it takes: for `duration` ms, or `until` ms after the scenario's start, or neither.

    `offset` and `length` are its place in the text, `time_offset` and `time_length` that of its duration.
    """

    shape: Shape
    duration: int | None
    until: int | None
    offset: int
    length: int
    time_offset: int
    time_length: int

    def mistake(self, code: str, message: str, help: str, time: bool = False) -> MistakeError:
        """A mistake of this segment; `time`: of its duration."""
        if time:
            return MistakeError(code, message, self.time_offset, self.time_length, help)
        return MistakeError(code, message, self.offset, self.length, help)
