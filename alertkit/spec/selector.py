"""Metric selectors as users write them: `name`, `name{label="value"}`, and the matchers of `where:`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Annotated, Any, NamedTuple

from pydantic_core import PydanticCustomError

from alertkit.spec import regex
from alertkit.spec.reader import Reader
from alertkit.spec.shown import brief

METRIC_NAME = re.compile(r"[a-zA-Z_:][\w:]*\Z", re.ASCII)
LABEL_NAME = re.compile(r"[a-zA-Z_]\w*\Z", re.ASCII)
_MATCHER = re.compile(
    r"""([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|`[^`]*`)\s*(,|\Z)""",
    re.ASCII,
)


LABEL_HELP = "a label name has letters, digits and `_`, and does not begin with a digit"


class Matcher(NamedTuple):
    """One label matcher; `op` is one of = != =~ !~ and `value` is unescaped."""

    label: str
    op: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.op}{quoted(self.value)}"


def quoted(text: str) -> str:
    """A double-quoted PromQL string."""
    return encode_basestring(text)


class Selector(NamedTuple):
    """A metric with matchers; prints as PromQL."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        if not self.matchers:
            return self.metric
        return f"{self.metric}{{{','.join(map(str, self.matchers))}}}"

    def where(self, matchers: Iterable[Matcher]) -> Selector:
        """This selector with further matchers, of which those it can do without are left out."""
        if not matchers:
            return self
        extra = tuple([m for m in matchers if m not in self.matchers])
        return Selector(self.metric, _needed(self.matchers + extra)) if extra else self

    def named(self, suffix: str) -> Selector:
        """The selector of a companion series, such as `_bucket` or `_count`."""
        return Selector(self.metric + suffix, self.matchers)

    def equalities(self) -> dict[str, str]:
        """The labels that every selected series surely has."""
        return {m.label: m.value for m in self.matchers if m.op == "=" and m.value}


def satisfies(value: str, matcher: Matcher) -> bool:
    """Whether a label value (empty: no such label) satisfies one matcher; regexes are anchored."""
    if matcher.op == "=":
        return value == matcher.value
    if matcher.op == "!=":
        return value != matcher.value
    return regex.matcher(matcher.value)(value) == (matcher.op == "=~")


def _needed(matchers: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
    """The matchers without those that an equality on the same label implies: for them `absent` would drop the label."""
    given = {m.label: m for m in matchers if m.op == "="}
    if not given:
        return matchers
    return tuple([
        m for m in matchers if (one := given.get(m.label)) in (None, m) or not satisfies(one.value, m)
    ])  # fmt: skip


class SelectorError(ValueError):
    """A selector that does not parse; `offset` is the 0-based place in its text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def _unquote(text: str, offset: int) -> str:
    body = text[1:-1]
    if "\\" not in body or text[0] == "`":
        return body
    if text[0] == "'":
        body = body.replace("\\'", "'").replace('"', '\\"')
    try:
        return str(json.loads(f'"{body}"'))
    except ValueError:
        raise SelectorError("this string has an escape that PromQL does not know", offset) from None


def parse_matchers(text: str, base: int = 0) -> tuple[Matcher, ...]:
    """Matchers without braces, `a="x", b=~"y.*"`; raises `SelectorError` with offsets counted from `base`."""
    matchers = []
    position = 0
    while rest := text[position:].lstrip():
        position = len(text) - len(rest)
        match = _MATCHER.match(text, position)
        if match is None:
            raise SelectorError('expected a matcher like label="value"', base + position)
        label, op, value, _ = match.groups()
        matcher = Matcher(label, op, _unquote(value, base + match.start(3)))
        if op in ("=~", "!~"):
            _check_regex(matcher.value, base + match.start(3) + 1)
        matchers.append(matcher)
        position = match.end()
    return tuple(matchers)


def _check_regex(pattern: str, offset: int) -> None:
    mistake = regex.mistake(pattern)
    if mistake:
        where = max(pattern.find(mistake.partition(": ")[2]), 0)  # RE2 quotes what it does not understand
        raise SelectorError(f"the regular expression does not parse: {mistake}", offset + where)


@lru_cache(maxsize=8192)
def parse_selector(text: str) -> Selector:
    """`name` or `name{matchers}`; raises `SelectorError`."""
    name, brace, rest = text.partition("{")
    stripped = name.strip()
    if not METRIC_NAME.match(stripped):
        bad = next((i for i, c in enumerate(name) if not (c.isalnum() or c in "_:") or not c.isascii()), 0)
        raise SelectorError(f"`{text[:60]}` is not the name of a metric", bad)
    if not brace:
        return Selector(stripped)
    closing = rest.rstrip()
    if not closing.endswith("}"):
        raise SelectorError("the `{` is not closed", len(name))
    return Selector(stripped, parse_matchers(closing[:-1], len(name) + 1))


def contradiction(matchers: Iterable[Matcher]) -> tuple[Matcher, Matcher] | None:
    """Two matchers on one label that no value surely satisfies."""
    seen: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        others = seen.setdefault(matcher.label, [])
        for other in others:
            if _exclude(other, matcher):
                return other, matcher
        others.append(matcher)
    return None


@lru_cache(maxsize=4096)
def _exclude(one: Matcher, other: Matcher) -> bool:
    for matcher, second in ((one, other), (other, one)):
        values = [matcher.value] if matcher.op == "=" else regex.words(matcher.value) if matcher.op == "=~" else None
        if values is not None:
            return not any(satisfies(value, second) for value in values)
    return one.op == other.op == "=~" and regex.differ(one.value, other.value)


def _selector(value: Any) -> Selector:
    if not isinstance(value, str):
        raise PydanticCustomError("AK206", "expected a metric", {"help": "write its name, like `http_requests_total`"})
    try:
        found = parse_selector(value)
        return Selector(found.metric, _needed(found.matchers))
    except SelectorError as error:
        help = "write a metric's name, with matchers in braces if needed: `requests_total{code='500'}`"
        if re.search(r"[(\[]|[<>]|\s[-+*/]\s", value.split("{", 1)[0]):
            help = "write the name of the metric alone; a whole expression belongs into an alert of `kind: expr`"
        raise PydanticCustomError(
            "AK206", "{message}", {"message": str(error), "offset": error.offset, "help": help}
        ) from None


def _where(value: Any) -> tuple[Matcher, ...]:
    help = 'write `where: {job: api}` or PromQL matchers in quotes, like `where: \'job="api", code=~"5.."\'`'
    if isinstance(value, str):
        try:
            return parse_matchers(value)
        except SelectorError as error:
            raise PydanticCustomError(
                "AK207", "{message}", {"message": str(error), "offset": error.offset, "help": help}
            ) from None
    if not isinstance(value, dict):
        raise PydanticCustomError("AK207", "expected matchers", {"help": help})
    matchers = []
    for label, wanted in value.items():
        if not LABEL_NAME.match(label):
            raise PydanticCustomError(
                "AK207", "`{label}` is not a label name",
                {"label": label, "help": LABEL_HELP, "path": (label,), "at": "key"},
            )  # fmt: skip
        if isinstance(wanted, list) and wanted and all(isinstance(w, (str, int)) for w in wanted):
            matchers.append(Matcher(label, "=~", "|".join(re.escape(str(w)) for w in wanted)))
        elif isinstance(wanted, (str, int)) and not isinstance(wanted, bool):
            matchers.append(Matcher(label, "=", str(wanted)))
        else:
            raise PydanticCustomError(
                "AK207", "the value of `{label}` must be text or a list of texts",
                {"label": label, "help": help, "path": (label,)},
            )  # fmt: skip
    return tuple(matchers)


def _label_name(value: Any) -> str:
    if not isinstance(value, str) or not LABEL_NAME.match(value):
        raise PydanticCustomError(
            "AK402", "{shown} is not a label name",
            {"shown": brief(value), "help": LABEL_HELP},
        )  # fmt: skip
    return value


Metric = Annotated[Selector, Reader(_selector)]
"""A pydantic field for `name` or `name{matchers}`."""

Where = Annotated[tuple[Matcher, ...], Reader(_where)]
"""A pydantic field for `{label: value}`, `{label: [values]}` or a string of PromQL matchers."""

LabelName = Annotated[str, Reader(_label_name)]
