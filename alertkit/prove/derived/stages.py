"""From a shape to its scripts: its timelines, and what fires when in them."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, compress, pairwise

from alertkit.kinds import Comparison
from alertkit.prove.derived.burns import Burns, Pair, checks_of, plans_of
from alertkit.prove.derived.clock import clock_of, is_loadable
from alertkit.prove.derived.edges import Edges
from alertkit.prove.derived.interruptions import Interruptions
from alertkit.prove.derived.names import IDLE, THIN
from alertkit.prove.derived.oracle import Stage, Timing, firing
from alertkit.prove.derived.pace import Pace
from alertkit.prove.derived.script import BURN, Check, Script, Shape, Step, stands_still
from alertkit.prove.derived.timelines import Timelines
from alertkit.spec.duration import format_duration

# A timeline of more samples than this (a `for` of milliseconds beside a window of years) is not attempted.
MOST_SAMPLES = 5_000_000
# What a signal that is never negative meets as soon as it moves.
ANY_AT_ALL = (Comparison(">", 0.0), Comparison("!=", 0.0))


@lru_cache(maxsize=1024)
def scripts_of(shape: Shape) -> tuple[Script, ...]:
    """All scripts of a shape: one, or for a kind that its own past disturbs, one for each case."""
    grid = clock_of(shape)
    pace = Pace(shape, grid)
    scripts = _Scripts(shape, pace)
    told = [
        scripts.script(name, steps)
        for name, steps in Timelines(shape, pace).all()
        if sum(step.length for step in steps) * grid.samples <= MOST_SAMPLES
    ]
    told += scripts.burns() + Interruptions(shape, grid).scripts() + Edges(shape, grid).scripts()
    return tuple([s for s in told if is_loadable(shape, s.grid, sum(step.length for step in s.steps))])


class _Scripts:
    """Asks the oracle what is to be expected of the timelines of a shape."""

    def __init__(self, shape: Shape, pace: Pace) -> None:
        self.shape, self.scheme, self.motion, self.pace = shape, shape.scheme, shape.scheme.motion, pace
        self.boundaries, self.rest, self.grid = self.scheme.boundaries, self.scheme.rest, pace.grid
        self.severities = tuple([severity for severity, _, _ in shape.levels])
        self.timings = tuple(
            [Timing(self.grid.evaluations(hold), self.grid.evaluations(keep)) for _, hold, keep in shape.levels]
        )
        self.eager = tuple(
            self.motion.eager and any(b.comparison in ANY_AT_ALL for b in self.boundaries if b.severity == severity)
            for severity in self.severities
        )
        self._known: dict[float | None, tuple[bool, ...]] = {}

    def burns(self) -> list[Script]:
        """A timeline for each pair of windows of a burn rate."""
        pairs = tuple(Pair(*row, *edge) for row, edge in zip(self.motion.pairs, self.scheme.edges, strict=True))
        # While all are bad, a counter of the good ones stands still.
        parted = self.motion.scarce is not None and any(map(stands_still, self.motion.scarce(1.0)))
        burns = Burns(pairs, self.motion.counted, parted)
        scripts = []
        for pair in pairs:
            for which, grid, plan in plans_of(pair, burns, max(hold for _, hold, _ in self.shape.levels)):
                steps = [Step(case, pair.severity, share, length, how) for case, share, length, how in plan]
                timings = {
                    severity: Timing(grid.evaluations(hold), grid.evaluations(keep))
                    for severity, hold, keep in self.shape.levels
                }
                name = f"{BURN} {pair.severity} {format_duration(pair.long)}{which}"
                checks = checks_of(pair, burns, timings, grid, steps)
                scripts.append(Script(name, grid, tuple(steps), checks, False))
        return scripts

    def script(self, name: str, steps: list[Step]) -> Script:
        return Script(name, self.grid, tuple(steps), self._checks(name, steps), self.scheme.ends)

    def _checks(self, name: str, steps: list[Step]) -> tuple[Check, ...]:
        """Every change of state from both sides, and the end of every stage."""
        stages = self._quiet_stages(steps) if name in (THIN, IDLE) else self._stages(steps)
        cases = tuple([step.case for step in steps])
        checks = []
        for index, at, case, fires, known in _moments(stages, cases, self.timings, self.scheme.clear is not None):
            step = steps[index]
            value = step.value if known and not self.motion.drifts else None
            checks.append(
                Check(at * self.grid.evaluation, case, step.severity, tuple(compress(self.severities, fires)), value)
            )
        return tuple(checks)

    def _stages(self, steps: list[Step]) -> tuple[Stage, ...]:
        """What the oracle needs of the steps: conditions at each value, and how long each change takes."""
        stages = []
        before: float | None = None
        for index, step in enumerate(steps):
            value = step.value
            arrival, late, early = self._arrival(before, value, index == 0)
            near = tuple([self._near(before, value, level, arrival) for level in range(len(self.severities))])
            stages.append(Stage(
                self._harmful(value), near, self._keeps(value), step.length, arrival, late, self.motion.sticky,
                self.eager, early,
            ))  # fmt: skip
            before = value
        return tuple(stages)

    def _quiet_stages(self, steps: list[Step]) -> tuple[Stage, ...]:
        """The same where no value is harmful."""
        nothing = (False,) * len(self.severities)
        return tuple([Stage(nothing, nothing, False, step.length) for step in steps])

    def _harmful(self, value: float | None) -> tuple[bool, ...]:
        """For each level whether its condition holds at a value."""
        if value not in self._known:
            self._known[value] = tuple([self._is_harmful(value, severity) for severity in self.severities])
        return self._known[value]

    def _is_harmful(self, value: float | None, severity: str) -> bool:
        if value is None:
            return self.scheme.ends
        if self.motion.always:
            return True
        return any(b.comparison.holds(value) for b in self.boundaries if b.severity == severity)

    def _keeps(self, value: float | None) -> bool:
        return value is not None and self.scheme.clear is not None and self.scheme.clear.holds(value)

    def _near(self, before: float | None, value: float | None, level: int, arrival: int) -> bool:
        """Whether one end of the way is so near to the boundary that it is crossed in less than one evaluation."""
        if not arrival or before is None or value is None or before == value or self.motion.far:
            return False
        harmful = value if self._harmful(value)[level] and not self._harmful(before)[level] else before
        if self.motion.drifts and harmful == before:
            return False  # by now it is further away
        severity = self.severities[level]
        edges = [b.comparison.value for b in self.boundaries if b.severity == severity and b.past == harmful]
        # At the last evaluation of the way one sample less is old where ranges are left-open; at its first one is new.
        samples, part = self.grid.samples, self.grid.samples - 1
        if harmful == before:
            part = samples if self.motion.late else 1
        even = self.motion.even or _itself
        return any(
            abs(even(harmful, edge) - even(edge, edge)) * arrival * samples
            < abs(even(value, edge) - even(before, edge)) * part
            for edge in edges
        )

    def _arrival(self, before: float | None, value: float | None, first: bool) -> tuple[int, bool, bool]:
        """Evaluations until the signal has the value, whether that begins only after the first of them, and whether it
        may have it one earlier."""
        motion = self.motion
        if value is None or motion.always:
            return 0, False, False
        if self.pace.delays is not None and value != self.rest:
            delay = self.pace.delays[value]
            return self.grid.evaluations(delay), False, self.pace.is_early(delay)
        if first:
            return (self.pace.birth() if motion.isolated else self.pace.way(True)), False, False
        if before is None or value == before:
            return 0, False, False
        lasts = motion.rise if value > before else motion.fall
        way = max(self.grid.evaluations(lasts), self.pace.sight())
        return max(way, 1 if motion.late else 0), motion.late, self.pace.is_early(lasts)


def _itself(value: float, edge: float) -> float:
    """What goes evenly on the way from one value to another, unless the kind says otherwise."""
    return value


def _some(states: tuple[bool | None, ...]) -> bool:
    """Whether some levels fire for sure and some surely do not."""
    return True in states and False in states and None not in states


@lru_cache(maxsize=4096)
def _moments(
    stages: tuple[Stage, ...], cases: tuple[str, ...], timings: tuple[Timing, ...], hysteresis: bool
) -> tuple[tuple[int, int, str, tuple[bool | None, ...], bool], ...]:
    """(step, evaluation, case, state of each level, whether the signal is known) of every moment worth checking."""
    states = firing(stages, timings, hysteresis)
    moments: dict[int, tuple[int, str]] = {}
    starts = list(accumulate((stage.length for stage in stages), initial=0))
    for index, (start, end) in enumerate(pairwise(starts)):
        for at in range(max(start, 1), end):
            if states[at] == states[at - 1] or None in states[at]:
                continue
            if at - 1 >= start and None not in states[at - 1]:
                moments.setdefault(at - 1, (index, cases[index]))
            moments[at] = (index, cases[index])
        last = end - 1
        if cases[index] == "just-inside" and last - 1 >= start and _some(states[last - 1]):
            moments.setdefault(last - 1, (index, "levels"))
        if None not in states[last]:
            case = "identity" if cases[index] == "just-past" else cases[index]
            moments.setdefault(last, (index, case))
    return tuple(
        (index, at, case, states[at], _is_known(stages[index], at - starts[index], states[at]))
        for at, (index, case) in sorted(moments.items())
    )


def _is_known(stage: Stage, elapsed: int, states: tuple[bool | None, ...]) -> bool:
    """Whether the annotations read the value of the stage."""
    # While `keep_firing_for` alone keeps it, they still read the value of before.
    kept = any(
        fires and not holds and not (stage.keeps and level == 0)
        for level, (fires, holds) in enumerate(zip(states, stage.holds, strict=True))
    )
    return elapsed >= stage.arrival and not kept
