"""How fast a signal follows its series, in evaluations."""

from __future__ import annotations

from alertkit.prove.derived.clock import delays_of
from alertkit.prove.derived.grid import Grid
from alertkit.prove.derived.script import Shape


class Pace:
    """The pace of a shape by a clock; `delays`, of a signal that grows with time: value -> milliseconds to it."""

    def __init__(self, shape: Shape, grid: Grid) -> None:
        self.motion, self.grid = shape.scheme.motion, grid
        self.delays = delays_of(shape.scheme)

    def way(self, up: bool) -> int:
        """Evaluations until the signal has arrived at a new value."""
        motion = self.motion
        return 0 if motion.isolated else self.grid.evaluations(motion.rise if up else motion.fall)

    def birth(self) -> int:
        """Evaluations until a series that has just been born gives the signal its value."""
        return -(-(self.motion.birth - 1) * self.grid.step // self.grid.evaluation)

    def sight(self) -> int:
        """Evaluations until a new sample is surely looked at."""
        sampled = self.motion.sampled
        return self.grid.evaluations(sampled) if sampled and self.grid.evaluation % sampled else 0

    def is_early(self, lasts: int) -> bool:
        """Whether what lasts so long (milliseconds) is over before the last evaluation that it is counted as."""
        return lasts % self.grid.evaluation != 0
