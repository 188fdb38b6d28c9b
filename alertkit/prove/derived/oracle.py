"""When an alert should fire: Prometheus' alert states over a plan of stages, from the spec's meaning alone.

Nothing here knows the compiled PromQL. Between two stages a signal may be on its way for a while; where that leaves
the outcome open, both outcomes are followed and nothing is expected until they agree again.
Source of the state rules: Prometheus, rules/alerting.go, `AlertingRule.Eval`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

UNKNOWN: Final = None


class Stage(NamedTuple):
    """A while during which the signal is told to have one value; all times are counted in evaluations.

    holds   for each level, whether its condition holds at this value
    near    for each level, whether on its way into the stage the signal is harmful for less than one evaluation
    keeps   whether `clear` would keep the mildest level firing
    length  number of evaluations
    arrival after this many evaluations the signal has the value; before, it is on its way
    late    the way begins only after the stage's first evaluation
    sticky  on its way the signal keeps the old value
    eager   for each level: on its way the signal is harmful as soon as either end is
    early   the way takes no whole number of evaluations: at the last one of it the signal may have arrived
    """

    holds: tuple[bool, ...]
    near: tuple[bool, ...]
    keeps: bool
    length: int
    arrival: int = 0
    late: bool = False
    sticky: bool = False
    eager: tuple[bool, ...] = ()
    early: bool = False


class Timing(NamedTuple):
    """`for` and `keep_firing_for` of one level, in evaluations."""

    hold: int
    keep: int


class Run(NamedTuple):
    """Evaluations one after the other at which the same is known of a level; None where it is open.

    holds   whether its condition holds
    keeps   whether `clear` would keep it firing
    length  number of evaluations
    """

    holds: bool | None
    keeps: bool | None
    length: int


# The state of one level: ("inactive", -1), ("pending", since) or ("firing", first evaluation of being kept, or -1).
_State = tuple[str, int]
_INACTIVE: _State = ("inactive", -1)


@lru_cache(maxsize=4096)
def firing(
    stages: tuple[Stage, ...], timings: tuple[Timing, ...], hysteresis: bool
) -> tuple[tuple[bool | None, ...], ...]:
    """For each evaluation, for each level: firing, not firing, or None where it is not determined."""
    columns = [follow(_runs(stages, level, hysteresis and level == 0), timing) for level, timing in enumerate(timings)]
    return tuple(zip(*columns, strict=True))


def _runs(stages: tuple[Stage, ...], level: int, hysteresis: bool) -> tuple[Run, ...]:
    runs = []
    previous: Stage | None = None
    for stage in stages:
        # The first evaluation of the way and its last one may differ from those between.
        starts = [at for at in sorted({0, 1, stage.arrival - 1, stage.arrival}) if 0 <= at < stage.length]
        for start, end in pairwise([*starts, stage.length]):
            keeps = keeping(previous, stage, start) if hysteresis else False
            runs.append(Run(condition(previous, stage, start, level), keeps, end - start))
        previous = stage
    return tuple(runs)


@lru_cache(maxsize=4096)
def follow(runs: tuple[Run, ...], timing: Timing) -> tuple[bool | None, ...]:
    """For each evaluation whether a level fires; None where that is not determined."""
    states: set[_State] = {_INACTIVE}
    result: list[bool | None] = []
    for holds, keeps, length in runs:
        silent, fires = _either(holds), _either(_any(holds, keeps))
        end = len(result) + length
        while (now := len(result)) < end:
            before = states
            states = {
                _step(state, held, timing, now)
                for state in states
                for held in (fires if state[0] == "firing" else silent)
            }
            outcomes = {state[0] == "firing" for state in states}
            # Within a run, what an evaluation leaves as it was stays so until a `for` or `keep_firing_for` is over.
            until = min([end, *(_over(state, timing, end) for state in states)]) if states == before else now + 1
            result += [outcomes.pop() if len(outcomes) == 1 else UNKNOWN] * (until - now)
    return tuple(result)


def _over(state: _State, timing: Timing, never: int) -> int:
    """The evaluation at which a state ends because it has lasted long enough."""
    word, since = state
    return never if since < 0 else since + (timing.hold if word == "pending" else timing.keep)


def _any(one: bool | None, other: bool | None) -> bool | None:
    return True if one or other else UNKNOWN if UNKNOWN in (one, other) else False


def _either(known: bool | None) -> tuple[bool, ...]:
    return (True, False) if known is UNKNOWN else (known,)


def _step(state: _State, holds: bool, timing: Timing, now: int) -> _State:
    word, since = state
    if holds:
        if word == "firing":
            return ("firing", -1)
        since = since if word == "pending" else now
        return ("firing", -1) if now - since >= timing.hold else ("pending", since)
    if word == "firing" and timing.keep:
        since = now if since < 0 else since
        if now - since < timing.keep:
            return ("firing", since)
    return _INACTIVE


def condition(previous: Stage | None, stage: Stage, elapsed: int, level: int) -> bool | None:
    """Whether the condition of a level holds at an evaluation of a stage."""
    new = stage.holds[level]
    if elapsed >= stage.arrival:
        return new
    if previous is None:
        return False
    old = previous.holds[level]
    if stage.late and elapsed == 0:
        return old
    if stage.early and elapsed == stage.arrival - 1:
        return new if old == new else UNKNOWN
    if stage.sticky:
        return old
    if old == new:
        return new
    if stage.eager and stage.eager[level]:
        return True
    return False if stage.near[level] else UNKNOWN


def keeping(previous: Stage | None, stage: Stage, elapsed: int) -> bool | None:
    """Whether `clear` would keep the mildest level firing at an evaluation of a stage."""
    if elapsed >= stage.arrival or previous is None:
        return stage.keeps
    sure = not (stage.early and elapsed == stage.arrival - 1)
    if (stage.late and elapsed == 0) or (stage.sticky and sure):
        return previous.keeps
    return stage.keeps if previous.keeps == stage.keeps else UNKNOWN
