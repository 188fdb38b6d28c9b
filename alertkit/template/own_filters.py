"""The filters of `<< x | filter >>`, with Jinja2's meaning, and the bounds on every value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LONGEST = 20_000
LARGEST = 10**30


class Refusal(Exception):  # noqa: N818 - a sentence for the user, placed by whoever catches it
    """Why an expression has no value: a message without a full stop."""


def bounded(value: Any) -> Any:
    """The value itself when it is a plain one of bearable size; raises Refusal otherwise."""
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise Refusal("this number is too large")
        return value
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise Refusal("this text is too long")
        return value
    if isinstance(value, (list, tuple)):
        if len(value) > LONGEST:
            raise Refusal("this list is too long")
        return value
    raise Refusal("this has no plain value")


def _text(value: Any) -> str:
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Refusal("this filter wants a text, not a list")


def _replace(value: Any, old: Any, new: Any) -> str:
    text, before, after = _text(value), _text(old), _text(new)
    if (text.count(before) if before else len(text) + 1) * len(after) + len(text) > LONGEST:
        raise Refusal("this text is too long")
    return text.replace(before, after)


def _join(value: Any, separator: Any = "") -> str:
    if not isinstance(value, (list, tuple)):
        raise Refusal("`join` wants a list")
    between = _text(separator)
    parts = [_text(item) for item in value]
    if sum(map(len, parts)) + len(between) * len(parts) > LONGEST:
        raise Refusal("this text is too long")
    return between.join(parts)


def _round(value: Any, precision: Any = 0) -> float:
    if not isinstance(value, (int, float)) or not isinstance(precision, int) or not 0 <= precision <= 15:
        raise Refusal("`round` wants a number, and how many digits (0 to 15)")
    return round(float(value), precision)


def _int(value: Any, default: Any = 0) -> Any:
    """Jinja2's: whole numbers and what reads as one, else the default."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return _or_default(value, default)


def _or_default(value: Any, default: Any) -> Any:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return default


def _float(value: Any, default: Any = 0.0) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return default


def _abs(value: Any) -> Any:
    if not isinstance(value, (int, float)):
        raise Refusal("`abs` wants a number")
    return abs(value)


def _default(value: Any, default_value: Any = "", boolean: Any = False) -> Any:
    return default_value if boolean and not value else value


FILTERS: dict[str, Callable[..., Any]] = {
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "title": lambda value: _text(value).title(),
    "trim": lambda value: _text(value).strip(),
    "replace": _replace,
    "round": _round,
    "int": _int,
    "float": _float,
    "default": _default,
    "join": _join,
    "abs": _abs,
}
