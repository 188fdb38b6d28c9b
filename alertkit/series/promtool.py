"""Pieces of a series in promtool's notation (`0x20 1x9`, `0+4x40`).

promtool adds increments one by one, so a counter's increments are rounded to a power of two that keeps every sum
exact: a counter must never seem to fall by a rounding error, which Prometheus would take for a reset.
Source of the notation: Prometheus documentation, "Unit testing for rules", series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from alertkit.series.pieces import Clock, Gone, Level, Line, Missed, Piece, Slope, Zigzag
from alertkit.spec.quantity import format_number


def notation(timeline: Sequence[tuple[Piece, int]], step: int) -> str:
    """Write a series: `timeline` are pieces with their number of samples, `step` milliseconds apart, from time 0.

    A series that is absent throughout gives an empty string.
    """
    seconds = step / 1000
    quantum: float | None = None
    words: list[str] = []
    total = rising = 0.0
    position = 0
    present = False
    for piece, count in _joined(timeline):
        kind = type(piece)
        if kind is Gone:
            if present:
                words.append("stale")
                count_left = count - 1
            else:
                count_left = count
            if count_left:
                words.append(f"_x{count_left}" if count_left > 1 else "_")
            position += count
            present = False
            continue
        if kind is Missed:
            words.append(f"_x{count}" if count > 1 else "_")
            total += rising * count
            position += count
            continue
        if kind is Level:
            words.append(_run(piece.value, 0.0, count))  # type: ignore[union-attr]
        elif kind is Slope:
            quantum = _quantum(timeline, seconds) if quantum is None else quantum
            step_up = _rounded(piece, seconds, quantum)  # type: ignore[arg-type]
            # The sample at the change still ends the old slope: the new one begins there.
            first = step_up if piece.anew else total + rising if present else total  # type: ignore[union-attr]
            words.append(_run(first, step_up, count))
            total, rising = first + step_up * (count - 1), step_up
        elif kind is Clock:
            scale = piece.scale  # type: ignore[union-attr]
            words.append(_run((position * seconds - piece.lag) * scale, seconds * scale, count))  # type: ignore[union-attr]
        elif kind is Line:
            words.append(_run(piece.start, piece.per_second * seconds, count))  # type: ignore[union-attr]
        else:
            words += _zigzag(piece, position, count, step)  # type: ignore[arg-type]
        position += count
        present = True
    while words and words[-1].startswith("_"):
        words.pop()
    return " ".join(words)


def _joined(timeline: Sequence[tuple[Piece, int]]) -> list[tuple[Piece, int]]:
    """The same with a single piece in place of several through which a series does the same: what stays is one run."""
    found: list[tuple[Piece, int]] = []
    for piece, count in timeline:
        if count <= 0:
            continue
        if found and _goes_on(found[-1][0], piece):
            found[-1] = found[-1][0], found[-1][1] + count
        else:
            found.append((piece, count))
    return found


def _goes_on(before: Piece, piece: Piece) -> bool:
    """Whether one run can hold both: the other sorts begin again with each piece."""
    if isinstance(piece, Slope):
        same = isinstance(before, Slope) and piece.per_second == before.per_second and piece.fine == before.fine
        return same and not piece.anew
    return type(piece) in (Level, Gone, Missed) and piece == before


def _run(first: float, increment: float, count: int) -> str:
    start = format_number(first)
    if count == 1:
        return start
    if not increment:
        return f"{start}x{count - 1}"
    sign = "-" if increment < 0 else "+"
    return f"{start}{sign}{format_number(abs(increment))}x{count - 1}"


def _zigzag(piece: Zigzag, position: int, count: int, step: int) -> list[str]:
    """Runs of equal samples; the phase is counted from time 0, so that pieces join without a seam.

    It begins with a sample, also where they are sparse: until the next one that of the piece before would be read.
    """
    sparse = max(piece.every // step, 1)
    period = max(piece.period // step, sparse)
    end = position + count
    sampled = [position, *range(position - position % sparse + sparse, end, sparse)]
    runs: list[tuple[float | None, int]] = []
    for at, following in pairwise([*sampled, end]):
        runs += [(piece.high if (at // period) % 2 else piece.low, 1), (None, following - at - 1)]
    words = []
    for value, group in groupby([run for run in runs if run[1]], key=itemgetter(0)):
        length = sum([samples for _, samples in group])
        words.append(_run(value, 0.0, length) if value is not None else f"_x{length}" if length > 1 else "_")
    return words


def _rounded(piece: Slope, seconds: float, quantum: float) -> float:
    """The increment of a counter, which is the same in each series that can hold it: equal ones stay equal."""
    rise = piece.per_second * seconds
    if not rise:
        return 0.0
    quantum = max(quantum, _share(rise, piece.fine))
    return round(rise / quantum) * quantum


def _share(rise: float, fine: bool) -> float:
    """The power of two that an increment is rounded to."""
    return math.ldexp(0.5, math.frexp(rise)[1] - (40 if fine else 24))


def _quantum(timeline: Sequence[tuple[Piece, int]], seconds: float) -> float:
    """The power of two that all increments of one counter are multiples of; 0 when it never moves."""
    slopes = [(p.per_second * seconds, n, p.fine) for p, n in timeline if type(p) is Slope]
    smallest = min([rise for rise, _, _ in slopes if rise > 0], default=0.0)
    if not smallest:
        return 0.0
    largest = max([rise * n for rise, n, _ in slopes])
    # 52 bits hold the largest sum in quanta.
    most = math.ldexp(1.0, math.ceil(math.log2(largest * len(timeline))) - 52)
    return max(_share(smallest, any(fine for *_, fine in slopes)), most)
