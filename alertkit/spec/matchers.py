"""Label matchers as users write them: `match: {severity: critical, team: "=~ infra|ops"}`.

A mapping of label -> value. A plain value must be equal; a list means any of its values; a value that begins with
`=~`, `!~`, `!=` or `=` names the operator. The notation of Prometheus, `match: ['severity=~"a|b"']`, works too.
A regular expression has RE2's syntax and must match the whole value.
Source: Alertmanager documentation, "Configuration", matcher; Alertmanager, pkg/labels/parse.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from pydantic_core import PydanticCustomError

from alertkit.spec import regex
from alertkit.spec.reader import Reader

OPERATORS = ("=~", "!~", "!=", "=")
_PLAIN_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_PROMETHEUS = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s=!~"{},]+)\s*(=~|!~|!=|=)\s*(.*?)\s*\Z', re.DOTALL)


class Match(NamedTuple):
    """One matcher: `op` is `=`, `!=`, `=~` or `!~`; a label that an alert lacks has the value ""."""

    label: str
    op: str
    value: str

    def __str__(self) -> str:
        return f"{quote_name(self.label)}{self.op}{quote(self.value)}"


def is_plain_name(label: str) -> bool:
    """Whether every Alertmanager version takes `label` in a matcher; others need 0.27."""
    return _PLAIN_NAME.match(label) is not None


def quote(value: str) -> str:
    r"""In double quotes with the escapes on which all versions of Alertmanager agree: `\\`, `\"` and `\n`."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def quote_name(label: str) -> str:
    """A label's name as matchers have it: quoted only where it must be (from 0.27 on)."""
    return label if is_plain_name(label) else quote(label)


def parse_matchers(value: Any) -> tuple[Match, ...]:
    """The matchers of a `match:` value; raises PydanticCustomError AK506 (not a matcher) or AK507 (bad regex)."""
    if isinstance(value, dict):
        return tuple(_located(label, _entry, str(label), wanted) for label, wanted in value.items())
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise PydanticCustomError(
            "AK506", "`match` must be a mapping of label to value",
            {"help": "write it like {severity: critical} or {team: \"=~ infra|ops\"}"},
        )  # fmt: skip
    if isinstance(value, str):
        return (parse_matcher(value),)
    return tuple(_located(index, parse_matcher, item) for index, item in enumerate(items))


def _located(part: str | int, parse: Callable[..., Match], *arguments: Any) -> Match:
    """Say of a mistake in which entry it is."""
    try:
        return parse(*arguments)
    except PydanticCustomError as error:
        raise PydanticCustomError(
            error.type, error.message_template, {**(error.context or {}), "part": part}
        ) from None  # fmt: skip


def parse_matcher(text: str) -> Match:
    """One matcher in Prometheus notation, `label="value"`; raises PydanticCustomError AK506 or AK507."""
    found = _PROMETHEUS.match(text)
    if found is None:
        raise PydanticCustomError(
            "AK506", "`{text}` is not a matcher",
            {"text": text, "help": 'write label="value", label!="value", label=~"regex" or label!~"regex"'},
        )  # fmt: skip
    label, op, raw = found.groups()
    return _checked(_unquote(label, text), op, _unquote(raw, text))


def _unquote(raw: str, text: str) -> str:
    """The escapes of Alertmanager's classic parser: a backslash before any other character stays."""
    body = raw
    if raw[:1] == '"':
        if len(raw) < 2 or raw[-1] != '"':
            raise PydanticCustomError(
                "AK506", "the quote in `{text}` is not closed", {"text": text, "help": 'write label="value"'}
            )
        body = raw[1:-1]
    if re.search(r'(?<!\\)(?:\\\\)*"', body):
        raise PydanticCustomError(
            "AK506", "`{text}` has a quote inside its value",
            {"text": text, "help": r'escape it as \" inside double quotes'},
        )  # fmt: skip
    return re.sub(r'\\([\\"n])', lambda m: "\n" if m[1] == "n" else m[1], body)


def _entry(label: str, wanted: Any) -> Match:
    if isinstance(wanted, list):
        if not wanted or not all(isinstance(item, (str, int)) for item in wanted):
            raise PydanticCustomError(
                "AK506", "`{label}` needs a list of values",
                {"label": label, "help": f"write {label}: [one, two]"},
            )  # fmt: skip
        values = [_text(item) for item in wanted]
        if len(values) == 1:
            return _checked(label, "=", values[0])
        return _checked(label, "=~", "|".join(regex.escape(value) for value in values))
    if isinstance(wanted, dict) or wanted is None:
        name, _, value = label.partition("=")
        help = f"write {name.strip()}: {value.strip() or 'value'}"
        raise PydanticCustomError("AK506", "`{label}` needs a value", {"label": label, "help": help})
    text = _text(wanted)
    for op in OPERATORS:
        if text.startswith(op):
            value = text[len(op) :].strip()
            if op == "=" and value[:1] in (">", "<", "="):
                break
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = _unquote(value, text)
            return _checked(label, op, value)
    if text[:1] in ("=", "!", "~"):
        raise PydanticCustomError(
            "AK506", "`{text}` is not a matcher",
            {"text": text, "help": "an operator is one of = != =~ !~; write `= value` if the value begins so"},
        )  # fmt: skip
    return _checked(label, "=", text)


def _text(value: Any) -> str:
    """YAML's scalars as label values are text: `true` and `5` as they were written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _checked(label: str, op: str, value: str) -> Match:
    if not label:
        raise PydanticCustomError("AK506", "a matcher without a label", {"help": "write label: value"})
    if op in ("=~", "!~"):
        mistake = regex.mistake(value)
        if mistake:
            raise PydanticCustomError(
                "AK507", "`{value}` is not a regular expression of Alertmanager: {mistake}",
                {"value": value, "mistake": mistake, "help": _advice(value)},
            )  # fmt: skip
    return Match(label, op, value)


def _advice(pattern: str) -> str:
    if re.search(r"\(\?[=!<]|\\[1-9]", pattern):
        return "RE2 has no look-around and no back-references; use `!~`, or list the values"
    return "it must be one in RE2's syntax; it is matched against the whole value"


Matchers = Annotated[tuple[Match, ...], Reader(parse_matchers)]
"""A pydantic field: a mapping or a list of matcher texts in YAML, a tuple of `Match` in Python."""
