"""Hours of exchanges as time windows, with holidays and early closes.

The data in `markets.json` say where they come from; `dev/market_data.py` writes them. After their last year holidays
count as trading days: an alert too many rather than one too few.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from alertkit.compile.day import gaps
from alertkit.compile.routing import Range, Window
from alertkit.spec.calendars import joined

_WEEK: tuple[Range, ...] = ((1, 5),)
_DAY = 1440
_LAST_YEAR_OF_ALL = 2199


@lru_cache(maxsize=1)
def data() -> dict[str, Any]:
    """The content of `markets.json`: source, first_year, last_year, markets."""
    loaded: dict[str, Any] = json.loads(files("alertkit.compile").joinpath("markets.json").read_text(encoding="utf-8"))
    return loaded


def note() -> str:
    """How far the holidays are known, in words."""
    return f"holidays {data()['first_year']} to {data()['last_year']}"


def runs_out(today: datetime.date) -> str | None:
    """What to say of the holidays' end, from the beginning of the last year on that they are known for."""
    last = data()["last_year"]
    if today.year < last:
        return None
    return f"market holidays are known only until the end of {last}; later ones count as trading days"


@dataclass(frozen=True, slots=True)
class Market:
    """Sessions from Monday to Friday in minutes of the local day; dates are (year, month, day).

    `closed` are weekdays without trading, `special` weekdays that open or close at other times.
    """

    location: str
    times: tuple[Range, ...]
    closed: frozenset[tuple[int, int, int]]
    special: dict[tuple[int, int, int], Range]


@lru_cache(maxsize=16)
def market(exchange: str) -> Market:
    raw = data()["markets"][exchange]
    return Market(
        raw["location"],
        tuple((begin, end) for begin, end in raw["times"]),
        frozenset(_date(day) for day in raw["closed"]),
        {_date(day): (begin, end) for day, (begin, end) in raw["special"].items()},
    )


def _date(text: str) -> tuple[int, int, int]:
    year, month, day = text.split("-")
    return int(year), int(month), int(day)


def _cut(times: Sequence[Range], within: Range) -> tuple[Range, ...]:
    """The sessions of a special day: the regular ones as far as they are within its hours."""
    kept = [(max(begin, within[0]), min(end, within[1])) for begin, end in times]
    found = [(begin, end) for begin, end in kept if begin < end]
    if found:  # it may also open earlier or close later than usual
        found[0] = (within[0], found[0][1])
        found[-1] = (found[-1][0], within[1])
    return tuple(found)


def open_windows(exchange: str) -> tuple[Window, ...]:
    """The times at which an exchange trades."""
    place = market(exchange)
    first, last = data()["first_year"], data()["last_year"]
    outside = ((1970, first - 1), (last + 1, _LAST_YEAR_OF_ALL))
    windows = [Window(place.times, _WEEK, years=outside, location=place.location)]
    # (days of the month that differ) -> months of years with just these
    months: dict[tuple[int, tuple[int, ...]], set[tuple[int, int]]] = {}
    for year in range(first, last + 1):
        for month in range(1, 13):
            other = tuple(sorted(d for y, m, d in (*place.closed, *place.special) if (y, m) == (year, month)))
            months.setdefault((year, other), set()).add((year, month))
    for (year, other), members in months.items():
        days = joined(set(range(1, 32)) - set(other)) if other else ()
        windows.append(Window(
            place.times, _WEEK, days, joined({m for _, m in members}), ((year, year),), place.location,
        ))  # fmt: skip
    for dates, hours in _alike(place.special.items()):
        windows.append(_on(dates, _cut(place.times, hours), place.location))
    return tuple(windows)


def closed_windows(exchange: str) -> tuple[Window, ...]:
    """All times at which it does not trade."""
    place = market(exchange)
    windows = [
        Window(weekdays=((0, 0), (6, 6)), location=place.location),
        Window(times=gaps(place.times), weekdays=_WEEK, location=place.location),
    ]
    for dates, _ in _alike((day, (0, _DAY)) for day in place.closed):
        windows.append(_on(dates, (), place.location))
    for dates, hours in _alike(place.special.items()):
        windows.append(_on(dates, gaps(_cut(place.times, hours)), place.location))
    return tuple(windows)


def _alike(
    days: Iterable[tuple[tuple[int, int, int], Range]],
) -> list[tuple[tuple[tuple[int, ...], int, tuple[int, ...]], Range]]:
    """Days with the same hours as ((years), month, (days)): first by month, then years that share all their days."""
    months: dict[tuple[int, int, Range], set[int]] = {}
    for (year, month, day), hours in days:
        months.setdefault((year, month, hours), set()).add(day)
    shared: dict[tuple[int, tuple[int, ...], Range], set[int]] = {}
    for (year, month, hours), numbers in months.items():
        shared.setdefault((month, tuple(sorted(numbers)), hours), set()).add(year)
    found = [((tuple(sorted(years)), month, numbers), hours) for (month, numbers, hours), years in shared.items()]
    return sorted(found)


def _on(dates: tuple[tuple[int, ...], int, tuple[int, ...]], times: tuple[Range, ...], location: str) -> Window:
    years, month, days = dates
    return Window(times, (), joined(set(days)), ((month, month),), joined(set(years)), location)
