"""Proofs of `missing: alert`: how long it remembers what is gone, and that it also knows when nothing is left.

One group loses one identity while another stays: the companion fires until its memory ends, then it has forgotten. In
a second group all is lost: after the memory of single identities the whole metric is missed, and what looks like the
metric but for one matcher changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from alertkit.compile.claim import Claim
from alertkit.compile.expression import HOUR
from alertkit.compile.ruleset import Rule
from alertkit.emit.promtool import AlertTest, ExpectedAlert, InputSeries, TestGroup, gathered
from alertkit.kinds.stimulus import Input
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.script import Check
from alertkit.series import Level, notation

MINUTE = 60_000
# How long all is well, at least, before the data goes.
LEAD = 10 * MINUTE
FORGOTTEN, VANISHED = "forgotten", "vanished"


def memory_of(rule: Rule) -> int:
    """How long the companion remembers an identity, in milliseconds; as in `compile.expression.gone`."""
    return max(HOUR, 2 * rule.for_)


def grid_of(rule: Rule) -> Grid:
    """Evaluations that are few and yet tell the memory from its half and its double."""
    return Grid(max(5, memory_of(rule) // 12 // MINUTE) * MINUTE, MINUTE)


def missing_tests(
    claim: Claim, rule: Rule, bad: dict[str, str], alone: bool, case: str
) -> tuple[list[AlertTest], int] | None:
    """What is expected of the companion, and how many evaluations all take; None where the case does not apply.

    `alone`: there is no other identity that stays.
    """
    if len(claim.inputs) != 1 or not claim.identity or (case == FORGOTTEN and alone):
        return None
    grid = grid_of(rule)
    memory, hold = grid.evaluations(memory_of(rule)), grid.evaluations(rule.for_)
    start = grid.evaluations(LEAD)
    last = start + memory
    one = _expected(rule, bad)
    whole = _expected(rule, claim.inputs[0].equalities())
    # Half an evaluation around each change is left open: the last sample came a step before it.
    moments: list[tuple[int, tuple[ExpectedAlert, ...]]] = [
        (start - 1, ()), (start + hold + 1, (one,)), (last - 2, (one,)),
    ]  # fmt: skip
    if case == FORGOTTEN:
        moments.append((last + 2, ()))
    else:
        again = last + hold + 2 if whole != one else last + 2
        moments.append((again, (whole,)))
    tests = [AlertTest(at * grid.evaluation, rule.alert, expected, case) for at, expected in moments]
    return tests, max(at for at, _ in moments) + 1


def _expected(rule: Rule, labels: dict[str, str]) -> ExpectedAlert:
    return ExpectedAlert(tuple({**labels, **dict(rule.labels)}.items()), rule.annotations)


def missing_group(
    title: str, claim: Claim, rule: Rule, tests: Sequence[AlertTest], length: int, lost: Sequence[str],
    staying: Sequence[str],
) -> tuple[TestGroup, tuple[Check, ...]]:  # fmt: skip
    """The test group: the series `lost` end after the lead, those `staying` do not."""
    grid = grid_of(rule)
    early = grid.evaluations(LEAD) * grid.samples
    rest = length * grid.samples - early
    short = notation([(Level(1.0), early)], grid.step)
    full = notation([(Level(1.0), early + rest)], grid.step)
    series = [InputSeries(name, f"{short} stale") for name in lost] + [InputSeries(name, full) for name in staying]
    checks = tuple(Check(test.time, test.comment, "", (), None) for test in tests)
    return TestGroup(title, grid.step, tuple(series), gathered(tests)), checks


def watched(claim: Claim) -> list[Input]:
    """The series that the companion watches."""
    return [one for one in claim.stimulus.inputs if one.selector in claim.inputs]
