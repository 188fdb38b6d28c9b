"""Scripts: what a proof does to a signal and which severities fire when, without a single name.

One script takes the signal through all cases in turn. It depends on thresholds and durations alone, so alerts that
share those share one script, whatever their metrics and labels are called: it is worked out once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from alertkit.compile.claim import Claim, Scheme
from alertkit.compile.expression import memory_of
from alertkit.compile.ruleset import Rule
from alertkit.emit.promtool import Moments
from alertkit.prove.derived.grid import Grid
from alertkit.series import Piece, Slope

# The first words of the names of scripts whose series are driven in a way of their own: counters that are born with the
# value and stand still, pairs of windows of a burn rate, exact thresholds, exactly enough traffic.
NEWBORN, BURN, EDGE, ENOUGH = "newborn", "burn", "edge", "enough"
# Counters that would stand still do not exist: the part, or the rest, of a ratio alone.
LONE = "lone"
# Series that are harmful in another way than usually.
ALREADY = "already"


def stands_still(piece: Piece) -> bool:
    """Whether it is a counter that counts nothing."""
    return isinstance(piece, Slope) and not piece.per_second


class Step(NamedTuple):
    """A while of a timeline with what it proves: its case and level, and for `length` evaluations the signal's `value`
    (None: no data).

    `how` is GAP while samples are missed, RESET where counters restart at its beginning, LONE without those that would
    stand still.
    """

    case: str
    severity: str
    value: float | None
    length: int
    how: str = ""


class Check(NamedTuple):
    """One expectation: at `time` (milliseconds), in `case` of `severity`, these severities of the alert fire."""

    time: int
    case: str
    severity: str
    firing: tuple[str, ...]
    value: float | None

    @property
    def title(self) -> str:
        """Its case and severity in words."""
        return f"{self.case} {self.severity}".rstrip()


class Outcome(NamedTuple):
    """What alerts read like depends on which severities fire, at which value, and whether the data has `ended`; `exact`
    is a value that is had to the last bit whatever the kind."""

    firing: tuple[str, ...]
    value: float | None = None
    ended: bool = False
    exact: bool = False


SILENT = Outcome(())


class Shape(NamedTuple):
    """All that a script depends on.

    scheme    what of the claim knows no names
    levels    severity, `for` and `keep_firing_for` (milliseconds) of each rule
    patience  `for` of the companion that fires when the data is gone, if there is one
    memory    how far the companion looks back for what is gone (milliseconds)
    """

    scheme: Scheme
    levels: tuple[tuple[str, int, int], ...]
    patience: int | None
    memory: int

    @property
    def counters(self) -> bool:
        """Whether some of the series are counters."""
        return any(type(piece) is Slope for piece in self.scheme.motion.drive(self.scheme.rest))

    @property
    def newborn(self) -> int:
        """Where a counter that is born counts with its whole value, so long it is remembered (milliseconds); else 0."""
        motion = self.scheme.motion
        return motion.remembered if motion.newborn else 0


def shape_of(claim: Claim, rules: tuple[Rule, ...], companion: Rule | None) -> Shape:
    """What the scripts of an alert depend on."""
    levels = tuple([(rule.severity, rule.for_, rule.keep_firing_for) for rule in rules])
    if companion is None:
        return Shape(claim.scheme, levels, None, 0)
    return Shape(claim.scheme, levels, companion.for_, memory_of(companion.for_) if claim.identity else 0)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """When series change in a script; `interval` is the time between two samples in milliseconds.

    steps     for each step the place of its value in the script's `values` (of no data: one behind the last), its
              samples, and how it is interrupted
    """

    interval: int
    steps: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """One timeline.

    ends      the alert fires when all series are gone
    outcomes  what the alerts read like at the checks: many checks share one
    moments   when each check is made, with its title and the place of its outcome
    values    the signal's different values
    course    when its series change
    gone_at   the evaluation at which the data is gone for good; None when it never is
    """

    name: str
    grid: Grid
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    ends: bool
    outcomes: tuple[Outcome, ...] = field(init=False)
    moments: Moments = field(init=False)
    values: tuple[float, ...] = field(init=False)
    course: Course = field(init=False)
    gone_at: int | None = field(init=False)

    def __post_init__(self) -> None:
        places: dict[float | None, int] = {}
        for step in self.steps:
            if step.value is not None:
                places.setdefault(step.value, len(places))
        values, places[None] = tuple(places), len(places)
        samples = self.grid.samples
        steps = tuple([(places[step.value], step.length * samples, step.how) for step in self.steps])
        outcomes: dict[Outcome, int] = {}
        moments = [(c.time, c.title, outcomes.setdefault(self._outcome(c), len(outcomes))) for c in self.checks]
        ends = self.steps[-1].value is None
        object.__setattr__(self, "outcomes", tuple(outcomes))
        object.__setattr__(self, "moments", _moments(tuple(moments)))
        object.__setattr__(self, "gone_at", sum([step.length for step in self.steps[:-1]]) if ends else None)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "course", _course(self.grid.step, steps))

    def _outcome(self, check: Check) -> Outcome:
        if not check.firing:
            return SILENT
        exact = check.value is not None and self.name.startswith((EDGE, NEWBORN))
        return Outcome(check.firing, check.value, self.ends and check.case == "no-data", exact)


# Scripts that differ in their values alone share these, and the texts that are written from them.
_moments = lru_cache(maxsize=2048)(Moments)
_course = lru_cache(maxsize=2048)(Course)


@lru_cache(maxsize=2048)
def of_one(script: Script) -> Script:
    """The script for an alert that has no second identity: that exactly one fires then says nothing of its own."""
    checks = [check._replace(case="just-past") if check.case == "identity" else check for check in script.checks]
    return replace(script, checks=tuple(checks))
