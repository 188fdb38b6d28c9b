"""Proofs of the very edge: a signal that has its threshold to the last bit, and traffic that is exactly enough.

Only samples half a window apart make that possible, so each edge has a short timeline of its own.
"""

from __future__ import annotations

from alertkit.compile.claim import Boundary, is_reached_low
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.moments import MOST_EVALUATIONS, Moment, MomentScripts
from alertkit.prove.derived.names import BORN, THIN
from alertkit.prove.derived.script import ALREADY, EDGE, ENOUGH, LONE, Script


class Edges(MomentScripts):
    """The timelines of a shape at its edges."""

    def scripts(self) -> list[Script]:
        return [*self._exact(), *([self._already()] if self.scheme.motion.already is not None else [])]

    def _already(self) -> Script:
        edge, case = self._gravest, "just-past"
        hold = max(timing.hold for timing in self._timings(self.grid).values())
        there = [Moment(self._holds(edge.past))] * (hold + 3)
        return self._script(ALREADY, self.grid, edge.severity, [(case, edge.past, "", there)])

    def _exact(self) -> list[Script]:
        motion = self.scheme.motion
        if motion.lone is not None and motion.instant:  # no window to fill
            most = max(t.hold for t in self._timings(self.grid).values())
            return [self._extreme(LONE, BORN, self.grid, 2, most + 3)]
        half = motion.rise // 2
        if motion.isolated or not half or motion.rise % 2:
            return []
        grid = Grid(half, half)
        timings = self._timings(grid).values()
        kept = max(t.keep for t in timings)
        length = max(t.hold for t in timings) + kept + 3
        if length > MOST_EVALUATIONS:
            return []
        # There are not two samples in the window before that, and what then fires is kept.
        filled = 2 + (kept if any(is_reached_low(b.comparison) for b in self.scheme.boundaries) else 0)
        scripts = [
            self._edge(boundary, grid, filled, length)
            for boundary in self.scheme.boundaries
            if boundary.comparison.value in self.scheme.motion.brink
        ]
        if self.scheme.motion.enough is not None:
            scripts.append(self._extreme(ENOUGH, THIN, grid, filled, length))
        if self.scheme.motion.lone is not None:
            # Two samples in the window and one in its half, whether ranges are closed or not.
            grid = Grid(motion.rise // 5 * 4, motion.rise // 5 * 4)
            scripts.append(self._extreme(LONE, BORN, grid, filled, length))
        return scripts

    def _edge(self, boundary: Boundary, grid: Grid, filled: int, length: int) -> Script:
        value, severity = boundary.comparison.value, boundary.severity
        # Before there are two samples in the window it is half the value, or none.
        low = is_reached_low(boundary.comparison)
        early = [Moment(tuple(None if holds or low else False for holds in self._holds(value)))] * filled
        case = "just-past" if boundary.comparison.holds(value) else "just-inside"
        there = [Moment(self._holds(value), value)] * length
        return self._script(f"{EDGE} {severity} {boundary.comparison.op}", grid, severity, [
            (case, value, "", early), (case, value, "", there),
        ])  # fmt: skip

    def _extreme(self, name: str, case: str, grid: Grid, filled: int, length: int) -> Script:
        """All events are of one kind: what it comes to is far past every edge."""
        edge, how = self._gravest, LONE if name == LONE else ""
        early = [Moment((None,) * len(self.shape.levels))] * filled
        there = [Moment(self._holds(edge.past))] * length
        return self._script(name, grid, edge.severity, [
            (case, edge.past, how, early), (case, edge.past, how, there),
        ])  # fmt: skip
