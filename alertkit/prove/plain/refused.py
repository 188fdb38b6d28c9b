"""What promtool does not take in a plain test file, each mistake at its place.

promtool is the judge: it says one mistake, without its place. So the durations and series of a file that it refused, or
that it cannot be asked about because of mistakes in the rules, are looked through for those that no version takes.
Where it refused a file and none is found, its own words are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from alertkit.promql import PromqlError, parse
from alertkit.source import Document, Problems, Span
from alertkit.spec.duration import parse_duration, unit_help

# Of the file itself; what a rule says while it is evaluated, and of a rule file, begins otherwise.
_REFUSAL = re.compile(
    r"yaml: |line (?P<line>\d+): |unknown unit |not a valid duration|empty duration|missing unit|duration |"
    r"\d+:\d+: parse error"
)
_DURATION_HELP = "write it like 30s, 5m, 1h30m or 2d"
_VALUES_HELP = "write values like `1 2x10 0+5x20 _x3 stale`"
_NUMBER = (
    r"(?:0[xX][\da-fA-F_.]+(?:[pP][-+]?\d+)?|(?:\d[\d_]*\.?[\d_]*|\.\d+)(?:[eE][-+]?\d+)?|(?:\d+(?:ms|[ywdhms]))+"
    r"|(?i:inf|infinity|nan))"
)
_VALUE = re.compile(rf"(?:_|stale|[-+]?{_NUMBER}(?:[-+]{_NUMBER}(?=x))?)(?:x\d+)?\Z")
# Histograms are one value each, and left to promtool.
_WORD = re.compile(r"(?:\{\{.*?\}\}[^\s{]*)+|\S+")


def refused(document: Document, words: Sequence[str], problems: Problems) -> bool:
    """Add what promtool refuses in a file; False where all that it said is of another kind."""
    said = [match for match in map(_REFUSAL.match, words) if match is not None]
    if not said:
        return False
    before = len(problems)
    look_through(document, problems)
    if len(problems) == before:
        text = "; ".join(word for word in words if not word.startswith("yaml: unmarshal errors"))
        line = next((int(match["line"]) for match in said if match["line"]), 1)
        problems.add(
            "AK803", f"promtool does not take it: {text}", Span(document.path, line, 1),
            "these are promtool's own words; the documentation of Prometheus, Unit testing for rules, has the format",
        )  # fmt: skip
    return True


def look_through(document: Document, problems: Problems) -> None:
    """Add durations and series that no promtool takes."""
    tests = document.data.get("tests") if isinstance(document.data, dict) else None
    for path in _durations(document.data, tests):
        value = document.at(path)
        if value is not None and not isinstance(value, (dict, list)) and parse_duration(str(value)) is None:
            help = unit_help(str(value)) or _DURATION_HELP
            problems.add("AK301", f"`{value}` is not a duration", document.value(path), help)
    for path in _under(tests, ("tests",), "input_series"):
        _series(document, path, problems)


def _under(node: Any, path: tuple[str | int, ...], key: str) -> Iterator[tuple[str | int, ...]]:
    """The items of a list in each of several mappings."""
    for index, item in enumerate(node if isinstance(node, list) else ()):
        inner = item.get(key) if isinstance(item, dict) else None
        for number in range(len(inner)) if isinstance(inner, list) else ():
            yield (*path, index, key, number)


def _durations(data: Any, tests: Any) -> Iterator[tuple[str | int, ...]]:
    yield ("evaluation_interval",)
    for index in range(len(tests)) if isinstance(tests, list) else ():
        yield ("tests", index, "interval")
    for key in ("alert_rule_test", "promql_expr_test"):
        for path in _under(tests, ("tests",), key):
            yield (*path, "eval_time")


def _series(document: Document, path: tuple[str | int, ...], problems: Problems) -> None:
    """One input series: its name and its values."""
    name, values = document.at((*path, "series")), document.at((*path, "values"))
    if isinstance(name, str) and '{"' not in name.replace(" ", ""):  # such names are newer than our parser
        try:
            parse(name)
        except PromqlError as error:
            problems.add(
                "AK803", f"`{name}` is no series: {error.message}", document.value((*path, "series")),
                'write it like metric or metric{label="value"}',
            )  # fmt: skip
    for word in _WORD.finditer(values) if isinstance(values, str) else ():
        if not word[0].startswith("{{") and not _VALUE.match(word[0]):
            place = document.within((*path, "values"), word.start(), len(word[0]))
            problems.add("AK803", f"`{word[0]}` is no value of a series", place, _VALUES_HELP)
