"""From the condition of a spec to levels: one comparison for each severity, in the signal's unit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from alertkit.compile.read import Entry
from alertkit.kinds import Comparison, Question
from alertkit.kinds.question import LEAST
from alertkit.source import Problems, Span
from alertkit.spec.alert import CONDITIONS, Levels, Measured
from alertkit.spec.quantity import Quantity, Unit, format_number
from alertkit.spec.validate import suggest


class Level(NamedTuple):
    """One severity: the comparisons of which any one makes it fire, and the threshold as the user wrote it."""

    severity: str
    comparisons: tuple[Comparison, ...]
    shown: str


class _Asked(NamedTuple):
    """All that the levels of one condition follow from: alerts whose names alone differ share it.

    `given` is what stands at the key `condition`: a `Levels`, or the band of `outside`.
    """

    condition: str
    given: Any
    clear: Quantity | None
    own: str
    unit: Unit
    range: tuple[float, float]
    exactly: tuple[float, ...] | None
    severities: tuple[str, ...]


# Code, message, place and help of what is wrong, once it is known with which alert.
_Mistake = Callable[[Entry, Question], tuple[str, str, Span, str]]


def levels_of(
    entry: Entry, question: Question, severities: tuple[str, ...], problems: Problems
) -> tuple[tuple[Level, ...], Comparison | None]:
    """The levels from the mildest to the gravest, and the comparison that `clear` makes; () after a problem.

    The alert's own severity has been checked.
    """
    own = entry.spec.severity or "warning"
    fits = _severity_fits(entry, question, own, severities, problems)
    levels, clear = _levels(entry, question, own if own in severities else severities[0], severities, problems)
    return (levels, clear) if fits else ((), None)


def _levels(
    entry: Entry, question: Question, own: str, severities: tuple[str, ...], problems: Problems
) -> tuple[tuple[Level, ...], Comparison | None]:
    spec = entry.spec
    if question.forms and not _known_forms(entry, question, severities, problems):
        return (), None
    if question.forms:
        forms = question.forms
        return tuple([Level(form.severity or own, (form.boundary,), str(form.boundary)) for form in forms]), None
    if question.fixed is not None and not (isinstance(spec, Measured) and spec.conditions):
        return (Level(own, (question.fixed,), format_number(question.fixed.value)),), None
    if not isinstance(spec, Measured):
        return (Level(own, (), ""),), None
    given = spec.conditions
    if not given:
        problems.add(
            "AK303", "the threshold is missing", entry.span,
            "say when it fires: `above: 5`, `below: 50%`, or a level each: `above: {warning: 5, critical: 10}`",
        )  # fmt: skip
        return (), None
    if len(given) > 1:
        check_quantities(entry, question, severities, problems)
        problems.add(
            "AK308", f"`{given[0][0]}` and `{given[1][0]}` contradict each other: an alert has one condition",
            entry.key(given[1][0]), "keep one of them; for a value that leaves a band use `outside: [lowest, highest]`",
        )  # fmt: skip
        return (), None
    levels, clear, mistakes = _measured(_asked(*given[0], spec, question, own, severities))
    _report(mistakes, entry, question, problems)
    return levels, clear


def _asked(
    condition: str, given: Any, spec: Measured, question: Question, own: str, severities: tuple[str, ...]
) -> _Asked:  # fmt: skip
    return _Asked(condition, given, spec.clear, own, question.unit, question.range, question.exactly, severities)


def _report(mistakes: Iterable[_Mistake], entry: Entry, question: Question, problems: Problems) -> None:
    for mistake in mistakes:
        problems.add(*mistake(entry, question))


@lru_cache(maxsize=4096)
def _measured(asked: _Asked) -> tuple[tuple[Level, ...], Comparison | None, tuple[_Mistake, ...]]:
    """The levels of a condition and what `clear` makes of them, or what is wrong with them."""
    mistakes: list[_Mistake] = []
    clear = None
    levels = _outside(asked, mistakes) if asked.condition == "outside" else _compared(asked, mistakes)
    if asked.clear is not None and levels:
        clear = _clear(asked, asked.clear, levels, mistakes)
    elif asked.clear is not None:
        _number(asked, asked.clear, ("clear",), mistakes)
    return ((), None, tuple(mistakes)) if mistakes else (tuple(levels), clear, ())


def check_quantities(entry: Entry, question: Question, severities: tuple[str, ...], problems: Problems) -> None:
    """What is wrong with each quantity by itself, whatever the others say."""
    spec = entry.spec
    if not isinstance(spec, Measured):
        return
    mistakes: list[_Mistake] = []
    for name, given in spec.conditions:
        asked = _asked(name, given, spec, question, "", severities)
        if name == "outside":
            for index, quantity in enumerate(asked.given):
                _number(asked, quantity, (name, index), mistakes)
        else:
            _each_level(asked, mistakes)
    if spec.clear is not None:
        _number(_asked("clear", None, spec, question, "", severities), spec.clear, ("clear",), mistakes)
    _report(mistakes, entry, question, problems)


def check_severities(entry: Entry, severities: tuple[str, ...], problems: Problems) -> None:
    """Whether the alert's own severity exists, and those of its levels."""
    spec = entry.spec
    for name, given in spec.conditions if isinstance(spec, Measured) else ():
        for severity, _ in given.quantities if isinstance(given, Levels) else ():
            if severity is not None and severity not in severities:
                place = entry.key(name, severity)
                problems.add("AK311", f"unknown severity `{severity}`", place, suggest(severity, severities))
    own = spec.severity
    if own is not None and own not in severities:
        problems.add("AK311", f"unknown severity `{own}`", entry.value("severity"), suggest(own, severities))


def _severity_fits(entry: Entry, question: Question, own: str, severities: tuple[str, ...], problems: Problems) -> bool:
    """Whether the alert's own severity exists, and whether its levels leave any use for it."""
    spec = entry.spec
    if own in severities and (spec.severity is None or "severity" in entry.defaults):
        return True
    named: list[str | None] = [form.severity for form in question.forms]
    if isinstance(spec, Measured):
        levels = [given for name, given in spec.conditions if name in CONDITIONS]
        named = [severity for given in levels for severity, _ in given.quantities]
    needed = not named or None in named
    if spec.severity is not None and own not in severities:
        return False  # which has been said
    if needed and own not in severities and "severity" in entry.doubts:
        return False
    if needed and own not in severities:
        problems.add(
            "AK311", f"the severity of `{entry.name}` is not given, and `{own}` is none here", entry.key(),
            f"add `severity:`, here or under `defaults:`; {suggest(own, severities)}",
        )  # fmt: skip
    elif not needed and spec.severity is not None and "severity" not in entry.defaults:
        problems.add(
            "AK208", "`severity` has no effect: each level has its own", entry.key("severity"),
            "remove it, or give one quantity instead of levels",
        )  # fmt: skip
    else:
        return True
    return False


def _known_forms(entry: Entry, question: Question, severities: tuple[str, ...], problems: Problems) -> bool:
    """Whether the severities that a kind's own forms name exist; they come from its `windows`."""
    unknown = [f.severity for f in question.forms if f.severity is not None and f.severity not in severities]
    named = [window.severity for window in getattr(entry.spec, "windows", ())]
    for severity in unknown:
        place = entry.value("windows", named.index(severity), "severity") if severity in named else entry.span
        problems.add("AK311", f"unknown severity `{severity}`", place, suggest(severity, severities))
    return not unknown


def _number(asked: _Asked, quantity: Quantity, path: tuple[str | int, ...], mistakes: list[_Mistake]) -> float:
    """The quantity in the signal's unit; a mistake, and 0, when it cannot be."""
    value, unit = quantity.in_unit(asked.unit), asked.unit
    if value is not None:
        return value
    if unit.dimension == "number":
        mistakes.append(lambda entry, question: (
            "AK305", f"`{quantity.text}` does not fit: the unit of `{question.metric}` is not known",
            entry.value(*path), "its name tells none; say it with `unit:`, for example `unit: ms` or `unit: ratio`",
        ))  # fmt: skip
    else:
        mistakes.append(lambda entry, _: (
            "AK305", f"`{quantity.text}` does not fit: the value is in {unit.name} ({unit.dimension})",
            entry.value(*path), f"give it in a unit of {unit.dimension}, or as a plain number",
        ))  # fmt: skip
    return 0.0


def _compared(asked: _Asked, mistakes: list[_Mistake]) -> list[Level]:
    levels = _each_level(asked, mistakes)
    if mistakes or len(levels) < len(asked.given.quantities):
        return []
    levels.sort(key=lambda level: asked.severities.index(level.severity))
    for mild, grave in itertools.pairwise(levels):
        _order(asked.condition, mild, grave, mistakes)
    return levels


def _each_level(asked: _Asked, mistakes: list[_Mistake]) -> list[Level]:
    """The levels of a condition as they are written, each checked by itself; without those of unknown severities."""
    name, op = asked.condition, CONDITIONS[asked.condition]
    levels = []
    for severity, quantity in asked.given.quantities:
        before = len(mistakes)
        path = (name,) if severity is None else (name, severity)
        if severity is not None and severity not in asked.severities:
            continue
        comparison = Comparison(op, _number(asked, quantity, path, mistakes))
        if len(mistakes) == before:
            _can_fire(asked, comparison, path, mistakes)
        levels.append(Level(severity or asked.own, (comparison,), quantity.text))
    return levels


def _order(name: str, mild: Level, grave: Level, mistakes: list[_Mistake]) -> None:
    """A graver level must be harder to reach, or the milder one never matters."""
    low, high = mild.comparisons[0].value, grave.comparisons[0].value
    if mild.comparisons[0].op == "!=" and low != high:
        mistakes.append(lambda entry, _: (
            "AK309", f"one of the levels would always fire: no value is both {mild.shown} and {grave.shown}",
            entry.value(name, grave.severity), f"give one quantity, like `{name}: {mild.shown}`",
        ))  # fmt: skip
        return
    fine = {">": high > low, ">=": high > low, "<": high < low, "<=": high < low}.get(
        mild.comparisons[0].op, high != low
    )
    if not fine:
        mistakes.append(lambda entry, _: (
            "AK309", f"the level `{mild.severity}` can never matter: `{grave.severity}` is reached no later",
            entry.value(name, grave.severity),
            f"`{grave.severity}` must be further out than `{mild.severity}` ({mild.shown})",
        ))  # fmt: skip


def _outside(asked: _Asked, mistakes: list[_Mistake]) -> list[Level]:
    low, high = (_number(asked, quantity, ("outside", index), mistakes) for index, quantity in enumerate(asked.given))
    if not mistakes and low >= high:
        mistakes.append(lambda entry, _: (
            "AK308", "the band is empty: its lowest value is not below its highest", entry.value("outside"),
            "write `outside: [lowest, highest]`",
        ))  # fmt: skip
    if mistakes:
        return []
    beyond = (Comparison("<", low), Comparison(">", high))
    for index, comparison in enumerate(beyond):
        _can_fire(asked, comparison, ("outside", index), mistakes)
    text = f"{asked.given[0].text} to {asked.given[1].text}"
    return [] if mistakes else [Level(asked.own, beyond[::-1], text)]


def _can_fire(asked: _Asked, comparison: Comparison, path: tuple[str | int, ...], mistakes: list[_Mistake]) -> None:
    lowest, highest = asked.range
    value, op = comparison.value, comparison.op
    if lowest < value < highest and op not in ("==", "!="):
        return
    beyond = not lowest <= value <= highest
    never = {
        ">": value >= highest, ">=": value > highest, "<": value <= lowest, "<=": value < lowest, "==": beyond,
    }.get(op, False)  # fmt: skip
    always = _always(asked, comparison)
    if never or always:
        word = "never" if never else "always"
        mistakes.append(lambda entry, question: (
            "AK306", f"this would {word} fire: the value {_range(question)}", entry.value(*path),
            "choose a threshold inside that range",
        ))  # fmt: skip
    elif op in ("==", "!=") and asked.exactly is not None and value not in asked.exactly:
        often, instead = ("never", "`above` or `below`") if op == "==" else ("always", "`outside: [lowest, highest]`")
        mistakes.append(lambda entry, _: (
            "AK306", f"this would practically {often} fire: what is computed hits a number exactly by accident only",
            entry.value(*path), f"use {instead}",
        ))  # fmt: skip


def _always(asked: _Asked, comparison: Comparison) -> bool:
    """Whether every value that the signal can have satisfies the comparison."""
    lowest, highest = asked.range
    value, op = comparison.value, comparison.op
    return {
        ">": value < lowest, ">=": value <= lowest, "<": value > highest, "<=": value >= highest,
        "!=": not lowest <= value <= highest,
    }.get(op, False)  # fmt: skip


def _range(question: Question) -> str:
    """What values a signal can have, as a predicate."""
    if question.range == (LEAST, float("inf")):
        return "is always above 0"
    factor, unit = (100, "%") if question.unit.dimension == "ratio" else (1, f" {question.unit.name}")
    unit = "" if question.unit.name == "number" else unit
    scale = float(question.unit.scale) if factor == 100 else 1.0
    lowest, highest = (format_number(round(value * scale * factor, 9)) for value in question.range)
    if question.range[1] == float("inf"):
        return f"is never below {lowest}{unit}"
    return f"lies between {lowest}{unit} and {highest}{unit}"


def _clear(asked: _Asked, clear: Quantity, levels: list[Level], mistakes: list[_Mistake]) -> Comparison | None:
    mildest = levels[0]
    op, threshold = mildest.comparisons[0]
    if op not in (">", ">=", "<", "<=") or len(mildest.comparisons) > 1:
        mistakes.append(lambda entry, _: (
            "AK308", "`clear` needs a condition with one direction", entry.key("clear"),
            "use it with above, below, at_least or at_most",
        ))  # fmt: skip
        return None
    before = len(mistakes)
    value = _number(asked, clear, ("clear",), mistakes)
    if len(mistakes) > before:
        return None
    if value >= threshold if op[0] == ">" else value <= threshold:
        mistakes.append(lambda entry, _: (
            "AK308", f"`clear: {clear.text}` contradicts the threshold {mildest.shown}: it is not on its "
            "harmless side", entry.value("clear"),
            f"an alert clears {'below' if op[0] == '>' else 'above'} the value at which it fires",
        ))  # fmt: skip
        return None
    keep = Comparison(op[0], value)
    if _always(asked, keep):
        mistakes.append(lambda entry, question: (
            "AK306", f"once it fires, this would never resolve: the value {_range(question)}", entry.value("clear"),
            "choose a `clear` inside that range",
        ))  # fmt: skip
        return None
    return keep


def by_gravity(question: Question, severities: tuple[str, ...]) -> Question:
    """A kind's own levels from the mildest to the gravest, as all others are: of those the graver mutes the milder.

    Windows need not agree with it: a critical long one may have the lower threshold.
    """
    if len(question.forms) < 2:
        return question
    rank = {severity: index for index, severity in enumerate(severities)}
    return question._replace(forms=tuple(sorted(question.forms, key=lambda form: rank.get(form.severity or "", 0))))
