"""Prometheus durations (`5m`, `1h30m`, `250ms`) as whole milliseconds.

Source: Prometheus documentation, "Querying basics", time durations: units in falling order, each at most once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from alertkit.spec.reader import Reader
from alertkit.spec.shown import brief

UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_PATTERN = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?\Z", re.ASCII
)
# Prometheus keeps durations as nanoseconds in 64 bits.
LONGEST = 292 * UNITS["y"]
# A sample is looked back at for so many milliseconds: Prometheus' `--query.lookback-delta`, whose default promtool has.
LOOKBACK = 5 * UNITS["m"]
# Python refuses to convert thousands of digits.
LONGEST_TEXT = 200


@lru_cache(maxsize=4096)
def parse_duration(text: str) -> int | None:
    """Milliseconds of a Prometheus duration, or None when `text` is none."""
    if text == "0":
        return 0
    match = _PATTERN.match(text)
    if match is None or not text or len(text) > LONGEST_TEXT:
        return None
    total = sum(int(count) * size for count, size in zip(match.groups(), UNITS.values(), strict=True) if count)
    return total if total <= LONGEST else None


@lru_cache(maxsize=4096)
def format_duration(milliseconds: int) -> str:
    """The shortest exact Prometheus notation, without years (leap years) and weeks only when exact: `1h30m`."""
    if milliseconds == 0:
        return "0s"
    if milliseconds % UNITS["w"] == 0:
        return f"{milliseconds // UNITS['w']}w"
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, milliseconds = divmod(milliseconds, UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def unit_help(text: str) -> str | None:
    """The help for a number without a unit; None for what no unit makes a duration."""
    return f"say the unit: `{text}s` or `{text}m`" if all(parse_duration(text + unit) for unit in "sm") else None


def _validate(value: Any) -> int:
    milliseconds = parse_duration(value) if isinstance(value, str) else None
    if milliseconds is None:
        if value == 0 and isinstance(value, int) and not isinstance(value, bool):
            return 0
        help = "write it like 30s, 5m, 1h30m or 2d"
        bare = isinstance(value, (int, float)) and not isinstance(value, bool)
        if (bare or isinstance(value, str)) and (said := unit_help(str(value))):
            help = said
        elif isinstance(value, str) and _PATTERN.match(value):
            help = "the longest duration that Prometheus knows is 292y"
        elif isinstance(value, str):
            from alertkit.spec import guess

            meant = guess.duration(value)
            help = f"did you mean `{meant}`?" if meant else help
        raise PydanticCustomError("AK301", "{shown} is not a duration", {"shown": brief(value), "help": help})
    return milliseconds


Duration = Annotated[int, Reader(_validate)]
"""A pydantic field: Prometheus notation in YAML, milliseconds in Python."""


def _some(value: int) -> int:
    if value < 1:
        raise PydanticCustomError("AK205", "an interval of nothing", {"help": "say how often, such as 15s"})
    return value


Interval = Annotated[Duration, AfterValidator(_some)]
"""A duration of at least one millisecond."""
