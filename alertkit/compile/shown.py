"""How the value of an alert reads in a notification: the annotation `value`.

The form is chosen so that a proof can foretell it to the last character, also where arithmetic on floats leaves noise
behind the digits that matter: `humanizeDuration` drops what is below a second from a minute on, so that 300 s with a
little noise may read 4m 59s, and is used only for what is shorter or known to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable

from alertkit.kinds import Question, Stimulus
from alertkit.kinds.wording import humanized, suffix

NAME = "value"
# Thresholds from which on `humanize` reads better than all digits (123456 -> 123.5k).
_LARGE = 100_000
# Longest threshold, in seconds, whose values stay below a minute.
_SHORT = 50


def shown_value(question: Question, stimulus: Stimulus | None, thresholds: Iterable[float]) -> str:
    """The Go template that shows the value of a question with these thresholds."""
    highest = max((abs(threshold) for threshold in thresholds), default=0.0)
    unit = question.unit
    if unit.dimension in ("ratio", "time") and unit.scale == 1:
        return humanized(unit, exact=stimulus is None or stimulus.exact or highest < _SHORT)
    number = "{{ $value | humanize }}" if highest >= _LARGE else '{{ $value | printf "%.6g" }}'
    return number + suffix(unit)
