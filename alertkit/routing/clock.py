"""Whether a moment is in a time interval, as Alertmanager decides it.

Source: Alertmanager, timeinterval/timeinterval.go, ContainsTime.
"""

from __future__ import annotations

import calendar
import datetime
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence

from alertkit.compile.routing import Range, TimeInterval, Window


def contains(interval: TimeInterval, moment: datetime.datetime) -> bool:
    """Whether an aware `moment` fits one of the interval's windows."""
    return any(fits(window, moment) for window in interval.windows)


def fits(window: Window, moment: datetime.datetime) -> bool:
    """Whether an aware `moment` fits all parts of a window; seconds do not count."""
    zone = zoneinfo.ZoneInfo(window.location) if window.location else datetime.UTC
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return (
        (not window.times or any(begin <= minute < end for begin, end in window.times))
        and (not window.days_of_month or _day(window.days_of_month, local))
        and _within(window.months, local.month)
        and _within(window.weekdays, (local.weekday() + 1) % 7)
        and _within(window.years, local.year)
    )


def edges(intervals: Iterable[TimeInterval], after: datetime.datetime, days: int) -> Iterator[datetime.datetime]:
    """The moments after an aware `after`, within some days of it, at which any of the intervals can begin or end.

    They come in order and in the time zone of `after`: midnights, and the times of day that the windows name.
    """
    places: dict[str | None, set[int]] = {}
    for interval in intervals:
        for window in interval.windows:
            places.setdefault(window.location, {0}).update(minute for span in window.times for minute in span)
    for day in range(days):
        found: set[datetime.datetime] = set()
        for location, minutes in places.items():
            zone = zoneinfo.ZoneInfo(location) if location else datetime.UTC
            date = (after.astimezone(zone) + datetime.timedelta(days=day)).date()
            midnight = datetime.datetime.combine(date, datetime.time(), zone)
            # Wall clock arithmetic, then UTC: a day may have 23 or 25 hours.
            found.update((midnight + datetime.timedelta(minutes=m)).astimezone(datetime.UTC) for m in minutes)
        yield from (moment.astimezone(after.tzinfo) for moment in sorted(found) if moment > after)


def _within(ranges: Sequence[Range], number: int) -> bool:
    return not ranges or any(begin <= number <= end for begin, end in ranges)


def _day(ranges: Sequence[Range], local: datetime.datetime) -> bool:
    length = calendar.monthrange(local.year, local.month)[1]
    for begin, end in ranges:
        first, last = (length + day + 1 if day < 0 else day for day in (begin, end))
        if first > length:
            continue
        first, last = (max(-length, min(day, length)) for day in (first, last))
        if first <= local.day <= last:
            return True
    return False
