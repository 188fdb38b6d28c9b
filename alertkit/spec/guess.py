"""What a duration or a quantity that does not parse was probably meant to be, for the help of its error."""

from __future__ import annotations

import re
from collections.abc import Mapping

from alertkit.spec.duration import UNITS, format_duration, parse_duration
from alertkit.spec.quantity import QUANTITY_UNITS, parse_quantity

_WORDS: Mapping[str, str] = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "m": "m", "min": "m", "mins": "m", "minute": "m",
    "minutes": "m", "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d",
    "w": "w", "week": "w", "weeks": "w", "ms": "ms", "msec": "ms", "millis": "ms", "millisecond": "ms",
    "milliseconds": "ms",
}  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*(?:,|and)?\s*")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?\Z")
# Longer texts are no slip of the pen.
_LONGEST = 40


def duration(text: str) -> str | None:
    """`5 minutes`, `1.5h`, `30m1h`, `PT5M`, `00:05:00` as Prometheus writes them; None for anything else."""
    wanted = text.strip().lower()[:_LONGEST]
    wanted = re.sub(r"\Apt?(?=\d)", "", wanted)
    clock = _CLOCK.match(wanted)
    if clock is not None and clock[3]:
        total = sum(int(part) * size for part, size in zip(clock.groups(), (3_600_000, 60_000, 1000), strict=True))
        return format_duration(total)
    milliseconds, end = 0.0, 0
    for part in _PART.finditer(wanted):
        unit = _WORDS.get(part[2])
        if unit is None or part.start() != end:
            return None
        milliseconds += float(part[1]) * UNITS[unit]
        end = part.end()
    if not end or end != len(wanted) or not milliseconds.is_integer() or len(text) > _LONGEST:
        return None
    shown = format_duration(int(milliseconds))
    return shown if parse_duration(shown) else None


def quantity(text: str) -> str | None:
    """`> 5`, `1,000`, `5 percent`, `5gb`, `10 per second` and the like as quantities; None for anything else."""
    if len(text) > _LONGEST:
        return None
    wanted = re.sub(r"\A\s*(?:[<>]=?|[=!]=|=)\s*", "", text).strip()
    wanted = re.sub(r"(?<=\d)[,_](?=\d{3}(?!\d))", "", wanted)
    wanted = re.sub(r"\s*(?:percent|pct)\Z", "%", wanted, flags=re.IGNORECASE)
    wanted = re.sub(r"\s*(?:per\s+|/\s+|r?p(?=s\Z))", "/", wanted, flags=re.IGNORECASE)
    number = re.match(r"([-+]?[\d.]+)\s*([A-Za-z]*)((?:/[a-z]+)?)\Z", wanted)
    if number is not None and parse_quantity(wanted) is None:
        spelt = {unit.lower(): unit for unit in sorted(QUANTITY_UNITS)} | {"g": "GB", "t": "TB"}
        thousands = {"k": 1000, "m": 1_000_000}.get(number[2].lower())
        if thousands is not None and not number[3]:
            return f"{float(number[1]) * thousands:.15g}" if number[1].count(".") < 2 else None
        unit = _WORDS.get(number[2].lower()) or spelt.get(number[2].lower(), number[2])
        wanted = f"{number[1]}{unit}{number[3]}"
    if parse_quantity(wanted) is not None and wanted != text.strip():
        return wanted
    return duration(wanted)
