"""Which values the signal takes in the proofs of a shape, and for how long.

One timeline takes the signal of one identity through all cases in turn, while a second identity stays at rest. A kind
that is disturbed by its own past gets a timeline for each case.
"""

from __future__ import annotations

from alertkit.compile.claim import FALLING, RISING, Boundary, between, is_reached_low
from alertkit.prove.derived.interruptions import SHORT
from alertkit.prove.derived.names import GAP, IDLE, RESET, THIN
from alertkit.prove.derived.pace import Pace
from alertkit.prove.derived.script import Shape, Step

# More evaluations than any timeline takes.
ENDLESS = 1 << 40


class Timelines:
    """Those of a shape at a pace."""

    def __init__(self, shape: Shape, pace: Pace) -> None:
        self.shape, self.scheme, self.motion, self.pace = shape, shape.scheme, shape.scheme.motion, pace
        self.boundaries, self.rest = self.scheme.boundaries, self.scheme.rest
        self.grid = grid = pace.grid
        self.holds = {severity: grid.evaluations(hold) for severity, hold, _ in shape.levels}
        self.severities = tuple(self.holds)
        self.longest = max(self.holds.values())
        self.kept = max(grid.evaluations(keep) for _, _, keep in shape.levels)
        self.low = any(is_reached_low(b.comparison) for b in self.boundaries)

    def all(self) -> list[tuple[str, list[Step]]]:
        if self.motion.always:
            return [("", [Step("just-past", self.severities[0], 1.0, self.longest + 3)])]
        if self.motion.isolated:
            return self._isolated()
        lead = self.grid.evaluations(self.motion.prelude) + self.pace.way(True)
        if self.low and self.pace.way(True):
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
            steps.append(Step(GAP, "", self.rest, self.pace.way(True) + self.pace.way(False) + calm))
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
        if self.pace.delays is not None:
            longest = min([SHORT, *(self.pace.delays[boundary.past] // 2 for boundary in self.boundaries)])
        return longest // self.grid.evaluation

    def _restarted(self, boundary: Boundary) -> list[Step]:
        """Counters restart while the alert fires."""
        if not self.shape.counters:
            return []
        return [Step(RESET, boundary.severity, boundary.past, 2, RESET)]

    def _quiet(self) -> list[tuple[str, list[Step]]]:
        """However bad the value, without enough traffic nobody is told."""
        lines = []
        gravest = self.boundaries[-1]
        way = self.pace.way(True) + self.pace.way(False) + self.grid.evaluations(self.motion.prelude)
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
        way, back = self.pace.way(up), self.pace.way(not up)
        if self.pace.delays is not None:
            way = self.grid.evaluations(self.pace.delays[boundary.past])
        if motion.isolated:
            way = max(way, self.pace.birth())
        steps = [Step("just-inside", severity, boundary.inside, way + hold + 2)]
        if back and not motion.sticky:
            # On its way a mean passes all values between: from just inside it would cross the boundary early.
            steps.append(Step("just-inside", severity, base, back + 1))
        late = 1 if motion.late else 0
        early = self.pace.is_early(motion.rise if up else motion.fall)
        graver = self._graver(boundary)
        blip = min(way + hold - late - early - (back if motion.sticky else 0), graver)
        if hold >= 2 and blip > 0:
            steps.append(Step("blip", severity, boundary.past, blip))
            steps.append(Step("blip", severity, base, back + hold + 2))
        steps.append(Step("just-past", severity, boundary.past, min(way + hold + 3, graver)))
        return steps

    def _graver(self, boundary: Boundary) -> int:
        """Evaluations until a signal that grows with time fires with a further level."""
        if self.pace.delays is None:
            return ENDLESS
        delay = self.pace.delays[boundary.past]
        further = [(b, self.pace.delays[b.past]) for b in self.boundaries if self.pace.delays[b.past] > delay]
        return min(
            [self.grid.evaluations(time) + self.holds[b.severity] - self.pace.is_early(time) for b, time in further],
            default=ENDLESS,
        )

    def _between(self) -> list[Step]:
        """Hysteresis: between `clear` and the threshold it goes on firing, below it resolves and does not come back."""
        kept, cleared = self.scheme.kept, self.scheme.cleared
        if kept is None or cleared is None or self.motion.isolated:
            return []
        severity, falls = self.severities[0], self.boundaries[0].comparison.op in FALLING
        down, up = self.pace.way(falls), self.pace.way(not falls)
        return [
            Step("between", severity, kept, down + self.kept + 2),
            Step("between", severity, cleared, down + self.kept + 2),
            Step("between", severity, kept, up + self.holds[severity] + 2),
        ]

    def _rest(self, boundary: Boundary) -> Step:
        up = self.rest > boundary.past
        way = self.pace.way(up)
        if self.motion.isolated and not self.motion.pairs:
            way = max(self.grid.evaluations(self.motion.rise if up else self.motion.fall), self.pace.sight())
        return Step("recovers", boundary.severity, self.rest, way + self.kept + self.longest + 3)

    def _gone(self) -> Step:
        patience = self.grid.evaluations(self.shape.patience or 0)
        length = max(patience + 3, self.grid.evaluations(6 * 60_000))
        if self.low:
            # It may fire while its window runs empty, and is then kept.
            length = max(length, self.pace.way(False) + self.kept + 3)
        return Step("no-data", "", None, length)


def _further(edge: Boundary, boundary: Boundary) -> bool:
    """Whether `boundary` lies beyond `edge` on the same side, so that the signal can go on from there."""
    return edge.comparison.op == boundary.comparison.op and edge.comparison.op in (*RISING, *FALLING)
