"""Proofs of `missing: alert`: how long it remembers what is gone, and that it also knows when nothing is left.

One group loses one identity while another stays: the companion fires until its memory ends, then it has forgotten. In
a second group all is lost: after the memory of single identities the whole metric is missed, and what looks like the
metric but for one matcher changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alertkit.compile.expression import memory_of
from alertkit.emit.promtool import Moments
from alertkit.prove.derived.grid import LONGEST_STEP, MOST_LOADED, Grid
from alertkit.prove.derived.script import Check
from alertkit.series import Level, notation

MINUTE = 60_000
# How long all is well, at least, before the data goes.
LEAD = 10 * MINUTE
FORGOTTEN, VANISHED = "forgotten", "vanished"
# What the companion says in turn: nothing, that an identity is gone, that all is.
SILENT, ONE, WHOLE = range(3)


class Companion(NamedTuple):
    """The alert that fires when data is gone, without its name.

    patience   its `for` in milliseconds
    remembers  it knows for a while which identity is gone
    alike      it then says the same as when all is gone
    """

    patience: int
    remembers: bool
    alike: bool

    @property
    def memory(self) -> int:
        """How long it remembers an identity, in milliseconds."""
        return memory_of(self.patience)

    @property
    def loaded(self) -> bool:
        """Whether promtool can load all that it remembers."""
        return self.memory // self.grid.step <= MOST_LOADED

    @property
    def grid(self) -> Grid:
        """Evaluations that are few and yet tell the memory from its half and its double."""
        step = MINUTE if self.memory <= MOST_LOADED * MINUTE else LONGEST_STEP
        return Grid(max(5 * MINUTE, self.memory // 12 // step * step), step)

    def moments(self, case: str) -> tuple[tuple[int, int], ...]:
        """At which evaluation it says what, in one of the two cases."""
        grid = self.grid
        memory, hold = grid.evaluations(self.memory), grid.evaluations(self.patience)
        start = grid.evaluations(LEAD)
        last = start + memory
        # Half an evaluation around each change is left open: the last sample came a step before it.
        moments = [(start - 1, SILENT), (start + hold + 1, ONE), (last - 2, ONE)]
        if case == FORGOTTEN:
            moments.append((last + 2, SILENT))
        else:
            moments.append((last + 2 if self.alike else last + hold + 2, WHOLE))
        return tuple(moments)

    def tests(self, case: str) -> tuple[Moments, tuple[Check, ...]]:
        """When it says what, and what that stands for."""
        times = [(at * self.grid.evaluation, said) for at, said in self.moments(case)]
        checks = tuple([Check(time, case, "", (), None) for time, _ in times])
        return Moments([(time, case, said) for time, said in times]), checks

    def series(self, case: str, lost: Sequence[int], staying: Sequence[int]) -> tuple[tuple[int, str], ...]:
        """The values of each series: those that are lost end after the lead, those that stay do not."""
        grid = self.grid
        early = grid.evaluations(LEAD) * grid.samples
        whole = (self.moments(case)[-1][0] + 1) * grid.samples
        short, full = (notation([(Level(1.0), length)], grid.step) for length in (early, whole))
        return (*[(name, f"{short} stale") for name in lost], *[(name, full) for name in staying])
