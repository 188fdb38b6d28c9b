"""What a bench hands over, and how times are taken: in turns, so that a noisy machine disturbs all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """One row of the table. `ratio` is the value as a share of its target: at most 1.00 means that it is met."""

    what: str
    value: str
    target: str = ""
    ratio: str = ""


def in_turns(actions: Sequence[Callable[[], object]], times: int) -> list[float]:
    """Median seconds of each action; they run A B C A B C, not A A B B C C."""
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(times):
        for action, seconds in zip(actions, taken, strict=True):
            begin = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - begin)
    return [statistics.median(seconds) for seconds in taken]


def against(what: str, value: float, target: float, unit: str, of: str) -> Figure:
    """A figure beside its target; `of` says what the target is."""
    return Figure(what, f"{value:.3g} {unit}", f"{target:.3g} {unit} ({of})", f"{value / target:.2f}")
