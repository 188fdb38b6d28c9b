"""Calendars of the routing file: named times, for `active:` and `mute:`.

A calendar is either a market's (`exchange: XNYS`) or a window of weekdays and times in a time zone.
Source: Alertmanager documentation, "Configuration", time_interval.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from alertkit.spec.reader import items
from alertkit.spec.validate import Model, nearest, suggest

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
# Everyday names of what ISO 10383 calls by four letters.
_MARKETS = {
    "NYSE": "XNYS", "NASDAQ": "XNAS", "LSE": "XLON", "LONDON": "XLON", "XETRA": "XETR", "FRANKFURT": "XETR",
    "TSE": "XTKS", "JPX": "XTKS", "TOKYO": "XTKS",
}  # fmt: skip
EXCHANGES = ("XNYS", "XNAS", "XLON", "XETR", "XTKS", "crypto")

Range = tuple[int, int]


def _ranges(value: Any, words: tuple[str, ...], first: int, what: str) -> tuple[Range, ...]:
    """`a:b`, `a` or a list of both as inclusive ranges that do not wrap, counted from `first`."""

    def numbers(item: Any) -> Iterator[int]:
        ends = [_number(part.strip(), words, first, what) for part in str(item).lower().split(":")]
        if len(ends) > 2:
            raise PydanticCustomError(
                "AK509", "`{item}` is not a range", {"item": str(item), "help": f"write it like {words[1]}:{words[5]}"}
            )
        begin, end = ends[0], ends[-1]
        span = end - begin if end >= begin else end - begin + len(words)
        return (first + (begin - first + step) % len(words) for step in range(span + 1))

    return joined(set(chain.from_iterable(items(value, numbers))))


def joined(numbers: set[int]) -> tuple[Range, ...]:
    """Whole numbers as the fewest inclusive ranges."""
    ranges: list[Range] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def _number(word: str, words: tuple[str, ...], first: int, what: str) -> int:
    if word in words:
        return words.index(word) + first
    short = [name for name in words if len(word) >= 3 and name.startswith(word)]
    if len(short) == 1:
        return words.index(short[0]) + first
    if what == "month" and re.match(r"\d{1,2}\Z", word) and 1 <= int(word) <= 12:
        return int(word)
    raise PydanticCustomError(
        "AK509", "`{word}` is not a {what}", {"word": word, "what": what, "help": _meant(word, words)}
    )


def _meant(word: str, words: tuple[str, ...]) -> str:
    ends = [nearest(part, words) for part in re.split(r"\s*(?:-|to)\s*", word)]
    return f"did you mean `{ends[0]}:{ends[1]}`?" if len(ends) == 2 and all(ends) else suggest(word, words)


def _days_of_month(item: Any) -> Range:
    """Days as Alertmanager has them: 1 to 31, or -31 to -1 counted from the month's end."""
    match = re.match(r"(-?\d{1,2})(?::(-?\d{1,2}))?\Z", str(item))
    begin = int(match[1]) if match else 0
    end = int(match[2]) if match and match[2] else begin
    good = match is not None and all(1 <= abs(day) <= 31 for day in (begin, end)) and not (begin < 0 < end)
    if good and (28 + begin if begin < 0 else begin) > (28 + end if end < 0 else end):
        good = False
    if not good:
        raise PydanticCustomError(
            "AK509", "`{item}` is not a range of days of the month",
            {"item": str(item), "help": "write it like 1:15, or -3:-1 for the last three days"},
        )  # fmt: skip
    return begin, end


def _times(item: Any) -> Range:
    """`09:00-18:00` as minutes of the day, the end excluded."""
    match = re.match(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\Z", str(item))
    begin, end = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
    if not match or int(match[2]) > 59 or int(match[4]) > 59 or begin > 1440 or end > 1440:
        raise PydanticCustomError(
            "AK510", "`{item}` is not a range of times",
            {"item": str(item), "help": "write it like 09:00-18:00, at most 24:00"},
        )  # fmt: skip
    if end <= begin:
        raise PydanticCustomError(
            "AK510", "the range {item} ends before it begins",
            {"item": str(item),
             "help": f"a night is two ranges: [{_clock(begin)}-24:00, 00:00-{_clock(end)}]"},
        )  # fmt: skip
    return begin, end


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _timezone(value: str) -> str:
    try:
        if value in ("", "Local") or value.startswith(("posix/", "right/")):
            raise ValueError
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise PydanticCustomError(
            "AK511", "`{value}` is not a time zone",
            {"value": value, "help": _zone_help(value)},
        ) from None  # fmt: skip
    return value


def _zone_help(value: str) -> str:
    known = zoneinfo.available_timezones()
    tail = value.rsplit("/", 1)[-1].replace(" ", "_").lower()
    same = sorted(name for name in known if name.rsplit("/", 1)[-1].lower() == tail and "/" in name)
    if same:
        return f"did you mean `{same[0]}`?"
    lower = {name.lower(): name for name in known}
    import difflib

    close = difflib.get_close_matches(value.lower(), sorted(lower), n=1, cutoff=0.7)
    return f"did you mean `{lower[close[0]]}`?" if close else "write a name of the tz database, like Europe/Berlin"


def _exchange(value: str) -> str:
    if value not in EXCHANGES:
        near = _MARKETS.get(value.upper()) or nearest(value, EXCHANGES)
        raise PydanticCustomError(
            "AK509", "the exchange `{value}` is not known",
            {"value": value, "help": f"did you mean `{near}`?" if near else f"known here: {', '.join(EXCHANGES)}"},
        )  # fmt: skip
    return value


class Calendar(Model):
    """Times of a week, or of a market; whatever is not given does not restrict."""

    exchange: Annotated[str, AfterValidator(_exchange)] | None = None
    weekdays: Annotated[tuple[Range, ...], BeforeValidator(lambda v: _ranges(v, DAYS, 0, "weekday"))] = ()
    times: Annotated[tuple[Range, ...], BeforeValidator(lambda v: tuple(items(v, _times)))] = ()
    days_of_month: Annotated[tuple[Range, ...], BeforeValidator(lambda v: tuple(items(v, _days_of_month)))] = ()
    months: Annotated[tuple[Range, ...], BeforeValidator(lambda v: _ranges(v, MONTHS, 1, "month"))] = ()
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"

    @model_validator(mode="after")
    def _one_of_two(self) -> Calendar:
        windows = self.weekdays or self.times or self.days_of_month or self.months
        if self.exchange and (windows or "timezone" in self.model_fields_set):
            raise PydanticCustomError(
                "AK509", "an exchange brings its own days, times and time zone",
                {"help": "remove the other keys, or `exchange:`"},
            )  # fmt: skip
        if not self.exchange and not windows:
            raise PydanticCustomError(
                "AK509", "the calendar says no times", {"help": "give `exchange:`, or `weekdays:` and `times:`"}
            )
        months = [month for begin, end in self.months for month in range(begin, end + 1)]
        days = [min(abs(begin), abs(end)) for begin, end in self.days_of_month]
        if months and days and min(days) > max(_LENGTHS[month - 1] for month in months):
            names = ", ".join(MONTHS[month - 1] for month in months)
            raise PydanticCustomError(
                "AK509", "the calendar never comes: no such day in {names}",
                {"names": names, "help": "name a day of the month that these months have"},
            )  # fmt: skip
        return self


_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
