"""From a shape to its scripts: which values the signal takes, for how long, and what fires then.

One timeline takes the signal of one identity through all cases in turn, while a second identity stays at rest. A kind
that is disturbed by its own past gets a timeline for each case.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, compress, pairwise

from alertkit.compile.claim import FALLING, RISING, Boundary, Scheme, between, is_reached_low
from alertkit.kinds import Comparison, Stimulus
from alertkit.prove.derived.burns import Burns, Pair, checks_of, plans_of
from alertkit.prove.derived.edges import Edges
from alertkit.prove.derived.grid import MOST_LOADED, Grid, choose, coarser
from alertkit.prove.derived.interruptions import SHORT, Interruptions
from alertkit.prove.derived.names import GAP, IDLE, RESET, THIN
from alertkit.prove.derived.oracle import Stage, Timing, firing
from alertkit.prove.derived.script import BURN, Check, Script, Shape, Step, stands_still
from alertkit.spec.duration import format_duration

# A timeline of more samples than this (a `for` of milliseconds beside a window of years) is not attempted.
MOST_SAMPLES = 5_000_000
# A while that must have passed before anything can be seen, such as an age of months, takes no more evaluations: of
# an age, and of what compares with the past; of what is looked at by a subquery, so many looks, and at least so many.
LONGEST_PRELUDE, LONGEST_PAST, LONGEST_LOOK, LEAST = 2_000, 3_000, 20_000, 12
# So many evaluations in the longest window, of which a timeline takes about nine: enough for 5m beside a day.
MOST_IN_WINDOW = 600
MINUTE, DAY = 60_000, 86_400_000
# Hysteresis looks at the alert's state of the evaluation before, as far as the lookback reaches.
LONGEST_SEEN = 2 * MINUTE
# Where promtool could not load all that `missing` remembers, so many evaluations in it, of some samples each.
MOST_REMEMBERED = MOST_LOADED // 8

# What a signal that is never negative meets as soon as it moves.
ANY_AT_ALL = (Comparison(">", 0.0), Comparison("!=", 0.0))


@lru_cache(maxsize=1024)
def scripts_of(shape: Shape) -> tuple[Script, ...]:
    """All scripts of a shape: one, or for a kind that its own past disturbs, one for each case."""
    scripts = _Scripts(shape)
    told = [
        scripts.script(name, steps)
        for name, steps in scripts.timelines()
        if sum(step.length for step in steps) * scripts.grid.samples <= MOST_SAMPLES
    ]
    told += scripts.burns() + Interruptions(shape, scripts.grid).scripts() + Edges(shape, scripts.grid).scripts()
    return tuple(script for script in told if _loaded(shape, script) <= MOST_LOADED)


def overloads(shape: Shape) -> bool:
    """Whether it looks back at more samples than promtool loads, at the steps that its `for`s need."""
    windows = 0 if shape.scheme.motion.isolated else _window(shape)
    return max(windows, shape.memory) // _Scripts(shape).grid.step > MOST_LOADED


def is_remote(motion: Stimulus) -> bool:
    """Whether something must have passed before anything can be seen, which then takes few evaluations."""
    return motion.prelude > 0 and (motion.instant or motion.isolated)


def is_coarse(shape: Shape, hold: int) -> bool:
    """Whether evaluations may be too far apart for a `for` of so many milliseconds, as it looks back much further."""
    return is_remote(shape.scheme.motion) or _window(shape) > MOST_IN_WINDOW * hold // 2


def _window(shape: Shape) -> int:
    return max(shape.scheme.motion.rise, shape.scheme.motion.fall)


def _loaded(shape: Shape, script: Script) -> int:
    """Samples of one series that it looks back at, of which promtool loads at most `MOST_LOADED`."""
    lasts = sum(step.length for step in script.steps) * script.grid.evaluation
    return int(min(max(_window(shape), shape.memory), lasts) // script.grid.step)


class _Scripts:
    """Chooses the stages of each case, and asks the oracle what is to be expected of them."""

    def __init__(self, shape: Shape) -> None:
        self.shape, self.scheme, self.motion = shape, shape.scheme, shape.scheme.motion
        self.boundaries, self.rest = self.scheme.boundaries, self.scheme.rest
        self.delays = _delays(self.scheme)
        self.grid = grid = self._grid()
        self.holds = {severity: grid.evaluations(hold) for severity, hold, _ in shape.levels}
        self.severities = tuple(self.holds)
        self.longest = max(self.holds.values())
        self.kept = max(grid.evaluations(keep) for _, _, keep in shape.levels)
        self.low = any(is_reached_low(b.comparison) for b in self.boundaries)
        self.timings = tuple([Timing(grid.evaluations(hold), grid.evaluations(keep)) for _, hold, keep in shape.levels])
        self.eager = tuple(
            self.motion.eager and any(b.comparison in ANY_AT_ALL for b in self.boundaries if b.severity == severity)
            for severity in self.severities
        )
        self._known: dict[float | None, tuple[bool, ...]] = {}

    def _grid(self) -> Grid:
        shape, motion = self.shape, self.motion
        windows = [] if motion.isolated else [motion.rise, motion.fall]
        longest = LONGEST_SEEN if self.scheme.clear is not None else DAY
        grid = self._usual(windows, longest)
        if shape.memory // grid.step > MOST_LOADED:
            return coarser(grid, [*windows, shape.memory], MOST_REMEMBERED, motion.window, longest)
        return grid

    def _usual(self, windows: list[int], longest: int) -> Grid:
        """Without regard to what is remembered; evaluations are at most the `longest` time apart."""
        shape, motion = self.shape, self.motion
        hysteresis = self.scheme.clear is not None
        holds = [hold for _, for_, keep in shape.levels for hold in (for_, keep)]
        if shape.patience is not None:
            holds.append(shape.patience)
        if self.delays is not None:
            windows = [*windows, *(self.delays[boundary.past] for boundary in self.boundaries)]
        grid = choose(holds, windows, hysteresis, motion.window)
        if is_remote(motion):
            # Evaluations may then be further apart than a short `for`, whose length does not show any more.
            past = max([motion.prelude, *(self.delays or {}).values()])
            most = LONGEST_PRELUDE if motion.instant else LONGEST_PAST
            if motion.sampled:
                most = max(LONGEST_LOOK // max(past // motion.sampled, 1), LEAST)
            apart = -(-past // (grid.evaluation * most)) * grid.evaluation
            if hysteresis and not motion.isolated:
                apart = min(apart, longest // grid.evaluation * grid.evaluation)
            if apart > grid.evaluation:
                return Grid(apart, apart if motion.instant else grid.step)
        elif not motion.isolated and self.delays is None:
            return coarser(grid, windows, MOST_IN_WINDOW, motion.window, longest)
        return grid

    def timelines(self) -> list[tuple[str, list[Step]]]:
        if self.motion.always:
            return [("", [Step("just-past", self.severities[0], 1.0, self.longest + 3)])]
        if self.motion.isolated:
            return self._isolated()
        lead = self.grid.evaluations(self.motion.prelude) + self._way(True)
        if self.low and self._way(True):
            lead += self.kept  # while its window fills it may fire, and is then kept
        steps = [Step("at-rest", "", self.rest, lead + self.longest + 1), *self._disturbed()]
        edge: Boundary | None = None
        for boundary in self.boundaries:
            base = self.rest
            if edge is not None:
                if _further(edge, boundary):
                    base = between(edge.past, boundary.comparison.value)
                else:
                    steps.append(self._rest(edge))
            steps += self._climb(boundary, base)
            edge = boundary
        assert edge is not None
        steps += self._restarted(edge)
        steps += self._between()
        steps.append(self._rest(edge))
        if not self.motion.absence:
            steps.append(self._gone())
        return [("", steps), *self._quiet()]

    def _isolated(self) -> list[tuple[str, list[Step]]]:
        prelude = self.grid.evaluations(self.motion.prelude)
        lead = [Step("at-rest", "", self.rest, prelude)] if prelude else []
        first = Step("at-rest", "", self.rest, prelude + self.longest + 2)
        calm = [first, *self._disturbed()]
        lines = [("at-rest", calm if self.motion.absence else [*calm, self._gone()])]
        for boundary in self.boundaries:
            climb = self._climb(boundary, self.rest)
            blip = [step for step in climb if step.case == "blip"]
            lines.append((f"{boundary.severity} just-inside", [*lead, climb[0]]))
            if blip:
                lines.append((f"{boundary.severity} blip", [*lead, *blip]))
            fires = [climb[-1], *self._restarted(boundary), self._rest(boundary)]
            lines.append((f"{boundary.severity} just-past", [*lead, *fires]))
        return [(name, self._shortened(steps, len(lead))) for name, steps in lines] + self._quiet()

    def _disturbed(self) -> list[Step]:
        """At rest: counters restart, and some samples are missed."""
        calm = self.longest + 2
        steps = [Step(RESET, "", self.rest, calm, RESET)] if self.shape.counters else []
        if gap := self._gap():
            steps.append(Step(GAP, "", self.rest, gap, GAP))
            steps.append(Step(GAP, "", self.rest, self._way(True) + self._way(False) + calm))
        return steps

    def _gap(self) -> int:
        """Evaluations without samples that the question does not mind; 0 where there is no such gap.

        A window with fewer samples makes a mean no higher, but what is counted in it comes out too low.
        """
        motion, longest = self.motion, SHORT
        if motion.relative or motion.far or not (motion.rise or motion.fall or motion.absence):
            return 0  # what only the newest samples tell has a timeline of its own
        if self.low:
            return 0
        if self.delays is not None:
            longest = min([SHORT, *(self.delays[boundary.past] // 2 for boundary in self.boundaries)])
        return longest // self.grid.evaluation

    def _restarted(self, boundary: Boundary) -> list[Step]:
        """Counters restart while the alert fires."""
        if not self.shape.counters:
            return []
        return [Step(RESET, boundary.severity, boundary.past, 2, RESET)]

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

    def _quiet(self) -> list[tuple[str, list[Step]]]:
        """However bad the value, without enough traffic nobody is told."""
        lines = []
        gravest = self.boundaries[-1]
        way = self._way(True) + self._way(False) + self.grid.evaluations(self.motion.prelude)
        if self.motion.thin is not None:
            way += self.grid.evaluations(self.motion.counted)
            bad = 1.0 if self.motion.pairs else gravest.past
            steps = [Step(THIN, "", self.rest, way), Step(THIN, "", bad, way + self.longest + 2)]
            lines.append((THIN, steps))
        if self.motion.idle is not None:
            lines.append((IDLE, [Step(IDLE, "", self.rest, way + self.longest + 2)]))
        return lines

    def _shortened(self, steps: list[Step], lead: int) -> list[Step]:
        """Cut what lasts longer than a value can be held."""
        longest = self.motion.longest
        if longest is None:
            return steps
        left = self.grid.evaluations(longest)
        short = steps[:lead]
        for step in steps[lead:]:
            if step.case not in ("at-rest", "no-data"):
                length = min(step.length, left)
                if step.case == "blip" and step.value == self.rest and length < step.length:
                    length = 0  # the way back may not have ended by then
                left -= length
                step = step._replace(length=length)
            if step.length > 0:
                short.append(step)
        return short

    def _climb(self, boundary: Boundary, base: float) -> list[Step]:
        """just-inside, blip and back, just-past of one boundary, each reached from `base`."""
        severity, motion = boundary.severity, self.motion
        hold = self.holds[severity]
        up = boundary.past > base
        way, back = self._way(up), self._way(not up)
        if self.delays is not None:
            way = self.grid.evaluations(self.delays[boundary.past])
        if motion.isolated:
            way = max(way, self._birth())
        steps = [Step("just-inside", severity, boundary.inside, way + hold + 2)]
        if back and not motion.sticky:
            # On its way a mean passes all values between: from just inside it would cross the boundary early.
            steps.append(Step("just-inside", severity, base, back + 1))
        late = 1 if motion.late else 0
        early = self._is_early(motion.rise if up else motion.fall)
        graver = self._graver(boundary)
        blip = min(way + hold - late - early - (back if motion.sticky else 0), graver)
        if hold >= 2 and blip > 0:
            steps.append(Step("blip", severity, boundary.past, blip))
            steps.append(Step("blip", severity, base, back + hold + 2))
        steps.append(Step("just-past", severity, boundary.past, min(way + hold + 3, graver)))
        return steps

    def _graver(self, boundary: Boundary) -> int:
        """Evaluations until a signal that grows with time fires with a further level."""
        if self.delays is None:
            return MOST_SAMPLES
        delay = self.delays[boundary.past]
        further = [(b, self.delays[b.past]) for b in self.boundaries if self.delays[b.past] > delay]
        return min(
            [self.grid.evaluations(time) + self.holds[b.severity] - self._is_early(time) for b, time in further],
            default=MOST_SAMPLES,
        )

    def _between(self) -> list[Step]:
        """Hysteresis: between `clear` and the threshold it goes on firing, below it resolves and does not come back."""
        kept, cleared = self.scheme.kept, self.scheme.cleared
        if kept is None or cleared is None or self.motion.isolated:
            return []
        severity, falls = self.severities[0], self.boundaries[0].comparison.op in FALLING
        down, up = self._way(falls), self._way(not falls)
        return [
            Step("between", severity, kept, down + self.kept + 2),
            Step("between", severity, cleared, down + self.kept + 2),
            Step("between", severity, kept, up + self.holds[severity] + 2),
        ]

    def _birth(self) -> int:
        """Evaluations until a series that has just been born gives the signal its value."""
        return -(-(self.motion.birth - 1) * self.grid.step // self.grid.evaluation)

    def _sight(self) -> int:
        """Evaluations until a new sample is surely looked at."""
        sampled = self.motion.sampled
        return self.grid.evaluations(sampled) if sampled and self.grid.evaluation % sampled else 0

    def _rest(self, boundary: Boundary) -> Step:
        up = self.rest > boundary.past
        way = self._way(up)
        if self.motion.isolated and not self.motion.pairs:
            way = max(self.grid.evaluations(self.motion.rise if up else self.motion.fall), self._sight())
        return Step("recovers", boundary.severity, self.rest, way + self.kept + self.longest + 3)

    def _gone(self) -> Step:
        patience = self.grid.evaluations(self.shape.patience or 0)
        length = max(patience + 3, self.grid.evaluations(6 * 60_000))
        if self.low:
            # It may fire while its window runs empty, and is then kept.
            length = max(length, self._way(False) + self.kept + 3)
        return Step("no-data", "", None, length)

    def _way(self, up: bool) -> int:
        """Evaluations until the signal has arrived at a new value."""
        motion = self.motion
        return 0 if motion.isolated else self.grid.evaluations(motion.rise if up else motion.fall)

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
        if self.delays is not None and value != self.rest:
            delay = self.delays[value]
            return self.grid.evaluations(delay), False, self._is_early(delay)
        if first:
            return (self._birth() if motion.isolated else self._way(True)), False, False
        if before is None or value == before:
            return 0, False, False
        lasts = motion.rise if value > before else motion.fall
        way = max(self.grid.evaluations(lasts), self._sight())
        return max(way, 1 if motion.late else 0), motion.late, self._is_early(lasts)

    def _is_early(self, lasts: int) -> bool:
        """Whether what lasts so long (milliseconds) is over before the last evaluation that it is counted as."""
        return lasts % self.grid.evaluation != 0

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


def _itself(value: float, edge: float) -> float:
    """What goes evenly on the way from one value to another, unless the kind says otherwise."""
    return value


def _delays(scheme: Scheme) -> dict[float, int] | None:
    """For a signal that grows with time: value -> milliseconds from the change to it; of all values that it takes."""
    if scheme.motion.delay is None:
        return None
    values = [value for b in scheme.boundaries for value in (b.inside, b.past)]
    values += [value for value in (scheme.kept, scheme.cleared) if value is not None]
    values += [between(a.past, b.comparison.value) for a in scheme.boundaries for b in scheme.boundaries]
    return {value: scheme.motion.delay(value) for value in values}


def _further(edge: Boundary, boundary: Boundary) -> bool:
    """Whether `boundary` lies beyond `edge` on the same side, so that the signal can go on from there."""
    return edge.comparison.op == boundary.comparison.op and edge.comparison.op in (*RISING, *FALLING)


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
