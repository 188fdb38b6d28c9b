"""The lines of a YAML file without its secrets, wherever they stand beside or below their keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import yaml

from alertkit.source.secrets import FILE_KEY, KEY, VALUE, masked

Place = tuple[int, int]

_NAME = re.compile(rf"{KEY}\Z", re.IGNORECASE)
_FILE_NAME = re.compile(rf"{FILE_KEY}\Z", re.IGNORECASE)
# A key with what is beside it, and one whose value begins on a later line.
_PAIR = re.compile(r"""(?<![\w-])([\w-]+)["']?\s*:\s""")
_VALUE = re.compile(rf"\s*{VALUE}")
_BEFORE = re.compile(r"""(?<![\w-])([\w-]+)["']?\s*(?::\s*(?:[|>][-+\d]*)?)?$""")
# What a misspelt key is compared with.
_KNOWN = ("api_key", "credentials", "password", "routing_key", "secret", "webhook")

# How much of a key's value is hidden: the texts that stand there directly, or whatever is in it.
_NOTHING, _TEXTS, _ALL = range(3)


def masked_lines(lines: Sequence[str]) -> list[str]:
    """The lines of a YAML file with secrets as `*`, also those that stand on other lines than their keys."""
    shown = list(lines)
    try:
        for (first, begin), (last, end) in _secrets("\n".join(lines)):
            for number in range(first, min(last + 1, len(lines))):
                text = shown[number]
                left, right = begin if number == first else 0, end if number == last else len(text)
                shown[number] = _starred(text, left, right)
    except (yaml.YAMLError, RecursionError):
        # What stands behind a mistake is not known: values beside their keys, and in the line below, are guessed.
        for number, text in enumerate(lines):
            at = 0
            while (key := _PAIR.search(text, at)) is not None:
                at = key.end()
                if _hides(key[1], "://") and (value := _VALUE.match(text, at)) and _hides(key[1], value[0]):
                    at = value.end()
                    shown[number] = _starred(shown[number], value.start(), at)
            before = _BEFORE.search(lines[number - 1].rstrip()) if number else None
            if before is not None and _hides(before[1], text):
                shown[number] = _stars(shown[number])
    return [masked(line) for line in shown]


def _starred(text: str, begin: int, end: int) -> str:
    return text[:begin] + _stars(text[begin:end]) + text[end:]


def _stars(text: str) -> str:
    inner = text.strip()
    return text.replace(inner, "*" * len(inner)) if inner else text


@dataclass(slots=True)
class _Level:
    """A mapping or list that is open: how much of each value in it is hidden, and the key whose value comes next."""

    mapping: bool
    hides: int
    key: str | None = None


def _secrets(text: str) -> Iterator[tuple[Place, Place]]:
    """Where values of secret keys begin and end, 0-based; raises what the parser does."""
    parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    levels = [_Level(False, _NOTHING)]
    while parser.check_event():
        event = parser.get_event()
        top = levels[-1]
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        word = event.value if isinstance(event, yaml.ScalarEvent) else ""
        hides = top.hides
        if top.mapping:
            if top.key is None:
                top.key = word
            else:
                hides, top.key = max(hides, _hides(top.key, word)), None
        if isinstance(event, yaml.CollectionStartEvent):
            mapping = isinstance(event, yaml.MappingStartEvent)
            levels.append(_Level(mapping, _NOTHING if mapping and hides == _TEXTS else hides))
        elif word and hides:
            start: Any = event.start_mark
            end: Any = event.end_mark
            yield (start.line, start.column), (end.line, end.column)


def _hides(key: str, value: str) -> int:
    """How much of the value of a key is hidden; `value` is its text, if it is one."""
    name = key.replace("-", "_").lower()
    if _FILE_NAME.match(name):
        return _TEXTS if "://" in value else _NOTHING
    if name.endswith("webhook"):  # an integration, too
        return _TEXTS
    return _ALL if _NAME.match(name) or _is_near(name) else _NOTHING


@lru_cache
def _is_near(name: str) -> bool:
    """Whether a secret's key may be meant."""
    return bool(get_close_matches(name, _KNOWN, 1, 0.8))
