"""What is claimed of an alert, in values of its signal: the proofs, the simulator and the pictures start here."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from alertkit.compile.levels import Level
from alertkit.kinds import Comparison, Question, Stimulus
from alertkit.spec.selector import Selector


class Boundary(NamedTuple):
    """One edge of one level: beyond it the alert fires with `severity`.

    `inside` is the nearest value to the edge that is harmless, `past` the nearest that is not; both are values that
    the stimulus can produce.
    """

    severity: str
    comparison: Comparison
    inside: float
    past: float


class Claim(NamedTuple):
    """Everything that the proofs of one alert need, independent of the PromQL that it was compiled to.

    boundaries  from the mildest level to the gravest; a level with two edges (`outside`) has two
    clear       hysteresis of the mildest level: once firing it goes on until this no longer holds
    rest        a harmless value far from every boundary
    inputs      the selectors whose series the signal needs
    kept        hysteresis: the nearest value to `clear` that keeps it firing, and
    cleared     the nearest that does not
    worst       the worst series of an identity counts, so a healthy one beside it changes nothing
    edges       the nearest shares inside and past the threshold of each of the stimulus' pairs of windows
    missing     name of the companion alert that fires when the data is gone, if there is one
    """

    identity: tuple[str, ...]
    fixed_labels: tuple[tuple[str, str], ...]
    signal: str
    stimulus: Stimulus
    boundaries: tuple[Boundary, ...]
    clear: Comparison | None
    rest: float
    inputs: tuple[Selector, ...]
    missing: str | None = None
    kept: float | None = None
    cleared: float | None = None
    worst: bool = False
    edges: tuple[tuple[float, float], ...] = ()


RISING = (">", ">=")
FALLING = ("<", "<=")


def is_reached_low(comparison: Comparison) -> bool:
    """Whether a signal that comes out too low, as over a window with few samples, may meet it."""
    return comparison.op in FALLING or (comparison.op in ("==", "!=") and comparison.value != 0)


# What of a stimulus says which values can be had.
_precision = attrgetter("always", "rest", "inside", "bad", "margin", "smallest", "exact", "sharp", "pairs")


def derive(
    question: Question, stimulus: Stimulus, levels: tuple[Level, ...], clear: Comparison | None, missing: str | None
) -> Claim:
    """Choose the values at which the levels are proven."""
    boundaries, rest, kept, cleared, edges = _chosen(levels, clear, question.range, *_precision(stimulus))
    return Claim(
        question.known_identity, question.fixed_labels, question.signal, stimulus, boundaries, clear, rest,
        question.inputs, missing, kept, cleared, question.worst or stimulus.twin, edges,
    )  # fmt: skip


class _Chosen(NamedTuple):
    """What of a claim knows no names: many alerts share it."""

    boundaries: tuple[Boundary, ...]
    rest: float
    kept: float | None
    cleared: float | None
    edges: tuple[tuple[float, float], ...]


@lru_cache(maxsize=4096)
def _chosen(
    levels: tuple[Level, ...],
    clear: Comparison | None,
    limits: tuple[float, float],
    always: bool,
    rest: float | None,
    inside: float | None,
    bad: float | None,
    margin: float,
    smallest: float,
    exact: bool,
    sharp: bool,
    pairs: tuple[tuple[str, int, int, float], ...],
) -> _Chosen:
    def beside(comparison: Comparison, exactly: bool) -> tuple[float, float]:
        return _beside(comparison.op, comparison.value, margin, smallest, exactly, limits)

    comparisons = [] if always else [comparison for level in levels for comparison in level.comparisons]
    boundaries = []
    for level in levels:
        for comparison in level.comparisons:
            near, past = beside(comparison, exact or sharp)
            boundaries.append(
                Boundary(level.severity, comparison, near if inside is None else inside, past if bad is None else bad)
            )
    cleared, kept = (None, None) if clear is None else beside(clear, exact or sharp)
    edges = tuple([beside(Comparison(">", pair[3]), False) for pair in pairs])
    return _Chosen(tuple(boundaries), _rest(comparisons, clear, limits) if rest is None else rest, kept, cleared, edges)


def _beside(
    op: str, value: float, margin: float, smallest: float, exact: bool, limits: tuple[float, float]
) -> tuple[float, float]:
    """The nearest harmless and the nearest harmful value that the stimulus can tell apart."""
    gap = abs(value) * margin or smallest
    exact = exact or value == 0
    if op == "==":
        return (value + gap if value + gap <= limits[1] else value - gap), value
    if op == "!=":
        return value, (value + gap if value + gap <= limits[1] else value - gap)
    up = 1 if op in RISING else -1
    if op in (">", "<"):
        inside, past = (value if exact else value - up * gap), value + up * gap
    else:
        inside, past = value - up * gap, (value if exact else value + up * gap)
    return _clamp(_shown(inside, value), limits), _clamp(_shown(past, value), limits)


def _shown(beside: float, edge: float) -> float:
    return beside if beside == edge else _short(beside, beside < edge)


def _short(value: float, down: bool) -> float:
    """Four significant digits, rounded away from the boundary: what `humanize` shows is then never a close call."""
    if value == 0:
        return 0.0
    digits = 3 - math.floor(math.log10(abs(value)))
    scaled = Fraction(repr(value)) * Fraction(10) ** digits
    return float(Fraction(math.floor(scaled) if down else math.ceil(scaled)) / Fraction(10) ** digits)


def between(low: float, high: float) -> float:
    """A short number near the middle of two."""
    middle = (low + high) / 2
    if f"{middle:.1e}".startswith("1.0e"):
        middle *= 1.1  # `humanize` may show a value just below a power of ten in the next smaller unit
    return float(f"{middle:.2g}") if min(low, high) < float(f"{middle:.2g}") < max(low, high) else middle


def _clamp(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


def _rest(comparisons: list[Comparison], clear: Comparison | None, limits: tuple[float, float]) -> float:
    """A value well away from every boundary on its harmless side."""
    everything = [*comparisons, clear] if clear else comparisons
    above = [c.value for c in everything if c.op in RISING]
    below = [c.value for c in everything if c.op in FALLING]
    if above and below:
        return (min(above) + max(below)) / 2
    if above:
        lowest = min(above)
        return _clamp(lowest / 2 if lowest > 0 else lowest - max(1.0, abs(lowest)), limits)
    if below:
        highest = max(below)
        far = highest * 2 if highest > 0 else highest + max(1.0, abs(highest))
        return far if far <= limits[1] else (highest + limits[1]) / 2
    if comparisons[0].op == "!=":
        return comparisons[0].value
    levels = sorted(c.value for c in comparisons)  # each fires at its own value alone
    if levels[-1] + 1 <= limits[1]:
        return levels[-1] + 1
    if levels[0] - 1 >= limits[0]:
        return levels[0] - 1
    edges = sorted({*levels, *limits})
    return (edges[0] + edges[1]) / 2
