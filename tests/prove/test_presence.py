"""Expressions that mean the same whichever of their counters exist, and ones that only seem to."""

from __future__ import annotations

import pytest

from alertkit.promql import parse, to_text
from alertkit.prove.mutation.presence import same_whatever_exists

GOOD, BAD = "sum by (job) (rate(good[{}]))", "sum by (job) (rate(bad[{}]))"
EITHER = f"({BAD} or 0 * {GOOD})".format("5m", "5m")


def share(first: str = "5m", filler: str = "5m", second: str = "5m") -> str:
    """The share of bad events; `filler` is the window of what stands for good ones that do not exist."""
    good, bad = GOOD.format(first), BAD.format(second)
    return f"({bad} or 0 * {good}) / (({good} or 0 * {BAD.format(filler)}) + ({bad} or 0 * {good}))"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A longer window holds the samples of the shorter one.
        (share() + " > 0.1", share(filler="10m") + " > 0.1"),
        # Without bad events the share is zero or nothing, and neither is above a threshold.
        (share() + " > 0.1", share().replace(f"+ {EITHER}", f"+ {BAD.format('5m')}") + " > 0.1"),
        (f"{BAD.format('5m')} or 0 * {BAD.format('5m')}", BAD.format("5m")),
        # What a filter lets through is not known, but it is the same.
        (f"(({share()}) > 0.1) and on (job) x == 1", f"(({share(filler='10m')}) > 0.1) and on (job) x == 1"),
    ],
)  # fmt: skip
def test_they_are_the_same(before: str, after: str) -> None:
    assert before != after
    assert same_whatever_exists(parse(before), parse(after), to_text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (share() + " > 0.1", share(filler="1m") + " > 0.1"),
        # Below a threshold a share of zero counts.
        (share() + " < 0.1", share().replace(f"{EITHER} /", f"{BAD.format('5m')} /") + " < 0.1"),
        (share(), share(first="10m")),
        # That a series exists does not mean that its value passes a comparison.
        (f"{GOOD.format('5m')} > 1 or {GOOD.format('5m')} > 0.5 and on (job) x == 1", f"{GOOD.format('5m')} > 1"),
        (f"{GOOD.format('5m')} unless {BAD.format('5m')} > 1", f"{GOOD.format('5m')} unless {BAD.format('5m')}"),
        # Aggregations with other labels have other elements.
        (f"{GOOD.format('5m')} or 0 * {BAD.format('5m')}", f"{GOOD.format('5m')} or 0 * sum(rate(bad[5m]))"),
    ],
)  # fmt: skip
def test_they_are_not_taken_for_the_same(before: str, after: str) -> None:
    assert before != after
    assert not same_whatever_exists(parse(before), parse(after), to_text)
