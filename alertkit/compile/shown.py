"""How the value of an alert reads in a notification: the annotation `value`.

The form is chosen so that a proof can foretell it to the last character, also where arithmetic on floats leaves noise
behind the digits that matter: `humanizeDuration` drops what is below a second from a minute on, so that 300 s with a
little noise may read 4m 59s, and is used only for what is shorter or known to the last bit.
"""

from __future__ import annotations

from functools import lru_cache

from alertkit.compile.levels import Level
from alertkit.kinds.wording import humanized, suffix
from alertkit.spec.quantity import Unit

NAME = "value"
# Thresholds from which on `humanize` reads better than all digits (123456 -> 123.5k).
_LARGE = 100_000
# Longest threshold, in seconds, whose values stay below a minute.
_SHORT = 50


@lru_cache(maxsize=4096)
def shown_value(unit: Unit, levels: tuple[Level, ...], exact: bool) -> str:
    """The Go template that shows a value of these levels, which is `exact` where it is known to the last bit."""
    highest = max((abs(comparison.value) for level in levels for comparison in level.comparisons), default=0.0)
    if unit.dimension in ("ratio", "time") and unit.scale == 1:
        return humanized(unit, exact=exact or highest < _SHORT)
    number = "{{ $value | humanize }}" if highest >= _LARGE else '{{ $value | printf "%.6g" }}'
    return number + suffix(unit)
