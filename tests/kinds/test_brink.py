"""Counters at their threshold to the last bit: only where a counter can be there at all."""

from __future__ import annotations

import math

from alertkit.kinds.brink import observed, rated, shared


def test_a_rate_is_what_the_counter_rises_by() -> None:
    assert rated(2.0, 300_000) == 2.0
    assert rated(0.0, 300_000) == 0.0


def test_no_counter_falls_or_rises_without_end() -> None:
    assert rated(-1.0, 300_000) == 0.0
    assert rated(math.inf, 300_000) == 0.0
    assert shared(-0.5, 300_000, False, 1.0) is None
    assert shared(0.5, 300_000, False, math.inf) is None
    assert observed(0.5, 300_000, 1e308) is None
