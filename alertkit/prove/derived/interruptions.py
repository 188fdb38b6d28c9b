"""Proofs of series that are interrupted: born already bad, gone and back, or without samples for a while.

Their signal is worked out here, evaluation by evaluation, from what the kind says of it.
"""

from __future__ import annotations

import math

from alertkit.compile.claim import RISING, Boundary, is_reached_low
from alertkit.prove.derived.grid import MINUTE, Grid, choose
from alertkit.prove.derived.moments import MOST_EVALUATIONS, Moment, MomentScripts
from alertkit.prove.derived.names import BORN, GAP
from alertkit.prove.derived.script import NEWBORN, Script
from alertkit.spec.duration import LOOKBACK

SHORT, LONG = 4 * MINUTE, 10 * MINUTE
# Longer than this nobody is made to wait for an alert to fire before its scrapes are missed.
PATIENCE = 24 * 60 * MINUTE


class Interruptions(MomentScripts):
    """All timelines of a shape in which series are interrupted."""

    def scripts(self) -> list[Script]:
        motion = self.scheme.motion
        if motion.always or motion.absence or self._endless():
            return []
        scripts = self._newborn() if self._counts_newborn() else [self._born()]
        if motion.instant and not motion.prelude:
            scripts += self._gap()
        return scripts

    def _endless(self) -> bool:
        """Whether a timeline would have more evaluations than anyone waits for, such as `for: 7ms` beside years."""
        motion, grid = self.scheme.motion, self.grid
        times = [time for _, *both in self.shape.levels for time in both]
        if not motion.isolated:
            times += [motion.rise, motion.fall]
        return grid.evaluations(sum(times) + motion.prelude + 2 * self.shape.newborn) > MOST_EVALUATIONS

    def _counts_newborn(self) -> bool:
        return bool(self.shape.newborn) and all(b.comparison.op in RISING for b in self.scheme.boundaries)

    def _born(self) -> Script:
        """All series are there for the first time and already bad."""
        motion, grid, edge = self.scheme.motion, self.grid, self._gravest
        hold = max(timing.hold for timing in self._timings(grid).values())
        open_ = Moment((None,) * len(self.shape.levels))
        before = [] if self.scheme.ends else self._silence(max(2, grid.evaluations(motion.prelude)))
        fills = 0 if motion.isolated else grid.evaluations(max(motion.rise, motion.fall))
        if before and fills and any(is_reached_low(b.comparison) for b in self.scheme.boundaries):
            # The healthy ones are new too, and before their windows are full they may come out too low, and are kept.
            before = [open_] * (fills + max(timing.keep for timing in self._timings(grid).values())) + before
        if motion.relative:
            return self._script(BORN, grid, edge.severity, [
                (BORN, None, "", before), (BORN, edge.past, "", self._silence(hold + 3)),
            ])  # fmt: skip
        arrival = 0
        if not motion.instant:
            times = [motion.prelude, (motion.birth - 1) * grid.step]
            if not motion.isolated:  # then its windows may be much longer than it takes it to see what is wrong
                times += [motion.rise, motion.fall]
            arrival = max(map(grid.evaluations, times))
            arrival += motion.late
        value = None if motion.drifts else edge.past
        there = [Moment(self._holds(edge.past), value)] * (hold + 3)
        return self._script(BORN, grid, edge.severity, [
            (BORN, None, "", before), (BORN, edge.past, "", [open_] * arrival + there),
        ])  # fmt: skip

    def _newborn(self) -> list[Script]:
        """Counters that count with their whole value while they are new, and how long they are remembered."""
        grid, window = self.grid, self.grid.evaluations(self.scheme.motion.rise)
        hold = max(timing.hold for timing in self._timings(grid).values())
        keep = max(timing.keep for timing in self._timings(grid).values())
        before = (BORN, None, "", self._silence(2))
        scripts = []
        for boundary in self.scheme.boundaries:
            inside, past = whole_numbers_beside(boundary)

            def new(value: float, after: int) -> tuple[str, float, str, list[Moment]]:
                shown = Moment(self._holds(value), value)
                return (BORN, value, "", [shown] * window + self._silence(after))

            rows = [before, new(past, keep + 2)]
            if boundary is self._gravest:
                # Remembered for so long it comes back as an old one; a little later it is new again.
                # The last old sample is seen at each evaluation of its window, which may end before the last of them.
                since = self.shape.newborn + self.scheme.motion.rise - (window - 1) * grid.evaluation - grid.step - 1
                remembered = min(self.shape.newborn, since) // grid.evaluation
                forgotten = grid.evaluations(self.shape.newborn + self.scheme.motion.rise)
                rows += [
                    (BORN, None, "", self._silence(remembered)), (BORN, past, "", self._silence(window)),
                    (BORN, past, "", self._silence(1)), (BORN, None, "", self._silence(forgotten)), new(past, keep + 2),
                ]  # fmt: skip
                # Gone halfway it still counts, and what comes back soon is not new.
                there = [Moment(self._holds(past), past)] * window
                brief = [
                    before, (BORN, past, "", there[: window // 2]), (BORN, None, "", there[window // 2 :]),
                    (BORN, past, "", self._silence(2)),
                ]  # fmt: skip
                scripts.append(self._script(f"{NEWBORN} brief", grid, boundary.severity, brief))
            name = f"{NEWBORN} {boundary.severity}"
            scripts.append(self._script(name, grid, boundary.severity, rows))
            scripts.append(self._script(f"{name} inside", grid, boundary.severity, [before, new(inside, hold + 2)]))
        return scripts

    def _gap(self) -> list[Script]:
        """While it fires, scrapes are missed: for less than samples are looked back at, and for longer."""
        shape, edge = self.shape, self._gravest
        grid = choose([hold for _, *both in shape.levels for hold in both], [], True)
        timings = self._timings(grid)
        hold, keep = (max(times) for times in zip(*((t.hold, t.keep) for t in timings.values()), strict=True))
        if hold * grid.evaluation > PATIENCE:
            return []
        there = Moment(self._holds(edge.past), None if shape.scheme.motion.drifts else edge.past)
        lead = grid.evaluations(shape.scheme.motion.prelude)
        rows = [(GAP, shape.scheme.rest, "", self._silence(lead)), (GAP, edge.past, "", [there] * (hold + 2))]
        short = self._missed(grid, there, SHORT // grid.evaluation)
        rows += [(GAP, edge.past, GAP, short), (GAP, edge.past, "", [there] * 2)]
        if not shape.scheme.ends:
            long = grid.evaluations(LONG) + keep
            rows.append((GAP, edge.past, GAP, self._missed(grid, there, long)))
            rows.append((GAP, edge.past, "", [there] * (hold + 2)))
        return [self._script(GAP, grid, edge.severity, rows)]

    def _missed(self, grid: Grid, there: Moment, length: int) -> list[Moment]:
        """What holds at each evaluation after the last sample, which came a step before the first of them."""
        open_, gone = Moment((None,) * len(self.shape.levels)), Moment((False,) * len(self.shape.levels))
        ages = [grid.step + index * grid.evaluation for index in range(length)]
        return [there if age < LOOKBACK else gone if age > LOOKBACK else open_ for age in ages]


def whole_numbers_beside(boundary: Boundary) -> tuple[float, float]:
    """The nearest whole numbers inside and past an edge that is exceeded upwards, the edge itself where it is one."""
    edge = boundary.comparison.value
    past = math.floor(edge) + 1 if boundary.comparison.op == ">" else math.ceil(edge)
    return float(past - 1), float(past)
