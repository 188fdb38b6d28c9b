"""Proofs of burn rates: each pair of windows on its own, both edges of its threshold, and how long both windows are.

The signal of each window is the mean share of bad events in it, which is worked out here from the plan of the shares
alone. Samples are so far apart that what is shorter than the pair's windows hardly costs anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from alertkit.prove.grid import Grid
from alertkit.prove.interruptions import Moment
from alertkit.prove.interruptions import checks_of as told
from alertkit.prove.oracle import Timing
from alertkit.prove.script import Check, Step

# Nearer to the threshold than this share of it, an outcome is left open.
CLOSE = 0.0003
MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Fires while the share of bad events exceeds `threshold` over both windows (milliseconds).

    `inside` and `past` are the nearest shares on either side that the stimulus can produce.
    """

    severity: str
    long: int
    short: int
    threshold: float
    inside: float
    past: float


@dataclass(frozen=True, slots=True)
class Burns:
    """All pairs of an alert, and the window over which it counts events to be sure that there is traffic."""

    pairs: tuple[Pair, ...]
    counted: int


Plan = list[tuple[str, float, int]]


def grid_of(pair: Pair, burns: Burns) -> Grid:
    """Samples dense enough for the short window and the traffic, evaluations that tell a window from its half."""
    step = max(_whole_minutes(min(pair.short // 4, burns.counted // 3)), MINUTE // 4)
    evaluation = max(min(pair.short // 2, pair.long // 24) // step, 1) * step
    return Grid(evaluation, step)


def _whole_minutes(milliseconds: int) -> int:
    return milliseconds // MINUTE * MINUTE if milliseconds >= MINUTE else milliseconds // 15_000 * 15_000


def plan_of(pair: Pair, burns: Burns, hold: int) -> tuple[Grid, Plan]:
    """(case, share, evaluations) of each stage; `hold` is the longest `for` in milliseconds."""
    grid = grid_of(pair, burns)

    def count(milliseconds: float) -> int:
        return ceil(milliseconds / grid.evaluation)

    wait = count(hold)
    long, short = count(pair.long), count(pair.short)
    rivals = [p for p in burns.pairs if p is not pair and p.severity == pair.severity and p.long > pair.long]
    # The longer windows of the same severity must have seen enough good times to stay below their thresholds.
    quiet = max([pair.long * (pair.past / (0.9 * rival.threshold) - 1) for rival in rivals] + [pair.long / 4])
    return grid, [
        ("at-rest", 0.0, count(quiet) + 1),
        ("just-inside", pair.inside, long + wait + 2),
        ("just-inside", 0.0, max(long // 2, count(quiet))),
        ("just-past", pair.past, long + wait + 3),
        ("just-past", 1.0, max(long // 4, 1)),
        ("recovers", pair.inside, short + 4),
        ("recovers", 0.0, 3),
    ]


def checks_of(
    pair: Pair, burns: Burns, timings: dict[str, Timing], grid: Grid, steps: Sequence[Step]
) -> tuple[Check, ...]:
    """The expectations at the changes of state and at the ends of the stages."""
    shares = [step.value or 0.0 for step in steps for _ in range(step.stage.length * grid.samples)]
    moments = [
        Moment(tuple(_condition(name, burns, shares, sample, grid.step) for name in timings))
        for sample in range(0, len(shares), grid.samples)
    ]
    return told(steps, moments, timings, grid, pair.severity)


def _condition(severity: str, burns: Burns, shares: Sequence[float], sample: int, step: int) -> bool | None:
    """Whether any pair of the severity fires at a sample; None where that is not certain."""
    answers = [_pair(pair, shares, sample, step) for pair in burns.pairs if pair.severity == severity]
    result = True if True in answers else None if None in answers else False
    return None if result and sample * step < burns.counted else result


def _pair(pair: Pair, shares: Sequence[float], sample: int, step: int) -> bool | None:
    answers = [_exceeds(window, pair.threshold, shares, sample, step) for window in (pair.long, pair.short)]
    return False if False in answers else None if None in answers else True


def _exceeds(window: int, threshold: float, shares: Sequence[float], sample: int, step: int) -> bool | None:
    """The mean share over a window against the threshold.

    Prometheus 2 also counts a sample at the very beginning of the window, 3 does not; where that matters, or where the
    two are too close, the answer is None. A window that holds a single sample has no rate.
    """
    if window == step:
        return None
    if window < step or not sample:
        return False
    answers = set()
    for intervals in {ceil(window / step) - 1, window // step}:
        seen = shares[max(sample - intervals, 0) : sample]
        mean = sum(seen) / len(seen)
        answers.add(None if abs(mean - threshold) < CLOSE * threshold else mean > threshold)
    return answers.pop() if len(answers) == 1 else None
