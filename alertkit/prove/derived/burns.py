"""Proofs of burn rates: each pair of windows on its own, both edges of its threshold, and how long both windows are.

The signal of each window is the share of bad events in it, which is worked out here from the plan of the shares and
from how busy it is at each. Samples are so far apart that what is shorter than the pair's windows hardly costs
anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import ceil
from typing import NamedTuple

from alertkit.kinds.burn_rate import traffic
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.moments import Moment
from alertkit.prove.derived.moments import checks_of as told
from alertkit.prove.derived.oracle import Timing
from alertkit.prove.derived.script import LONE, Check, Step

# Nearer to the threshold than this share of it, an outcome is left open.
CLOSE = 0.0003
MINUTE = 60_000


class Pair(NamedTuple):
    """Fires while the share of bad events exceeds `threshold` over both windows (milliseconds).

    `inside` and `past` are the nearest shares on either side that the stimulus can produce.
    """

    severity: str
    long: int
    short: int
    threshold: float
    inside: float
    past: float


class Burns(NamedTuple):
    """All pairs of an alert, the window over which it counts events to be sure that there is traffic, and whether the
    good ones have a counter of their own, which may not exist while all are bad."""

    pairs: tuple[Pair, ...]
    counted: int
    parted: bool

    @property
    def thresholds(self) -> tuple[float, ...]:
        return tuple(pair.threshold for pair in self.pairs)


Rows = list[tuple[str, float, int, str]]


def plans_of(pair: Pair, burns: Burns, hold: int) -> list[tuple[str, Grid, Rows]]:
    """Its name, the clock and (case, share, evaluations, how it is interrupted) of each stage.

    `hold` is the longest `for` in milliseconds.
    In one timeline the long window decides, in the other one the short window while the long one is long past.
    """
    return [("", *_long(pair, burns, hold)), (" in short", *_short(pair, burns, hold))]


def _long(pair: Pair, burns: Burns, hold: int) -> tuple[Grid, Rows]:
    """Samples dense enough for the short window and the traffic, evaluations that tell a window from its half."""
    step = _step(pair.short // 4, burns)
    grid = Grid(max(min(pair.short // 2, pair.long // 24) // step, 1) * step, step)
    long, short, wait = (grid.evaluations(time) for time in (pair.long, pair.short, hold))
    quiet = grid.evaluations(_quiet(pair, burns, pair.long))
    twice = grid.evaluations(_quiet(pair, burns, 3 * pair.long))
    return grid, [
        ("at-rest", 0.0, quiet + 1, ""),
        ("just-inside", pair.inside, long + wait + 2, ""),
        ("just-inside", pair.past, short + wait + 2, ""),
        ("just-inside", 0.0, max(long // 2, quiet), ""),
        ("just-past", pair.past, long + wait + 3, ""),
        ("just-past", 1.0, max(long // 4, 1), ""),
        ("recovers", pair.inside, short + 4, ""),
        ("recovers", 0.0, max(long // 2, twice) + 3, ""),
        ("just-past", 1.0, long + wait + 3, ""),
        ("just-past", 1.0, long + 3, LONE),
    ]


def _short(pair: Pair, burns: Burns, hold: int) -> tuple[Grid, Rows]:
    """Evaluations that tell a short window from its half; while it dips the long one is not over."""
    step = _step(pair.short // 10, burns)
    grid = Grid(max(pair.short // 5 // step, 1) * step, step)
    long, short, wait = (grid.evaluations(time) for time in (pair.long, pair.short, hold))
    return grid, [
        ("at-rest", 0.0, grid.evaluations(_quiet(pair, burns, pair.long)) + 1, ""),
        ("just-past", 1.0, long + wait + 2, ""),
        ("recovers", pair.threshold / 100, short + 2, ""),
        ("just-past", 1.0, short + wait + 2, ""),
        ("recovers", pair.inside, short + 4, ""),
        ("recovers", 0.0, 3, ""),
    ]


def _step(most: int, burns: Burns) -> int:
    milliseconds = min(most, burns.counted // 3)
    whole = MINUTE if milliseconds >= MINUTE else MINUTE // 4
    return max(milliseconds // whole * whole, MINUTE // 4)


def _quiet(pair: Pair, burns: Burns, lasts: int) -> int:
    """So long all must be well before, or longer pairs of the severity would fire while all fails (milliseconds)."""
    rivals = [p for p in burns.pairs if p is not pair and p.severity == pair.severity and p.long > pair.long]
    bad, well = (traffic(share, burns.thresholds) for share in (1.0, 0.0))
    waits = [min(bad / well * lasts * (1 / (0.9 * rival.threshold) - 1), rival.long) for rival in rivals]
    return ceil(max([*waits, pair.long / 4]))


def checks_of(
    pair: Pair, burns: Burns, timings: dict[str, Timing], grid: Grid, steps: Sequence[Step]
) -> tuple[Check, ...]:
    """The expectations at the changes of state and at the ends of the stages."""
    bad: list[float] = []
    total: list[float] = []
    lone = sum([step.length for step in steps]) * grid.samples
    for step in steps:
        share, samples = step.value or 0.0, step.length * grid.samples
        if step.how == LONE and burns.parted:
            lone = len(bad)
        events = traffic(share, burns.thresholds)
        bad += [share * events] * samples
        total += [events] * samples
    seen = Events(list(accumulate(bad, initial=0.0)), list(accumulate(total, initial=0.0)), grid.step, lone)
    moments = [
        Moment(tuple([_condition(name, burns, seen, sample) for name in timings]))
        for sample in range(0, len(total), grid.samples)
    ]
    return told(steps, moments, timings, grid, pair.severity)


class Events(NamedTuple):
    """How many events there were before each sample, in units of little traffic; `step` as in `Grid`.

    From the sample `lone` on the counter of the good ones does not exist.
    """

    bad: Sequence[float]
    total: Sequence[float]
    step: int
    lone: int


def _condition(severity: str, burns: Burns, seen: Events, sample: int) -> bool | None:
    """Whether any pair of the severity fires at a sample; None where that is not certain."""
    answers = [_pair(pair, seen, sample) for pair in burns.pairs if pair.severity == severity]
    result = True if True in answers else None if None in answers else False
    return None if result and sample * seen.step < burns.counted else result


def _pair(pair: Pair, seen: Events, sample: int) -> bool | None:
    long = _exceeds(pair.long, pair.threshold, seen, sample)
    if long is False:
        return False
    short = _exceeds(pair.short, pair.threshold, seen, sample)
    return short if long or short is False else None


def _exceeds(window: int, threshold: float, seen: Events, sample: int) -> bool | None:
    """The share of bad events in a window against the threshold.

    Prometheus 2 also counts a sample at the very beginning of the window, 3 does not; where that matters, or where the
    two are too close, the answer is None. A window that holds a single sample has no rate.
    """
    if window == seen.step:
        return None
    if window < seen.step or not sample:
        return False
    answers = set()
    for intervals in {ceil(window / seen.step) - 1, window // seen.step}:
        first = max(sample - intervals, 0)
        bad, total = seen.bad[sample] - seen.bad[first], seen.total[sample] - seen.total[first]
        good = (total - bad) * _extrapolated(window, seen, sample, first)
        # What is left of all, or one part beside the other.
        for share in (1 - good / total, bad / (bad + good)):
            answers.add(None if abs(share - threshold) < CLOSE * threshold else share > threshold)
    return answers.pop() if len(answers) == 1 else None


def _extrapolated(window: int, seen: Events, sample: int, first: int) -> float:
    """By which factor the rate of the good events comes out higher beside that of all, as their counter has ended.

    A counter is taken to go on to both ends of the window, but for half a step where its next sample is missing.
    Source: Prometheus, promql/functions.go, `extrapolatedRate`.
    """
    known, ago = seen.lone - 1 - first, sample - seen.lone + 1
    if known <= 0 or ago <= 0:
        return 1.0
    # All counters begin at zero, where none is taken further.
    before = window / seen.step - (sample - first) if first else 0.0
    behind = 1.0 if ago == 1 else 0.5
    return (known + before + behind) / known * (sample - first) / (sample - first + before)
