"""Finds the place of a mistake that the Rust parser reports without one, and says it in our words."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise, zip_longest

from alertkit.promql.functions import (
    AGGREGATIONS,
    FUNCTIONS,
    GROUPING_WORDS,
    OPERATOR_WORDS,
    WITH_PARAM,
)
from alertkit.promql.scan import PromqlError, Token, error_at

_OPERAND = frozenset({"word", "string", "number", "duration"})
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<="})
_TYPES = {"vector": "an instant vector", "matrix": "a range like `x[5m]`", "scalar": "a number", "string": "a string"}


def placed(error: PromqlError, tokens: list[Token]) -> PromqlError:
    """An error from the conversion, which knows no places, put under the token that it quotes."""
    for token in tokens:
        if token.kind == "string" and len(token.text) > 2 and f"`{token.text[1:-1]}`" in error.message:
            return error_at(token, error.message)
        if "duration" in error.message and token.kind in ("range", "duration"):
            return error_at(token, error.message)
    return error


def explain(raw: str, tokens: list[Token], length: int) -> PromqlError:
    """What is wrong with `tokens`, given the Rust parser's message `raw`."""
    for pattern, handler in _HANDLERS:
        match = pattern.search(raw)
        if match:
            return handler(match, tokens)
    found = _sequence(tokens)
    if found:
        return found
    return PromqlError("this is not a PromQL expression", 0, length)


def _named(tokens: list[Token], name: str) -> Token:
    """The call of `name`, else its first mention, else the first token."""
    for here, after in zip(tokens, [*tokens[1:], None], strict=True):
        if here.text == name and after is not None and (after.text == "(" or after.text in GROUPING_WORDS):
            return here
    return next((token for token in tokens if token.text == name), tokens[0])


def _unknown_function(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    from alertkit.spec.validate import nearest

    name = match[1]
    close = nearest(name, FUNCTIONS | AGGREGATIONS)
    hint = f", did you mean `{close}`?" if close else ""
    return error_at(_named(tokens, name), f"there is no function `{name}`{hint}")


def _argument_type(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    wanted, context, got = match.groups()
    call = re.search(r"'(\w+)'", context)
    name = call[1] if call else ""
    want, have = _TYPES.get(wanted, wanted), _TYPES.get(got, got)
    if name:
        return error_at(_named(tokens, name), f"`{name}` needs {want}, found {have}")
    candidates = {"scalar": WITH_PARAM - {"count_values"}, "string": {"count_values"}}.get(wanted, AGGREGATIONS)
    place = next((token for token in tokens if token.text.lower() in candidates), tokens[0])
    return error_at(place, f"`{place.text}` needs {want}, found {have}")


def _argument_count(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    count, name, got = match[1], match[2], match[3]
    plural = "" if count.endswith("1") else "s"
    return error_at(_named(tokens, name), f"`{name}` takes {count} argument{plural}, found {got}")


def _aggregate_count(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    wanted, got = match.groups()
    fits = [
        token
        for token in tokens
        if token.kind == "word" and token.text.lower() in AGGREGATIONS
        and (token.text.lower() in WITH_PARAM) == (wanted == "2")
    ]  # fmt: skip
    place = fits[0] if fits else tokens[0]
    words = "a parameter and a vector" if wanted == "2" else "one vector"
    return error_at(place, f"`{place.text}` takes {words}, found {got} argument{'s' if got != '1' else ''}")


def _aggregate_empty(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    return error_at(_named(tokens, match[1]), f"`{match[1]}` has nothing to aggregate")


def _set_scalar(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    return error_at(_word(tokens, match[1]), f"`{match[1]}` joins instant vectors, not numbers")


def _word(tokens: list[Token], word: str) -> Token:
    return next((token for token in tokens if token.text.lower() == word), tokens[0])


def _comparison(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    """The comparison is one between numbers if numbers stand beside it; else take the first without `bool`."""
    comparisons = [
        (place, token) for place, token in enumerate(tokens) if token.text in ("==", "!=", ">", "<", ">=", "<=")
    ]
    message = "two numbers are compared, which is no condition on a series; compare a vector or write `bool`"
    for place, token in comparisons:
        around = tokens[max(0, place - 1) : place + 2]
        if len(around) == 3 and around[0].kind == around[2].kind == "number":
            return error_at(token, message)
    return error_at(comparisons[0][1] if comparisons else tokens[0], message)


def _binary_type(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    guilty = next((token for token in tokens if token.kind == "range"), None)
    if guilty is None:
        guilty = next((token for token in tokens if token.kind == "string"), tokens[0])
        return error_at(guilty, "a string cannot be an operand")
    return error_at(guilty, "a range cannot be an operand, wrap it in a function such as rate()")


def _unary_type(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    return error_at(_word(tokens, "-"), f"a sign can stand before a vector or a number, not before {_TYPES[match[1]]}")


def _no_matcher(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    place = next(
        (here for before, here in zip([None, *tokens], tokens, strict=False)
         if here.text == "{" and (before is None or before.kind != "word" or before.text in OPERATOR_WORDS)),
        tokens[0],
    )  # fmt: skip
    return error_at(place, "a selector needs a metric name or a matcher that does not match the empty string")


def _regex(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    place = next(
        (t for before, t in zip([tokens[0], *tokens], tokens, strict=False)
         if t.kind == "string" and before.text in ("=~", "!~")
         and (match[1] in t.text or match[1] in t.text.replace("\\\\", "\\"))),
        tokens[0],
    )  # fmt: skip
    return error_at(place, f"`{match[1]}` is not a regular expression of RE2")


def _name_twice(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    return error_at(_word(tokens, "__name__"), "the metric name is given twice, before the braces and in them")


def _matching(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    place = next((t for t in tokens if t.text in GROUPING_WORDS - {"by", "without"}), tokens[0])
    return error_at(place, f"`{place.text}` is only allowed between two instant vectors")


def _grouping(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    place = next((t for t in tokens if t.text in ("group_left", "group_right")), tokens[0])
    return error_at(place, f"`{place.text}` is not allowed with `{match[1]}`")


def _range_place(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    place = next(
        (here for before, here in zip([tokens[0], *tokens], tokens, strict=False)
         if here.kind == "range" and ":" not in here.text and before.text not in ("}",)
         and (before.kind != "word" or before.text in OPERATOR_WORDS)),
        next((t for t in tokens if t.kind == "range"), tokens[0]),
    )  # fmt: skip
    inner = place.text.strip("[]: \t\n")
    return error_at(place, f"a range can only follow a selector; for any other vector write a subquery `[{inner}:]`")


def _subquery(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    place = next((t for t in tokens if t.kind == "range" and ":" in t.text), tokens[0])
    return error_at(place, f"a subquery needs an instant vector, found {_TYPES.get(match[1], match[1])}")


def _modifier(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    word = "offset" if "offset" in match[0].lower() else "@"
    twice = "multiple" in match[0]
    places = [t for t in tokens if t.text.lower() == word]
    if twice:
        return error_at(places[-1] if places else tokens[-1], f"`{word}` is given twice")
    for before, here in zip([None, *tokens], tokens, strict=False):
        if here in places and before is not None and before.text == ")":
            return error_at(here, f"`{word}` can only follow a selector or a subquery")
    return error_at(places[0] if places else tokens[0], f"`{word}` can only follow a selector or a subquery")


def _short_duration(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    zero = re.compile(r"\[\s*(?:0+[a-z]+)+\s*[\]:]|:\s*(?:0+[a-z]+)+\s*\]")
    place = next((t for t in tokens if t.kind == "range" and zero.search(t.text)), None)
    if place:
        return error_at(place, "a range must be more than 0")
    place = next((t for t in tokens if t.kind in ("range", "duration")), tokens[0])
    return error_at(place, "the duration is longer than 292 years")


def _duration(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    place = next((t for t in tokens if t.kind in ("range", "duration") and match[1] in t.text), tokens[0])
    return error_at(place, f"`{match[1]}` is not a duration, units go from large to small and each once: 1h30m")


def _escape(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    sign = "\\" + match[1]
    for token in tokens:
        at = token.text.find(sign) if token.kind == "string" else -1
        if at >= 0:
            return PromqlError(
                f"`{sign}` is no escape in a string, double the backslash to mean one", token.start + at, 2
            )
    return PromqlError(f"`{sign}` is no escape in a string, double the backslash to mean one")


def _trailing_comma(match: re.Match[str], tokens: list[Token]) -> PromqlError:
    for here, after in pairwise(tokens):
        if here.text == "," and after.text == ")":
            return error_at(here, "there is no argument after this comma")
    return error_at(tokens[0], "there is a comma without an argument after it")


_Handler = Callable[[re.Match[str], list[Token]], PromqlError]
_HANDLERS: list[tuple[re.Pattern[str], _Handler]] = [
    (re.compile(pattern, re.DOTALL), handler)
    for pattern, handler in [
        (r"unknown function with name '(.*?)'", _unknown_function),
        (r"^expected type (\w+) in (.*?), got:? (\w+)", _argument_type),
        (r"expected (at least \d+|at most \d+|\d+) argument\(s\) in call to '(\w+)', got (\d+)", _argument_count),
        (r"wrong number of arguments for aggregate expression provided, expected (\d+), got (\d+)", _aggregate_count),
        (r"no arguments for aggregate expression '(\w+)'", _aggregate_empty),
        (r"set operator '(\w+)' not allowed", _set_scalar),
        (r"comparisons between scalars", _comparison),
        (r"binary expression must contain only", _binary_type),
        (r"unary expression only allowed .* got:? (\w+)", _unary_type),
        (r"vector selector must contain", _no_matcher),
        (r"illegal regex for (.*)", _regex),
        (r"metric name must not be set twice", _name_twice),
        (r"vector matching only allowed between vectors", _matching),
        (r"no grouping allowed for '(\w+)'", _grouping),
        (r"ranges only allowed for vector selectors", _range_place),
        (r"subquery is only allowed on vector, got (\w+)", _subquery),
        (r"offset modifier must be preceded|offset may not be set multiple", _modifier),
        (r"@ modifier must be preceded|@ <timestamp> may not be set multiple|@ .*multiple times", _modifier),
        (r"duration must be greater than 0", _short_duration),
        (r"not a valid duration string: (\S+)", _duration),
        (r"unknown escape sequence '(.)'", _escape),
        (r"trailing commas not allowed", _trailing_comma),
    ]
]


def _sequence(tokens: list[Token]) -> PromqlError | None:
    """The first token that cannot follow the one before it: an operand where an operator is due, or the reverse."""
    braces = 0
    before: Token | None = None
    lists: list[bool] = []
    closed_list = False
    for token, after in zip_longest(tokens, tokens[1:]):
        error = _matcher_step(before, token) if braces else _step(before, token, after, lists, closed_list)
        if error:
            return error
        if token.text in ("{", "}") and token.kind == "op":
            braces += 1 if token.text == "{" else -1
        elif token.kind == "op" and token.text == "(":
            lists.append(before is not None and before.text.lower() in GROUPING_WORDS)
        elif token.kind == "op" and token.text == ")" and lists:
            closed_list = lists.pop()
        before = token
    last = tokens[-1]
    if _is_operator(last):
        return error_at(last, f"nothing follows `{last.text}`")
    if last.text.lower() in ("offset", "@", "bool") or last.text.lower() in GROUPING_WORDS:
        return error_at(last, f"`{last.text}` is not complete")
    return None


def _is_operator(token: Token) -> bool:
    return (token.kind == "op" and token.text in _OPERATORS) or (
        token.kind == "word" and token.text.lower() in OPERATOR_WORDS
    )


def _ends_operand(token: Token) -> bool:
    if token.kind == "word":
        return token.text.lower() not in OPERATOR_WORDS | GROUPING_WORDS | {"bool", "offset"}
    return token.kind in ("string", "number", "duration", "range") or token.text in (")", "}")


def _step(
    before: Token | None, token: Token, after: Token | None, lists: list[bool], closed_list: bool
) -> PromqlError | None:
    text, lowered = token.text, token.text.lower()
    if text in ("=", "=~", "!~") and token.kind == "op":
        meant = f"{after.text}=" if after is not None and after.text in ("<", ">") else "=="  # `=>` is a slip, too
        return error_at(token, f"`{text}` stands only between a label and its value; to compare write `{meant}`")
    if lists and lists[-1]:
        if token.kind == "number" or token.kind == "duration" or (token.kind == "op" and text not in (",", ")")):
            return error_at(token, f"expected a label name, found `{text}`")
        return None
    opens = before is None or before.text in ("(", ",") or _is_operator(before)
    if opens:
        at_start = "" if before is None else f" after `{before.text}`"
        if token.kind == "op" and (text in _OPERATORS - {"+", "-"} or text in (",", "}", "@")):
            return error_at(token, f"expected an expression{at_start}, found `{text}`")
        if text == ")" and before is not None and before.text != "(":
            return error_at(before, f"nothing follows `{before.text}`")
        if token.kind == "word" and before is None and lowered in GROUPING_WORDS | OPERATOR_WORDS | {"bool"}:
            return error_at(token, f"`{text}` is a keyword and cannot start an expression")
        if lowered in ("group_left", "group_right"):
            return error_at(token, f"`{text}` needs `on (...)` or `ignoring (...)` before it")
        return None
    assert before is not None
    if _ends_operand(before):
        starts = token.kind in _OPERAND or text == "("
        keyword = lowered in OPERATOR_WORDS | GROUPING_WORDS | {"offset", "bool"}
        after_list = before.text == ")" and closed_list
        if starts and not keyword and not (text == "(" and before.kind == "word") and not after_list:
            return error_at(token, f"expected an operator between `{before.text}` and `{text}`")
        if lowered in ("by", "without") and not after_list and before.text != ")" and before.text not in AGGREGATIONS:
            return error_at(token, f"`{text}` belongs to an aggregation such as sum()")
        if lowered in GROUPING_WORDS - {"by", "without"} and not after_list:
            return error_at(token, f"`{text}` can only follow an operator")
        if text == "{" and before.kind != "word":
            return error_at(token, "matchers can only follow a metric name")
    if before.text.lower() == "offset" and token.kind != "duration" and text != "-":
        return error_at(token, "expected a duration like 5m after `offset`")
    if before.text in ("by", "without", "on", "ignoring") and text != "(":
        return error_at(token, f"expected `(` after `{before.text}`, found `{text}`")
    return None


def _matcher_step(before: Token | None, token: Token) -> PromqlError | None:
    """Inside braces: label, operator, string, comma."""
    assert before is not None
    text = token.text
    if before.text in ("=", "!=", "=~", "!~"):
        if token.kind != "string":
            return error_at(token, f'the value of a matcher is a string, write "{text}" in quotes')
    elif before.text in ("{", ",") and before.kind == "op":
        if token.kind != "word" and not (token.kind == "op" and text == "}"):
            return error_at(token, f"expected a label name, found `{text}`")
    elif before.kind == "word":
        if text not in ("=", "!=", "=~", "!~"):
            return error_at(token, f"expected one of = != =~ !~ after the label `{before.text}`, found `{text}`")
    elif before.kind == "string" and text not in (",", "}"):
        return error_at(token, f"expected `,` or `}}` between matchers, found `{text}`")
    return None
