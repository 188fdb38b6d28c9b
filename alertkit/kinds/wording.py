"""How a value reads with its unit, as a Go template."""

from __future__ import annotations

from alertkit.spec.quantity import Unit


def humanized(unit: Unit, exact: bool = False) -> str:
    """`$value` for people: `85%`, `1m 30s`, `2.5GB`, `350 ms`.

    Unless a time is `exact` to the last bit it stays in seconds, because `humanizeDuration` cuts 299.999 to 4m 59s.
    """
    if unit.dimension == "ratio" and unit.scale == 1:
        return "{{ $value | humanizePercentage }}"
    if unit.dimension == "time" and unit.scale == 1 and exact:
        return "{{ $value | humanizeDuration }}"
    return "{{ $value | humanize }}" + suffix(unit)


def suffix(unit: Unit) -> str:
    """What stands behind the number of a value in `unit`."""
    if unit.dimension == "number":
        return ""
    # `humanize` ends in a prefix of its own: 2.5GB, and never 2.5G MB.
    return unit.name if unit.scale == 1 or not unit.name[:1].isalpha() else f" {unit.name}"
