"""Calendars -> time intervals.

`active: X` of a market becomes "muted while X is closed", so that past the end of the holiday data alerts are told,
not lost; a window of the user's own stays the active interval that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from alertkit.compile import markets
from alertkit.compile.day import gaps
from alertkit.compile.routing import TimeInterval, Window
from alertkit.source import Problems, Span
from alertkit.spec.calendars import Calendar, joined

ALWAYS = "crypto"
_ALL_DAY = (0, 1440)


@dataclass(frozen=True, slots=True)
class Times:
    """When a route tells: within one of each group of `actives`, and outside all of `mutes` (names of calendars)."""

    actives: tuple[tuple[str, ...], ...] = ()
    mutes: tuple[str, ...] = ()

    def narrowed(self, active: Sequence[str], mute: Sequence[str]) -> Times:
        actives = self.actives
        if active and tuple(active) not in actives:
            actives = (*actives, tuple(active))
        return Times(actives, tuple(dict.fromkeys((*self.mutes, *mute))))


@dataclass
class Intervals:
    """The calendars of a project, and which of their intervals the routes have come to use."""

    calendars: dict[str, Calendar]
    used: dict[str, None] = field(default_factory=dict)

    def of(self, times: Times, span: Span | None, problems: Problems) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The active and mute time intervals of a route; calendars that are not defined have been reported."""
        active: tuple[str, ...] = ()
        mute: list[str] = []
        for group in times.actives:
            names = [name for name in group if name in self.calendars]
            if not names or any(self.calendars[name].exchange == ALWAYS for name in names):
                continue
            if len(names) == 1 and (active or self.calendars[names[0]].exchange):
                mute.append(closed_name(names[0]))
            elif not active:
                active = tuple(names)
            elif len(active) == 1 and active[0] in self.calendars:
                mute.append(closed_name(active[0]))
                active = tuple(names)
            else:
                problems.add(
                    "AK509", "two lists of calendars restrict this route at once", span,
                    "Alertmanager can require only one list; define one calendar that says both",
                )  # fmt: skip
        for name in times.mutes:
            if name in self.calendars:
                if always(self.calendars[name]):
                    market = self.calendars[name].exchange
                    problems.add(
                        "AK515", f"`mute: {name}` would silence this for good", span,
                        f"that {'market never closes' if market else 'calendar has no end'}; remove `mute:`",
                    )  # fmt: skip
                mute.append(name)
        mutes = tuple(dict.fromkeys(mute))
        self.used.update(dict.fromkeys((*active, *mutes)))
        return active, mutes

    def check(self, times: Times, span: Span | None, problems: Problems) -> None:
        """Report what may tell only in times in which it is muted."""
        for group in times.actives:
            if set(group) <= set(times.mutes):
                problems.add(
                    "AK515", f"`active: {', '.join(group)}` and `mute:` of the same silence this for good", span,
                    "keep one of the two; those of a route hold for the routes in it too",
                )  # fmt: skip

    def compiled(self) -> tuple[TimeInterval, ...]:
        """The intervals in use, in the order in which their calendars are defined."""
        found: list[TimeInterval] = []
        for name, calendar in self.calendars.items():
            last = markets.data()["last_year"] if calendar.exchange else None
            note = f"hours of {calendar.exchange}, {markets.note()}" if calendar.exchange else ""
            if name in self.used:
                found.append(TimeInterval(name, open_windows(calendar), note, last))
            if closed_name(name) in self.used:
                note = f"outside the {note or name}"
                found.append(TimeInterval(closed_name(name), closed_windows(calendar), note, last))
        return tuple(found)


def closed_name(name: str) -> str:
    """The interval of all times outside a calendar; a `:` is in no calendar's own name."""
    return f"{name}:closed"


def always(calendar: Calendar) -> bool:
    """Whether there is no time outside it."""
    return calendar.exchange == ALWAYS or (calendar.exchange is None and not closed_windows(calendar))


def open_windows(calendar: Calendar) -> tuple[Window, ...]:
    """The times in a calendar."""
    if calendar.exchange == ALWAYS:
        return (Window(),)
    if calendar.exchange:
        return markets.open_windows(calendar.exchange)
    return (_window(calendar),)


def closed_windows(calendar: Calendar) -> tuple[Window, ...]:
    """All times outside a calendar."""
    if calendar.exchange:
        return markets.closed_windows(calendar.exchange)
    return complement(_window(calendar))


def _window(calendar: Calendar) -> Window:
    return Window(
        calendar.times, calendar.weekdays, calendar.days_of_month, calendar.months, (),
        None if calendar.timezone == "UTC" else calendar.timezone,
    )  # fmt: skip


def complement(window: Window) -> tuple[Window, ...]:
    """All times that do not fit `window` (without years): outside any one of its parts is outside."""
    found: list[Window] = []
    parts: list[tuple[Callable[[tuple[tuple[int, int], ...]], Window], tuple[tuple[int, int], ...]]] = []
    location = window.location
    if window.months:
        rest = joined({n for n in range(1, 13) if not _in(n, window.months)})
        parts.append((lambda r: Window(months=r, location=location), rest))
    if window.weekdays:
        rest = joined({n for n in range(7) if not _in(n, window.weekdays)})
        parts.append((lambda r: Window(weekdays=r, location=location), rest))
    if window.times:
        parts.append((lambda r: Window(times=r, location=location), gaps(window.times)))
    found.extend(build(rest) for build, rest in parts if rest)
    if window.days_of_month:
        found.extend(_other_days(window))
    return tuple(found)


def _other_days(window: Window) -> list[Window]:
    """Days outside `days_of_month`, for each length of month: what -1 means differs between them."""
    leap = tuple(year for year in range(1972, 2104) if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    common = joined(set(range(1970, 2104)) - set(leap))
    lengths: list[tuple[int, tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]] = [
        (31, ((1, 1), (3, 3), (5, 5), (7, 8), (10, 10), (12, 12)), ()),
        (30, ((4, 4), (6, 6), (9, 9), (11, 11)), ()),
    ]
    if all(begin > 0 and end > 0 for begin, end in window.days_of_month):
        lengths = [(31, (), ())]
    else:
        lengths += [(28, ((2, 2),), common), (29, ((2, 2),), tuple((year, year) for year in leap))]
    found: list[Window] = []
    for length, months, years in lengths:
        inside: set[int] = set()
        for begin, end in window.days_of_month:
            first, last = (length + n + 1 if n < 0 else n for n in (begin, end))
            inside.update(range(max(first, 1), min(last, length) + 1))
        rest = joined(set(range(1, length + 1)) - inside)
        if rest:
            found.append(Window((), (), rest, months, years, window.location))
    return found


def _in(number: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(begin <= number <= end for begin, end in ranges)
