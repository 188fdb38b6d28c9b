"""Quantities with units (`5%`, `250ms`, `2GiB`, `10/s`) and the units of metrics.

A quantity is exact (a fraction of its dimension's base unit) until it is written into a rule as the metric's own
number, so `250ms` on a metric in seconds is 0.25 and nothing near it. Dimensions: `time` (base: second), `bytes`,
`ratio` (base: 1), `rate` (per second), `bytes rate`, and `number`, which fits anything as it stands.
Source of the suffixes: Prometheus documentation, "Metric and label naming", base units.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from alertkit.spec.duration import UNITS, parse_duration


class Unit(NamedTuple):
    """What one stands for: `scale` base units of `dimension`; `name` as users write it."""

    name: str
    dimension: str
    scale: Fraction

    def __hash__(self) -> int:  # that of a fraction takes long
        return hash(self.name)

    def per_second(self) -> Unit:
        """The unit of this unit's increase in one second: of a duration that is a plain ratio."""
        if self.dimension == "time":
            return RATIO if self.scale == 1 else Unit(f"{self.name}/s", "ratio", self.scale)
        if self.dimension == "bytes":
            return Unit(f"{self.name}/s", "bytes rate", self.scale)
        return PER_SECOND

    def per(self, time: str) -> Unit:
        """The unit of this unit's increase in one `s`, `minute`, `h` and so on."""
        rate = self.per_second()
        name = f"{self.name if self.dimension in ('bytes', 'time') else ''}/{time}"
        return rate if PER[time] == 1 else Unit(name, rate.dimension, rate.scale / PER[time])


def _units(dimension: str, **scales: Fraction | int) -> dict[str, Unit]:
    return {name: Unit(name, dimension, Fraction(scale)) for name, scale in scales.items()}


NUMBER = Unit("number", "number", Fraction(1))
RATIO = Unit("ratio", "ratio", Fraction(1))
PERCENT = Unit("%", "ratio", Fraction(1, 100))
PER_SECOND = Unit("/s", "rate", Fraction(1))
SECONDS = Unit("s", "time", Fraction(1))

_TIME = _units(
    "time", ns=Fraction(1, 10**9), us=Fraction(1, 10**6), ms=Fraction(1, 1000), s=1, m=60, min=60, h=3600, d=86400,
    w=604800,
)  # fmt: skip
_BYTES = _units(
    "bytes", B=1, kB=10**3, KB=10**3, MB=10**6, GB=10**9, TB=10**12, PB=10**15,
    KiB=2**10, MiB=2**20, GiB=2**30, TiB=2**40, PiB=2**50,
)  # fmt: skip
PER = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
}

# What may stand behind a number, and in `unit:`.
QUANTITY_UNITS: dict[str, Unit] = {**_TIME, **_BYTES, "µs": _TIME["us"], "%": PERCENT}
NAMED_UNITS: dict[str, Unit] = {
    **QUANTITY_UNITS,
    "seconds": SECONDS, "milliseconds": _TIME["ms"], "microseconds": _TIME["us"], "nanoseconds": _TIME["ns"],
    "minutes": _TIME["m"], "hours": _TIME["h"], "days": _TIME["d"],
    "bytes": _BYTES["B"], "percent": PERCENT, "ratio": RATIO, "number": NUMBER, "/s": PER_SECOND,
}  # fmt: skip

_SUFFIXES: dict[str, Unit] = {
    "seconds": SECONDS, "second": SECONDS, "secs": SECONDS, "ms": _TIME["ms"], "milliseconds": _TIME["ms"],
    "millis": _TIME["ms"], "us": _TIME["us"], "microseconds": _TIME["us"], "ns": _TIME["ns"],
    "nanoseconds": _TIME["ns"], "minutes": _TIME["m"], "hours": _TIME["h"], "days": _TIME["d"],
    "bytes": _BYTES["B"], "kb": _BYTES["kB"], "kilobytes": _BYTES["kB"], "kib": _BYTES["KiB"],
    "mb": _BYTES["MB"], "megabytes": _BYTES["MB"], "mib": _BYTES["MiB"], "gb": _BYTES["GB"],
    "gigabytes": _BYTES["GB"], "gib": _BYTES["GiB"], "tb": _BYTES["TB"], "terabytes": _BYTES["TB"],
    "tib": _BYTES["TiB"], "kibibytes": _BYTES["KiB"], "mebibytes": _BYTES["MiB"], "gibibytes": _BYTES["GiB"],
    "tebibytes": _BYTES["TiB"], "percent": PERCENT, "percentage": PERCENT, "pct": PERCENT,
    "ratio": RATIO, "fraction": RATIO,
}  # fmt: skip
# Words behind the unit that change nothing about it; `_count` and `_bucket` of a histogram count events.
_STATISTICS = frozenset({"total", "sum", "max", "min", "avg", "created"})


@lru_cache(maxsize=4096)
def unit_of_metric(name: str) -> Unit:
    """The unit that a metric's name tells by its suffix; `NUMBER` when it tells none."""
    parts = name.replace(":", "_").split("_")  # names of recording rules have colons: `node:disk:ratio`
    while len(parts) > 1 and parts[-1] in _STATISTICS:
        parts.pop()
    if len(parts) > 2 and parts[-2] == "per" and parts[-1] in PER:
        return unit_of_metric("_".join(parts[:-2])).per(parts[-1])
    return _SUFFIXES.get(parts[-1], NUMBER) if len(parts) > 1 else NUMBER


class Quantity(NamedTuple):
    """A number with its unit: `amount` in `unit`, and the `text` that the user wrote."""

    amount: Fraction
    unit: Unit
    text: str

    def __hash__(self) -> int:
        return hash(self.text)

    def in_unit(self, unit: Unit) -> float | None:
        """The number this is in `unit`; None when the dimensions do not fit. A plain number fits as it stands."""
        if self.unit is NUMBER:
            return float(self.amount)
        if self.unit.dimension != unit.dimension:
            return None
        # What `float(amount * scale / other)` gives: dividing two whole numbers rounds once, correctly.
        above, below = self.amount.as_integer_ratio()
        (up, down), (other_up, other_down) = self.unit.scale.as_integer_ratio(), unit.scale.as_integer_ratio()
        return above * up * other_down / (below * down * other_up)


_QUANTITY = re.compile(
    r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*([A-Za-zµ%]*)(?:/([A-Za-z]+))?\Z"
)


@lru_cache(maxsize=8192)
def parse_quantity(text: str) -> Quantity | None:
    """Read `5%`, `-3.5`, `250ms`, `1h30m`, `2 GiB`, `600/min`, `5MB/s`; None when it is none of them."""
    text = text.strip()
    match = _QUANTITY.match(text)
    if match is None:
        milliseconds = parse_duration(text.lstrip("-"))
        if milliseconds is None or not text.lstrip("-"):
            return None
        sign = -1 if text.startswith("-") else 1
        return Quantity(Fraction(sign * milliseconds, UNITS["s"]), SECONDS, text)
    number, name, per = match.groups()
    if len(number) > 40:
        return None
    amount = _exact(number)
    if amount is None:
        return None
    unit = QUANTITY_UNITS.get(name) if name else NUMBER
    if unit is None:
        return None
    if per is None:
        return Quantity(amount, unit, text)
    if per not in PER:
        return None
    rate = PER_SECOND if unit is NUMBER else unit.per_second()
    if unit is not NUMBER and rate is PER_SECOND:
        return None
    return Quantity(amount, Unit(f"{name}/{per}", rate.dimension, rate.scale / PER[per]), text)


def is_number(text: str) -> bool:
    """Whether a text is a number without a unit, of whatever size."""
    match = _QUANTITY.match(text.strip())
    return match is not None and not match[2] and match[3] is None


def _exact(number: str) -> Fraction | None:
    """The number as a fraction; None where its exponent is beyond what a metric can have."""
    _, _, exponent = number.lower().partition("e")
    return None if exponent and abs(int(exponent)) > 250 else Fraction(number)


_NOT_FINITE = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}


@lru_cache(maxsize=16384, typed=True)
def format_number(value: float) -> str:
    """The shortest text that PromQL reads back as exactly `value`; whole numbers without a point."""
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    text = repr(value)
    return _NOT_FINITE.get(text, text)
