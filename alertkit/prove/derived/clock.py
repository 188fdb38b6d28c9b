"""Which clock the proofs of a shape run by, and how much promtool has to look back at by it."""

from __future__ import annotations

from functools import lru_cache

from alertkit.compile.claim import Scheme, between
from alertkit.kinds import Stimulus
from alertkit.prove.derived.grid import MOST_LOADED, Grid, choose, coarser
from alertkit.prove.derived.script import Shape

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


@lru_cache(maxsize=1024)
def clock_of(shape: Shape) -> Grid:
    """The clock of all its timelines but those that have one of their own."""
    motion = shape.scheme.motion
    windows = [] if motion.isolated else [motion.rise, motion.fall]
    longest = LONGEST_SEEN if shape.scheme.clear is not None else DAY
    grid = _usual(shape, windows, longest)
    if shape.memory // grid.step > MOST_LOADED:
        return coarser(grid, [*windows, shape.memory], MOST_REMEMBERED, motion.window, longest)
    return grid


def _usual(shape: Shape, windows: list[int], longest: int) -> Grid:
    """Without regard to what is remembered; evaluations are at most the `longest` time apart."""
    motion, delays = shape.scheme.motion, delays_of(shape.scheme)
    hysteresis = shape.scheme.clear is not None
    holds = [hold for _, for_, keep in shape.levels for hold in (for_, keep)]
    if shape.patience is not None:
        holds.append(shape.patience)
    if delays is not None:
        windows = [*windows, *(delays[boundary.past] for boundary in shape.scheme.boundaries)]
    grid = choose(holds, windows, hysteresis, motion.window)
    if is_remote(motion):
        # Evaluations may then be further apart than a short `for`, whose length does not show any more.
        past = max([motion.prelude, *(delays or {}).values()])
        most = LONGEST_PRELUDE if motion.instant else LONGEST_PAST
        if motion.sampled:
            most = max(LONGEST_LOOK // max(past // motion.sampled, 1), LEAST)
        apart = -(-past // (grid.evaluation * most)) * grid.evaluation
        if hysteresis and not motion.isolated:
            apart = min(apart, longest // grid.evaluation * grid.evaluation)
        if apart > grid.evaluation:
            return Grid(apart, apart if motion.instant else grid.step)
    elif not motion.isolated and delays is None:
        return coarser(grid, windows, MOST_IN_WINDOW, motion.window, longest)
    return grid


def is_remote(motion: Stimulus) -> bool:
    """Whether something must have passed before anything can be seen, which then takes few evaluations."""
    return motion.prelude > 0 and (motion.instant or motion.isolated)


def is_coarse(shape: Shape, hold: int) -> bool:
    """Whether evaluations may be too far apart for a `for` of so many milliseconds, as it looks back much further."""
    return is_remote(shape.scheme.motion) or _window(shape) > MOST_IN_WINDOW * hold // 2


def overloads(shape: Shape) -> bool:
    """Whether it looks back at more samples than promtool loads, at the steps that its `for`s need."""
    windows = 0 if shape.scheme.motion.isolated else _window(shape)
    return max(windows, shape.memory) // clock_of(shape).step > MOST_LOADED


def is_loadable(shape: Shape, grid: Grid, lasts: int) -> bool:
    """Whether promtool loads the samples of each series that a timeline of so many evaluations looks back at."""
    return min(max(_window(shape), shape.memory), lasts * grid.evaluation) // grid.step <= MOST_LOADED


def _window(shape: Shape) -> int:
    return max(shape.scheme.motion.rise, shape.scheme.motion.fall)


def delays_of(scheme: Scheme) -> dict[float, int] | None:
    """For a signal that grows with time: value -> milliseconds from the change to it; of all values that it takes."""
    if scheme.motion.delay is None:
        return None
    values = [value for b in scheme.boundaries for value in (b.inside, b.past)]
    values += [value for value in (scheme.kept, scheme.cleared) if value is not None]
    values += [between(a.past, b.comparison.value) for a in scheme.boundaries for b in scheme.boundaries]
    return {value: scheme.motion.delay(value) for value in values}
