"""What is claimed of an alert, in values of its signal: the proofs, the simulator and the pictures start here."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from alertkit.compile.levels import Level
from alertkit.kinds import Comparison, Question, Stimulus
from alertkit.kinds.stimulus import Pieces
from alertkit.series.example import example_labels
from alertkit.spec.selector import Selector, satisfies

# What rules write of the state of alerts.
STATES = ("ALERTS", "ALERTS_FOR_STATE")


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


def obstacle(alert: str, question: Question, stimulus: Stimulus, joined: bool) -> str:
    """Why no series can be written down that drive the stimulus; empty where they can.

    `joined`: the inputs meet on the identity.
    """
    own = dict.fromkeys([*question.inputs, *[one.selector for one in stimulus.inputs]])
    read = dict.fromkeys([*own, *[source.selector for source in stimulus.scenery]])
    if not any(selector.matchers or selector.metric in STATES for selector in read):
        return ""  # most are plain names
    for selector in read:
        named = [m for m in selector.matchers if m.label == "alertname"]
        if selector.metric in STATES and all(satisfies(alert, m) for m in named):
            return f"it reads `{selector.metric}` of its own, which no series can stand for"
        if selector.matchers and example_labels(selector.matchers) is None:
            return f"no labels were found that `{selector}` selects"
    asked = [m for selector in own for m in selector.matchers if joined and m.label in question.known_identity]
    for label in dict.fromkeys([m.label for m in asked]):
        if example_labels([m for m in asked if m.label == label]) is None:
            return f"no `{label}` was found that all its selectors select"
    return ""


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
    others = tuple([comparison.value for comparison in (*comparisons, *([clear] if clear else ()))])

    def beside(comparison: Comparison, exactly: bool) -> tuple[float, float]:
        return _beside(comparison, motion, exactly, others, limits)

    boundaries = []
    for level in levels:
        for comparison in level.comparisons:
            inside, past = beside(comparison, exact)
            inside = inside if motion.inside is None else motion.inside
            boundaries.append(Boundary(level.severity, comparison, inside, past if motion.bad is None else motion.bad))
    cleared, kept = (None, None) if clear is None else beside(clear, exact)
    edges = tuple([_beside(Comparison(">", pair[3]), motion, False, (), limits) for pair in motion.pairs])
    rest = _rest(comparisons, clear, limits) if motion.rest is None else motion.rest
    return Scheme(
        motion, ends, leaves, scenery, tuple(boundaries), clear, rest, kept, cleared, worst or motion.twin, edges
    )


def _beside(
    comparison: Comparison, motion: Stimulus, exact: bool, others: Collection[float], limits: tuple[float, float]
) -> tuple[float, float]:
    """The nearest harmless and the nearest harmful value that the stimulus can tell apart.

    Neither reaches an edge among the `others`, nor what is beyond the limits.
    """
    op, value = comparison
    gap = abs(value) * motion.margin or motion.smallest

    def next_to(up: bool) -> float:
        found = _short(value + gap if up else value - gap, not up, motion.exact)
        beyond = [edge for edge in others if (value < edge <= found if up else found <= edge < value)]
        beyond += [limit for limit in limits if (value < limit < found if up else found < limit < value)]
        if beyond:
            return between(value, min(beyond) if up else max(beyond))
        return _clamp(found, limits)

    if op in ("==", "!="):
        other = next_to(value + gap <= limits[1])
        return (other, value) if op == "==" else (value, other)
    exact = exact or value == 0
    up = op in RISING
    if op in (">", "<"):
        return value if exact else next_to(not up), next_to(up)
    return next_to(not up), value if exact else next_to(up)


def _short(value: float, down: bool, exact: bool) -> float:
    """Four significant digits, rounded away from the boundary: what `humanize` shows is then never a close call.

    Nor is it where an inexact value might be shown in the next smaller unit, just below a power of ten.
    """
    if value == 0:
        return 0.0
    digits = 3 - math.floor(math.log10(abs(value)))
    scaled = Fraction(repr(value)) * Fraction(10) ** digits
    whole = math.floor(scaled) if down else math.ceil(scaled)
    if not exact and abs(whole) in (1_000, 10_000):
        whole += -1 if down else 1
    return float(Fraction(whole) / Fraction(10) ** digits)


def between(low: float, high: float) -> float:
    """A short number near the middle of two."""
    middle = (low + high) / 2
    # `humanize` may show a value just below a power of ten in the next smaller unit.
    near = middle * 1.1 if f"{middle:.1e}".startswith("1.0e") else middle
    short = float(f"{near:.2g}")
    return short if min(low, high) < short < max(low, high) else middle


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
