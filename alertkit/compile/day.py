"""Times of one day, in minutes."""

from __future__ import annotations

from collections.abc import Sequence

END = 24 * 60


def gaps(times: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The times of day outside of all [begin, end) ranges."""
    rest: list[tuple[int, int]] = []
    at = 0
    for begin, end in sorted(times):
        if begin > at:
            rest.append((at, begin))
        at = max(at, end)
    if at < END:
        rest.append((at, END))
    return tuple(rest)
