"""Plain block YAML: deterministic, readable, fast.

Text is written bare where YAML 1.1 and 1.2 both read it as the same text, in single quotes where that is enough, else
in double quotes with JSON's escapes, which YAML shares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Bare words that no YAML version takes for anything but text.
_BARE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*\Z")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
# Duration notation begins with a digit and ends in a unit, so it is no number (`1e5s` cannot come up).
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdw]))+\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


def scalar(value: Any) -> str:
    """One value as YAML."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    text = str(value)
    if (_BARE.match(text) and text.lower() not in _WORDS) or _DURATION.match(text):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Text in quotes: single ones where nothing needs an escape but they look better than double ones."""
    if _CONTROL.search(text):
        return json.dumps(text)
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def block(value: Any, indent: int = 0) -> Iterable[str]:
    """The lines of a mapping or a list; an empty one is left to the caller."""
    pad = " " * indent
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if (isinstance(entry, Mapping) and entry) or (isinstance(entry, (list, tuple)) and entry):
                yield f"{pad}{scalar(key)}:"
                yield from block(entry, indent + 2)
            else:
                yield f"{pad}{scalar(key)}: {_empty(entry)}"
        return
    for entry in value:
        if isinstance(entry, (Mapping, list, tuple)) and entry:
            lines = list(block(entry, indent + 2))
            yield f"{pad}- {lines[0].lstrip(' ')}"
            yield from lines[1:]
        else:
            yield f"{pad}- {_empty(entry)}"


def flow(values: Sequence[Any]) -> str:
    """A list on one line."""
    return f"[{', '.join(scalar(value) for value in values)}]"


def _empty(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    return scalar(value)
