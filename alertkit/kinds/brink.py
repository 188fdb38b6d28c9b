"""Counters that give a signal exactly its threshold, to the last bit, so that `>` and `>=` can be told apart.

All of it holds for samples half a window apart: then `rate` and `increase` extrapolate by exactly two where ranges are
left-open (Prometheus 3) and by nothing where they are closed (Prometheus 2).
Source: Prometheus, promql/functions.go, `extrapolatedRate`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

# Scales that are tried before a threshold is given up.
TRIES = 64


@lru_cache(maxsize=4096)
def rated(per_second: float, window: int) -> float:
    """What `rate` over a window (milliseconds) makes of a counter that rises by `per_second`; 0 of what none can be."""
    seconds = window / 1000
    rise = per_second * seconds / 2
    if not 0 < rise < math.inf:
        return 0.0
    quantum = math.ldexp(1.0, math.floor(math.log2(rise)) - 24)  # as in `series.notation`
    return round(rise / quantum) * quantum * (2.0 / seconds)


@lru_cache(maxsize=4096)
def shared(threshold: float, window: int, remains: bool, least: float) -> float | None:
    """Events a second, at least `least`, of which just this share comes out as exactly this ratio; None if none does.

    With `remains` the second series carries only what the first one leaves.
    """
    share = Fraction(repr(threshold))
    if not 0 < share < 1:
        return None
    for speed in _speeds(share.denominator, least):
        part = rated(speed * threshold, window)
        whole = part + rated(speed * (1 - threshold), window) if remains else rated(speed, window)
        if part / whole == threshold:
            return speed
    return None


@lru_cache(maxsize=4096)
def observed(quantile: float, window: int, least: float) -> float | None:
    """Observations a second, at least `least`, of which exactly this quantile falls below a bound; None if none do."""
    for speed in _speeds(Fraction(repr(quantile)).denominator, least):
        if rated(speed * quantile, window) == quantile * rated(speed, window):
            return speed
    return None


def _speeds(unit: int, least: float) -> Iterator[float]:
    if least > 2**53:  # no whole numbers of events to choose from
        return iter(())
    first = max(math.ceil(least / unit), 1)
    return (float(unit * times) for times in range(first, first + TRIES))
