"""A failure as a picture of two rows: the signal against its threshold, and below it when the alert was pending and
when it fired.

The threshold lies in the middle of the height, whatever the values are: what is beyond it by the smallest step is
seen to be so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alertkit.prove.running.results import Moment, Trace
from alertkit.source.problem import Style
from alertkit.spec.duration import format_duration

if TYPE_CHECKING:
    from alertkit.kinds import Comparison


@dataclass(frozen=True, slots=True)
class Marks:
    """The characters of a picture: four heights on each side of the threshold, and one for each state."""

    below: str
    above: str
    absent: str
    quiet: str
    pending: str
    firing: str
    here: str


BLOCKS = Marks("▁▂▃▄", "▅▆▇█", " ", "·", "░", "█", "▲")
ASCII = Marks("_.,-", "=+*#", " ", ".", "p", "F", "^")
# Columns beside the picture that its first word takes.
LEAD = len("signal ")
LEAST = 10
# What lasts few evaluations is drawn wider, each of them up to this many columns.
FULL, WIDEST = 40, 4


def marks_for(encoding: str | None) -> Marks:
    """Block characters where a stream can show them."""
    return BLOCKS if (encoding or "").lower().replace("-", "").replace("_", "") == "utf8" else ASCII


def picture(trace: Trace, width: int, marks: Marks = BLOCKS, style: Style | None = None) -> list[str]:
    """Three lines of at most `width` columns: signal, state, a pointer to the failure; [] where there is no room."""
    columns = min(width - LEAD, len(trace.moments))
    if columns < min(LEAST, len(trace.moments)):
        return []
    moments = _thinned(trace.moments, columns, trace.failed_at)
    edge = _edge(trace)
    wide = max(1, min(WIDEST, min(FULL, width - LEAD) // len(moments)))
    signal = "".join(_height(moment.value, moments, edge, marks) * wide for moment in moments)
    states = {"firing": marks.firing, "pending": marks.pending}
    state = "".join(states.get(moment.state, marks.quiet) * wide for moment in moments)
    rows = [f"signal {signal}", f"alert  {state}"]
    legend = [_values(moments) + _edges(trace.edges), f"{marks.pending} pending {marks.firing} firing"]
    shown = []
    for row, text in zip(rows, legend, strict=True):
        fits = len(row) + 2 + len(text) <= width
        dim, reset = (style.dim, style.reset) if style else ("", "")
        shown.append(f"{row}  {dim}{text}{reset}" if fits else row)
    place = min(range(len(moments)), key=lambda i: abs(moments[i].time - trace.failed_at))
    when = format_duration(trace.failed_at)
    left = " " * (LEAD + place * wide)
    pointer = f"{left}{marks.here} {when}"
    if len(pointer) > width:
        pointer = f"{left[: -len(when) - 1]}{when} {marks.here}"
    return [*shown, pointer]


def _thinned(moments: Sequence[Moment], columns: int, failed_at: int) -> list[Moment]:
    """Evenly chosen moments, the failure's own among them."""
    if columns >= len(moments):
        return list(moments)
    places = [i * (len(moments) - 1) // max(columns - 1, 1) for i in range(columns)]
    here = min(range(len(moments)), key=lambda i: abs(moments[i].time - failed_at))
    nearest = min(range(columns), key=lambda i: abs(places[i] - here))
    places[nearest] = here
    return [moments[i] for i in places]


def _edge(trace: Trace) -> Comparison:
    """Of several thresholds the one that the signal is closest to when it fails."""
    nearest = min(trace.moments, key=lambda m: (m.value is None, abs(m.time - trace.failed_at)))
    value = nearest.value if nearest.value is not None else 0.0
    return min((edge for _, edge in trace.edges), key=lambda edge: abs(edge.value - value))


def _height(value: float | None, moments: Sequence[Moment], edge: Comparison, marks: Marks) -> str:
    if value is None:
        return marks.absent
    values = [m.value for m in moments if m.value is not None]
    harmful = edge.holds(value)
    if value != edge.value:
        upper = value > edge.value
    else:
        upper = harmful if edge.op in (">", ">=", "==", "!=") else not harmful
    side = marks.above if upper else marks.below
    reach = max(values) - edge.value if upper else edge.value - min(values)
    far = abs(value - edge.value) / reach if reach > 0 and math.isfinite(reach) else 0.0
    level = min(len(side) - 1, int(far * len(side)) if math.isfinite(far) else len(side) - 1)
    return side[level] if upper else side[len(side) - 1 - level]


def _values(moments: Sequence[Moment]) -> str:
    values = [m.value for m in moments if m.value is not None]
    if not values:
        return "no data"
    low, high = f"{min(values):.4g}", f"{max(values):.4g}"
    return low if low == high else f"{low} to {high}"


def _edges(edges: Sequence[tuple[str, Comparison]]) -> str:
    return "".join(f", {severity} {comparison}" for severity, comparison in edges)
