"""Regular expressions as Prometheus and Alertmanager have them: RE2, anchored at both ends.

Go's `regexp` and the library RE2 (package google-re2) share syntax and meaning; Python's `re` does not (it backtracks,
knows look-around, `$` before a last newline, other classes), so it is used for nothing users wrote but names, dots
and alternatives. What the library accepts and Go does not is refused here: `\\C`, and `(?<name>`, which Go knows only
since 1.22.
Source: github.com/google/re2, "Syntax"; Go, package regexp/syntax; Alertmanager, pkg/labels/matcher.go, NewMatcher.
"""

from __future__ import annotations

import re as _re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_SPECIAL = _re.compile(r"([\\.+*?()|\[\]{}^$])")
# An escaped pair is stepped over, so that `\\C` (a backslash, then C) is not taken for `\C`.
_ONLY_RE2 = _re.compile(r"\\Q.*?(?:\\E|\Z)|\\C|\(\?<|\\.|\[\]", _re.DOTALL)
# The same to Python, so that the library, which takes its time to load, is not needed for most patterns.
_SIMPLE = _re.compile(r"(?:[\w :;/@,-]|\.[*+?]?|\|)*\Z", _re.ASCII)


@lru_cache(maxsize=65_536)
def _compiled(pattern: str) -> Any:
    """The compiled pattern, or what is wrong with it as text."""
    if _SIMPLE.match(pattern):
        return _re.compile(rf"\A(?:{pattern})\Z")
    anchored = _try(f"^(?:{pattern})$")
    if not isinstance(anchored, str):
        return anchored
    alone = _try(pattern)  # its words do not quote what was put around the pattern
    return alone if isinstance(alone, str) else anchored


def _try(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0] if error.args else str(error)
        return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)


def mistake(pattern: str) -> str | None:
    """Why Prometheus and Alertmanager would refuse `pattern`, or None when it is good."""
    for found in _ONLY_RE2.finditer(pattern):
        if found[0] in ("\\C", "(?<"):
            return f"`{found[0]}` is not known to every version"
    try:
        compiled = _compiled(pattern)
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair"
    return compiled if isinstance(compiled, str) else None


def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether the whole of a text matches; `pattern` must have no `mistake`."""
    compiled = _compiled(pattern)
    if isinstance(compiled, str):
        raise ValueError(f"not a regular expression: {compiled}")
    search = compiled.search
    return lambda text: search(text) is not None


def escape(text: str) -> str:
    """A pattern that matches exactly `text`."""
    return _SPECIAL.sub(r"\\\1", text)


def words(pattern: str) -> list[str] | None:
    """The texts that a pattern matches where it is a plain list of them, `a|b\\.c`, else None."""
    found = []
    for part in pattern.split("|"):
        text = _re.sub(r"\\([\\.+*?()|\[\]{}^$])", r"\1", part)
        if escape(text) != part or "|" in text:
            return None
        found.append(text)
    return found


def differ(one: str, other: str) -> bool:
    """Whether two patterns surely match no text in common: their texts begin differently, as of `4..` and `5..`."""
    if not (_SIMPLE.match(one) and _SIMPLE.match(other)):
        return False
    starts, others = ([part.partition(".")[0] for part in pattern.split("|")] for pattern in (one, other))
    return not any(a.startswith(b) or b.startswith(a) for a in starts for b in others)
