"""Samples in promtool's notation (`0x20 1x9 0+4x40 _x3 stale`), without losing a bit.

promtool adds increments one by one, so a run is written as one only where that addition gives exactly the samples: a
counter must never seem to fall by a rounding error, which Prometheus would take for a reset.
Source of the notation: Prometheus documentation, "Unit testing for rules", series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum

from alertkit.spec.quantity import format_number


class Mark(Enum):
    """A sample that is no number."""

    STALE = "stale"


# A missing sample is None.
Sample = float | Mark | None

# Shorter runs read better as numbers.
SHORTEST = 4


def written(samples: Sequence[Sample]) -> str:
    """The text of a series; empty when it has no sample at all. Missing samples at its end are left out."""
    end = len(samples)
    while end and samples[end - 1] is None:
        end -= 1
    words: list[str] = []
    at = 0
    while at < end:
        sample = samples[at]
        length = _same(samples, at, end)
        if sample is None:
            words.append(f"_x{length}" if length > 1 else "_")
        elif isinstance(sample, Mark):
            words += ["stale"] * length
        else:
            rising, increment = _rising(samples, at, end) if length == 1 else (1, 0.0)
            if length > 1:
                again = "x" if math.isfinite(sample) else "+0x"  # promtool reads `NaNx3` as a name
                words.append(f"{format_number(sample)}{again}{length - 1}")
            elif rising >= SHORTEST:
                sign = "-" if increment < 0 else "+"
                words.append(f"{format_number(sample)}{sign}{format_number(abs(increment))}x{rising - 1}")
                length = rising
            else:
                words.append(format_number(sample))
        at += length
    return " ".join(words)


def _same(samples: Sequence[Sample], at: int, end: int) -> int:
    """How many samples from `at` on are the same."""
    first = samples[at]
    stop = at + 1
    while stop < end and (samples[stop] == first or (samples[stop] != samples[stop] and first != first)):
        stop += 1
    return stop - at


def _rising(samples: Sequence[Sample], at: int, end: int) -> tuple[int, float]:
    """How many samples from `at` on are reached by adding one increment again and again, and the increment."""
    first = samples[at]
    second = samples[at + 1] if at + 1 < end else None
    if not isinstance(first, float) or not isinstance(second, float):
        return 1, 0.0
    increment = second - first
    value, stop = first, at + 1
    while stop < end and value + increment == samples[stop]:
        value += increment
        stop += 1
    return stop - at, increment
