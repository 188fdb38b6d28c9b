"""What is claimed of an alert, in values of its signal: the proofs, the simulator and the pictures start here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from alertkit.compile.levels import Level
from alertkit.kinds import Comparison, Question, Stimulus
from alertkit.kinds.stimulus import Pieces
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


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """What of a claim knows no names. Alerts that agree in all of it share one: it is compared by identity.

    motion      the stimulus without all that holds names, but for
    ends        whether the alert fires when all series are gone
    leaves      whether further ones do when the scenery leaves with the data, and
    scenery     what the scenery does
    boundaries  from the mildest level to the gravest; a level with two edges (`outside`) has two
    clear       hysteresis of the mildest level: once firing it goes on until this no longer holds
    rest        a harmless value far from every boundary
    kept        hysteresis: the nearest value to `clear` that keeps it firing, and
    cleared     the nearest that does not
    worst       the worst series of an identity counts, so a healthy one beside it changes nothing
    edges       the nearest shares inside and past the threshold of each of the stimulus' pairs of windows
    """

    motion: Stimulus
    ends: bool
    leaves: bool
    scenery: Pieces
    boundaries: tuple[Boundary, ...]
    clear: Comparison | None
    rest: float
    kept: float | None
    cleared: float | None
    worst: bool
    edges: tuple[tuple[float, float], ...]


class Claim(NamedTuple):
    """Everything that the proofs of one alert need, independent of the PromQL that it was compiled to.

    inputs   the selectors whose series the signal needs
    missing  name of the companion alert that fires when the data is gone, if there is one
    scheme   all the rest, of which `boundaries`, `clear`, `rest` and `worst` can be read here too
    """

    identity: tuple[str, ...]
    fixed_labels: tuple[tuple[str, str], ...]
    signal: str
    stimulus: Stimulus
    inputs: tuple[Selector, ...]
    missing: str | None
    scheme: Scheme

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        return self.scheme.boundaries

    @property
    def clear(self) -> Comparison | None:
        return self.scheme.clear

    @property
    def rest(self) -> float:
        return self.scheme.rest

    @property
    def worst(self) -> bool:
        return self.scheme.worst


RISING = (">", ">=")
FALLING = ("<", "<=")


def is_reached_low(comparison: Comparison) -> bool:
    """Whether a signal that comes out too low, as over a window with few samples, may meet it."""
    return comparison.op in FALLING or (comparison.op in ("==", "!=") and comparison.value != 0)


def derive(
    question: Question, stimulus: Stimulus, levels: tuple[Level, ...], clear: Comparison | None, missing: str | None
) -> Claim:
    """Choose the values at which the levels are proven."""
    told = (
        levels, clear, question.range, question.worst, stimulus.gone is not None, bool(stimulus.leave),
        tuple([source.piece for source in stimulus.scenery]), *stimulus.nameless(),
    )  # fmt: skip
    try:
        scheme = _scheme(*told)
    except TypeError:  # a kind of users has put in what cannot be hashed
        scheme = _scheme.__wrapped__(*told)
    return Claim(
        question.known_identity, question.fixed_labels, question.signal, stimulus, question.inputs, missing, scheme
    )


@lru_cache(maxsize=4096, typed=True)  # 0 and 0.0 are equal, but not shown alike
def _scheme(
    levels: tuple[Level, ...],
    clear: Comparison | None,
    limits: tuple[float, float],
    worst: bool,
    ends: bool,
    leaves: bool,
    scenery: Pieces,
    *nameless: Any,
) -> Scheme:
    motion = Stimulus((), *nameless)
    exact = motion.exact or motion.sharp
    comparisons = [] if motion.always else [comparison for level in levels for comparison in level.comparisons]
    # A value beside one edge is not at another, which it may miss by the last bit.
    smallest, sizes = motion.smallest, {abs(c.value) for c in (*comparisons, *([clear] if clear else []))} - {0}
    while smallest in sizes:
        smallest /= 2

    def beside(comparison: Comparison, exactly: bool) -> tuple[float, float]:
        return _beside(comparison.op, comparison.value, motion.margin, smallest, exactly, limits)

    boundaries = []
    for level in levels:
        for comparison in level.comparisons:
            inside, past = beside(comparison, exact)
            inside = inside if motion.inside is None else motion.inside
            boundaries.append(Boundary(level.severity, comparison, inside, past if motion.bad is None else motion.bad))
    cleared, kept = (None, None) if clear is None else beside(clear, exact)
    edges = tuple([beside(Comparison(">", pair[3]), False) for pair in motion.pairs])
    rest = _rest(comparisons, clear, limits) if motion.rest is None else motion.rest
    return Scheme(
        motion, ends, leaves, scenery, tuple(boundaries), clear, rest, kept, cleared, worst or motion.twin, edges
    )


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
