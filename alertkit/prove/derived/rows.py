"""What the series of a script do, in promtool's notation.

Nothing here knows a name: alerts of one shape that drive their signals alike share every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from alertkit.compile.claim import Boundary
from alertkit.kinds.stimulus import Drive, Pieces
from alertkit.prove.derived.decoys import opposite, splits
from alertkit.prove.derived.names import GAP, RESET
from alertkit.prove.derived.script import LONE, Course, Script, stands_still
from alertkit.series import Gone, Missed, Piece, Slope, notation

GONE, MISSED = Gone(), Missed()


@lru_cache(maxsize=2048)
def driven(script: Script, drive: Drive, split: bool) -> tuple[tuple[int, bool, str], ...]:
    """The series that the script moves: the place of each input, whether it is its second half, and its values.

    Where they are `split`, each is written in two parts that add up to it. When there is no data, all are gone.
    """
    length = len(script.values) + 1
    rows: dict[tuple[int, bool], list[Piece]] = {}
    for at, value in enumerate(script.values):
        for place, half, piece in _pieces(drive, value, split):
            rows.setdefault((place, half), [GONE] * length)[at] = piece
    return tuple((place, half, _written(script.course, tuple(row))) for (place, half), row in rows.items())


@lru_cache(maxsize=2048)
def steady(script: Script, drive: Drive, value: float, ends: bool) -> tuple[str, ...]:
    """Each input while the signal stays at one value; where it `ends`, they are gone when there is no data."""
    return tuple(constant(script, piece, ends) for _, _, piece in _pieces(drive, value, False))


@lru_cache(maxsize=2048)
def opposed(script: Script, drive: Drive, boundaries: tuple[Boundary, ...], rest: float) -> tuple[str, ...]:
    """Each input while the signal is bad when the script's is harmless, and the other way round."""
    columns = [drive(value) for value in opposite(script.values, boundaries, rest)]
    return tuple(_written(script.course, row) for row in zip(*columns, strict=True))


@lru_cache(maxsize=2048)
def constant(script: Script, piece: Piece, ends: bool) -> str:
    """A series that does the same throughout; where it `ends`, it is gone when there is no data."""
    return _written(script.course, (piece,) * len(script.values) + (GONE if ends else piece,))


@lru_cache(maxsize=2048)
def _pieces(drive: Drive, value: float, split: bool) -> Sequence[tuple[int, bool, Piece]]:
    """What each input does at a value, with its place and whether it is its second half: scripts share most values."""
    pieces = drive(value)
    return splits(pieces) if split else [(place, False, piece) for place, piece in enumerate(pieces)]


def idle(value: float, pieces: Pieces) -> Pieces:
    """The drive of series without traffic: they do the same at every value."""
    return pieces


@lru_cache(maxsize=2048)
def _written(course: Course, row: tuple[Piece, ...]) -> str:
    """A series that does at each value, and when there is no data, what the row says."""
    timeline = [(_interrupted(row[at], how) if how else row[at], samples) for at, samples, how in course.steps]
    return notation(timeline, course.interval)


def _interrupted(piece: Piece, how: str) -> Piece:
    """What a series does in a step that is interrupted in this way."""
    if how == GAP:
        return MISSED
    if how == LONE:
        return GONE if stands_still(piece) else piece
    if how == RESET and isinstance(piece, Slope):
        return Slope(piece.per_second, anew=True, fine=piece.fine)
    return piece
