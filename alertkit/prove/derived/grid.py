"""The clock of a proof: how often rules are evaluated and how densely series are sampled.

Coarse enough to be cheap, fine enough that nothing is rounded: every `for` is a whole number of evaluations (or
Prometheus would wait longer than it says), every window too unless that is far too dear, and samples are denser than
evaluations, so that Prometheus 2 (closed ranges) and 3 (left-open ranges) see the same crossings.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import NamedTuple

MINUTE = 60_000
# A sample is looked back at for 5 minutes; staying well below keeps a series present between samples.
LONGEST_STEP = 2 * MINUTE
SAMPLES_IN_WINDOW = 4
# promtool's engine loads so many samples of a series in one window. Source: Prometheus, promqltest, `maxSamples`.
MOST_LOADED = 10_000
# Where windows ask for evaluations this many times as often as their length alone does, such as 31s beside 3h, they
# are rounded up.
DEAR = 8
# Divisors tried before the finest grid is taken; only durations that no rule has need more.
TRIES = 200_000


class Grid(NamedTuple):
    """`evaluation` and `step` (of the series) in milliseconds; `step` divides `evaluation`."""

    evaluation: int
    step: int

    def evaluations(self, milliseconds: int) -> int:
        """The number of evaluations that a duration takes, rounded up."""
        return -(-milliseconds // self.evaluation)

    @property
    def samples(self) -> int:
        """Samples in one evaluation interval."""
        return self.evaluation // self.step


def choose(holds: Iterable[int], windows: Iterable[int], hysteresis: bool, dense: int = 0) -> Grid:
    """The coarsest grid for these `for`s and these windows (milliseconds, zeros ignored).

    `dense` is a window that only the samples must be dense enough for.
    """
    holds = [h for h in holds if h]
    windows = [w for w in windows if w]
    whole = gcd(*holds, *windows) or 2 * MINUTE
    bound = min([h // 2 for h in holds] + [w // 2 for w in windows] + [2 * MINUTE if hysteresis else 30 * MINUTE])
    evaluation = _divisor(whole, bound, 1)
    if evaluation * DEAR < bound:
        evaluation = _divisor(gcd(*holds) or 2 * MINUTE, bound, 1)
    step_bound = min([LONGEST_STEP, evaluation // 2] + [w // SAMPLES_IN_WINDOW for w in [*windows, dense] if w])
    return Grid(evaluation, _divisor(evaluation, step_bound, 2))


def coarser(grid: Grid, windows: Iterable[int], most: int, dense: int, longest: int) -> Grid:
    """The grid, with no more than about `most` evaluations in the longest window; `longest` is their longest distance.

    A `for` that is shorter than the evaluations then are apart takes one of them.
    """
    windows = [w for w in windows if w]
    apart = max(windows, default=0) // most
    if grid.evaluation >= min(apart, longest):
        return grid
    whole = gcd(*windows)
    evaluation = min(_divisor(whole, apart, 1) if whole >= apart else apart, longest)
    bound = min([LONGEST_STEP, evaluation // 2] + [w // SAMPLES_IN_WINDOW for w in [*windows, dense] if w])
    return Grid(evaluation, _divisor(evaluation, bound, 2))


def _divisor(whole: int, bound: int, least: int) -> int:
    """The largest whole divisor of `whole` that is at most `bound`; `whole` itself if there is none."""
    parts = max(least, -(-whole // max(bound, 1)))
    last = parts + TRIES
    while parts <= min(whole, last):
        if whole % parts == 0:
            return whole // parts
        parts += 1
    return whole if parts > whole else 1
