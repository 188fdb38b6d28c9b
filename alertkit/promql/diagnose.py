"""Finds the place of a mistake that the Rust parser reports without one, and says it in our words.

The guilty part of an expression is the smallest one that the parser refuses alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from alertkit.promql.functions import WITH_PARAM
from alertkit.promql.parts import Part, read_parts
from alertkit.promql.scan import PromqlError, Token, error_at

_TYPES = {"vector": "an instant vector", "matrix": "a range like `x[5m]`", "scalar": "a number", "string": "a string"}
# One expression of each type.
_SAMPLES = {"vector": "x", "matrix": "x[1m]", "scalar": "1", "string": '"x"'}
_UNARY = re.compile(r"unary expression only allowed .* got:? (\w+)")

Refusal = Callable[[str], str | None]
"""What the Rust parser says against an expression, None when it accepts it."""


class _Case:
    """A refused part: what the parser says of it, its text and its tokens."""

    def __init__(self, part: Part, raw: str, text: str, tokens: list[Token], refusal: Refusal) -> None:
        self.part, self.raw, self.text, self.refusal = part, raw, text, refusal
        self.tokens = [token for token in tokens if part.start <= token.start < part.end]

    @property
    def own(self) -> list[Token]:
        """The tokens that belong to no part of the part."""
        return [t for t in self.tokens if not any(inner.start <= t.start < inner.end for inner in self.part.parts)]

    def at(self, part: Part, message: str) -> PromqlError:
        return PromqlError(message, part.start, part.end - part.start)

    def type_of(self, part: Part) -> str:
        """The type of an operand that is right in itself, by how it fails where only a number can stand."""
        raw = self.refusal(f"vector({self.text[part.start : part.end]}\n)") or "got scalar"
        return raw.rpartition(" ")[2]


def earlier(error: PromqlError, tokens: list[Token]) -> PromqlError:
    """`error`, or what is wrong with the syntax before it."""
    try:
        read_parts(tokens)
    except PromqlError as found:
        if found.offset < error.offset:
            return found
    return error


def explain(raw: str, tokens: list[Token], text: str, refusal: Refusal) -> PromqlError:
    """What is wrong with `text`, given what the Rust parser says of all of it."""
    error = _bad_escape(tokens)
    if error is not None:
        return error
    try:
        part = read_parts(tokens)
    except PromqlError as found:
        return found
    part, raw = _guilty(part, raw, text, refusal)
    case = _Case(part, raw, text, tokens, refusal)
    for pattern, handler in _HANDLERS:
        match = pattern.search(raw)
        if match:
            return handler(match, case)
    return case.at(part, "this is not a PromQL expression")


def useless_sign(tokens: list[Token], refusal: Refusal, text: str) -> PromqlError | None:
    """A plus before a range or a string: the Rust parser drops it without a look at what follows."""
    try:
        pending = [read_parts(tokens)]
    except PromqlError:
        return None
    while pending:
        part = pending.pop()
        pending += part.parts
        if part.kind == "unary" and part.key.text == "+":
            raw = refusal("-" + text[part.parts[0].start : part.end]) or ""
            match = _UNARY.search(raw)
            if match:
                return _unary_type(match, _Case(part, raw, text, tokens, refusal))
    return None


def _guilty(part: Part, raw: str, text: str, refusal: Refusal) -> tuple[Part, str]:
    """The first of the smallest parts that are refused alone, and why."""
    pending = list(part.parts)
    while pending:
        inner = pending.pop(0)
        said = refusal(text[inner.start : inner.end])
        if said is not None:
            part, raw, pending = inner, said, list(inner.parts)
    return part, raw


# After a backslash; the quotes' own are added.
_ESCAPE = (
    r"[abfnrtv\\]|[0-3][0-7]{2}|x[0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}"
)
_ESCAPES = {quote: re.compile(rf"\\(?:({_ESCAPE}|{quote})|(.|\Z))", re.DOTALL) for quote in "\"'"}


def _bad_escape(tokens: list[Token]) -> PromqlError | None:
    for token in tokens:
        if token.kind != "string" or token.text[0] == "`":
            continue
        for match in _ESCAPES[token.text[0]].finditer(token.text):
            if match[1] is None:
                message = f"`\\{match[2]}` is no escape in a string, double the backslash to mean one"
                return PromqlError(message, token.start + match.start(), 2)
    return None


def _argument_type(match: re.Match[str], case: _Case) -> PromqlError:
    """The one argument of the type that was found; of several the one that is cured by a value of the wanted type."""
    wanted, got = match.groups()
    text, part = case.text, case.part
    candidates = [argument for argument in part.parts if case.type_of(argument) == got]
    guilty = candidates[0] if candidates else part
    for argument in candidates if len(candidates) > 1 else ():
        said = case.refusal(text[part.start : argument.start] + _SAMPLES[wanted] + text[argument.end : part.end]) or ""
        if f"expected type {got} " not in said or not said.endswith(f"got {wanted}"):
            guilty = argument
            break
    message = f"`{part.key.text}` needs {_TYPES[wanted]}, found {_TYPES[got]}"
    if len(part.parts) == 2:
        one, two = (text[argument.start : argument.end] for argument in part.parts)
        if case.refusal(f"{part.key.text}({two}, {one})") is None:
            message += ": turn the arguments round"
    return case.at(guilty, message)


def _argument_count(match: re.Match[str], case: _Case) -> PromqlError:
    count, got = match.groups()
    plural = "" if count.endswith("1") else "s"
    return error_at(case.part.key, f"`{case.part.key.text}` takes {count} argument{plural}, found {got}")


def _aggregate_count(match: re.Match[str], case: _Case) -> PromqlError:
    key, got = case.part.key, match[1]
    words = "a parameter and a vector" if key.text.lower() in WITH_PARAM else "one vector"
    return error_at(key, f"`{key.text}` takes {words}, found {got} argument{'s' if got != '1' else ''}")


def _binary_type(match: re.Match[str], case: _Case) -> PromqlError:
    for operand in case.part.parts:
        if case.type_of(operand) == "matrix":
            place = operand
            while place.kind not in ("range", "literal") and place.parts:
                place = place.parts[0]
            return error_at(place.key, "a range cannot be an operand, wrap it in a function such as rate()")
    operand = next((one for one in case.part.parts if case.type_of(one) == "string"), case.part)
    return case.at(operand, "a string cannot be an operand")


def _unary_type(match: re.Match[str], case: _Case) -> PromqlError:
    message = f"a sign can stand before a vector or a number, not before {_TYPES[match[1]]}"
    return error_at(case.part.key, message)


def _regex(match: re.Match[str], case: _Case) -> PromqlError:
    """The value of a matcher, found by reading each alone: it may be written with escapes."""
    from alertkit.spec import regex

    pattern = match[1]
    why = regex.mistake(pattern)
    message = (
        f"`{pattern}` is not a regular expression of RE2: {why}" if why else f"the pattern `{pattern}` is not supported"
    )
    for before, value in zip(case.tokens, case.tokens[1:], strict=False):
        if before.text in ("=~", "!~") and (case.refusal(f"x{{x=~{value.text}}}") is not None):
            return error_at(value, message)
    return case.at(case.part, message)


def _first(case: _Case, *texts: str) -> Token:
    return next((token for token in case.own if token.text.lower() in texts), case.part.key)


def _name_twice(match: re.Match[str], case: _Case) -> PromqlError:
    return error_at(_first(case, "__name__"), "the metric name is given twice, before the braces and in them")


def _matching(match: re.Match[str], case: _Case) -> PromqlError:
    place = _first(case, "on", "ignoring")
    return error_at(place, f"`{place.text}` is only allowed between two instant vectors")


def _grouping(match: re.Match[str], case: _Case) -> PromqlError:
    place = _first(case, "group_left", "group_right")
    return error_at(place, f"`{place.text}` is not allowed with `{match[1]}`")


def _label_twice(match: re.Match[str], case: _Case) -> PromqlError:
    places = [token for token in case.own if token.text == match[1]]
    group = _first(case, "group_left", "group_right").text
    message = f"`{match[1]}` is a label of `on` already, leave it out of `{group}`"
    return error_at(places[-1] if places else case.part.key, message)


def _range_place(match: re.Match[str], case: _Case) -> PromqlError:
    key = case.part.key
    if case.part.parts[0].kind == "range":
        return error_at(key, "a range can only follow a selector, a subquery needs a vector")
    inner = key.text.strip("[]: \t\n")
    return error_at(key, f"a range can only follow a selector; for any other vector write a subquery `[{inner}:]`")


def _modifier_before_range(match: re.Match[str], case: _Case) -> PromqlError:
    modified = case.part.parts[0]
    text, selector = case.text, modified.parts[0]
    turned = f"{text[selector.start : selector.end]}{case.part.key.text}{text[selector.end : modified.end]}"
    shown = f": `{turned}`" if "\n" not in turned and len(turned) < 100 else ""
    return error_at(case.part.key, f"the range comes before `{modified.key.text}`{shown}")


def _subquery(match: re.Match[str], case: _Case) -> PromqlError:
    return error_at(case.part.key, f"a subquery needs an instant vector, found {_TYPES.get(match[1], match[1])}")


def _modifier_place(match: re.Match[str], case: _Case) -> PromqlError:
    return error_at(case.part.key, f"`{case.part.key.text}` can only follow a selector or a subquery")


def _long(match: re.Match[str], case: _Case) -> PromqlError:
    place = next((token for token in reversed(case.own) if token.kind in ("range", "duration")), case.part.key)
    return error_at(place, case.raw)


def _zero(match: re.Match[str], case: _Case) -> PromqlError:
    """The Rust parser says this of durations that do not fit into its numbers, too."""
    place = next((token for token in reversed(case.own) if token.kind in ("range", "duration")), case.part.key)
    zero = re.search(r"([\[:])\s*(?:0+[a-z]+)+\s*[\]:]", place.text)
    if zero:
        return error_at(place, f"a {'range' if zero[1] == '[' else 'step'} must be more than 0")
    return error_at(place, "the duration is longer than 292 years")


def _duration(match: re.Match[str], case: _Case) -> PromqlError:
    place = next((t for t in case.own if t.kind in ("range", "duration") and match[1] in t.text), case.part.key)
    return error_at(place, f"`{match[1]}` is not a duration, units go from large to small and each once: 1h30m")


def _at_key(message: str) -> Callable[[re.Match[str], _Case], PromqlError]:
    """A handler with one sentence: `{0}` is what the parser quotes, `{key}` the part's name."""
    return lambda match, case: error_at(case.part.key, message.format(*match.groups(), key=case.part.key.text))


_Handler = Callable[[re.Match[str], _Case], PromqlError]
_HANDLERS: list[tuple[re.Pattern[str], _Handler]] = [
    (re.compile(pattern, re.DOTALL), handler)
    for pattern, handler in [
        (r"unknown function with name '(.*?)'", _at_key("there is no function `{0}`")),
        (r"^expected type (\w+) in .*, got:? (\w+)", _argument_type),
        (r"expected (at least \d+|at most \d+|\d+) argument\(s\) in call to '\w+', got (\d+)", _argument_count),
        (r"wrong number of arguments for aggregate expression provided, expected \d+, got (\d+)", _aggregate_count),
        (r"no arguments for aggregate expression", _at_key("`{key}` has nothing to aggregate")),
        (r"set operator '\w+' not allowed", _at_key("`{key}` joins instant vectors, not numbers")),
        (
            r"comparisons between scalars",
            _at_key("two numbers are compared, which is no condition on a series; compare a vector or write `bool`"),
        ),
        (r"binary expression must contain only", _binary_type),
        (_UNARY.pattern, _unary_type),
        (
            r"vector selector must contain",
            _at_key("a selector needs a metric name or a matcher that does not match the empty string"),
        ),
        (r"illegal regex for (.*)", _regex),
        (r"metric name must not be set twice", _name_twice),
        (r"vector matching only allowed between vectors", _matching),
        (r"no grouping allowed for '(\w+)'", _grouping),
        (r"label '(.*)' must not occur in ON and GROUP", _label_twice),
        (r"ranges only allowed for vector selectors", _range_place),
        (r"no (?:offset|@) modifiers allowed before range", _modifier_before_range),
        (r"subquery is only allowed on vector, got (\w+)", _subquery),
        (r"(?:offset|@) modifier must be preceded", _modifier_place),
        (r"may not be set multiple|multiple times", _at_key("`{key}` is given twice")),
        (r"duration must be greater than 0", _zero),
        (r"longer than 292 years", _long),
        (r"not a valid duration string: (\S+)", _duration),
    ]
]  # fmt: skip
