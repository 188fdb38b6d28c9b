"""YAML scalars and blocks, written so that every YAML reader gets the same text back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from json.encoder import encode_basestring

# Plain where every YAML version agrees that it is a string; a word such as `no` or `null` is quoted.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z", re.ASCII)
# What YAML readers refuse, or take for the end of a line.
_UNSAFE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})


@lru_cache(maxsize=8192)
def scalar(text: str) -> str:
    """A string as a YAML scalar: plain when that is safe, else double-quoted as JSON."""
    return _scalar(text)


def _scalar(text: str) -> str:
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return quote(text)


def quote(text: str) -> str:
    """A string in double quotes, always; what YAML readers refuse is escaped."""
    return _escaped(encode_basestring(text))


def quoted_pairs(pairs: Iterable[tuple[str, str]], indent: int) -> str:
    """The lines of a mapping whose keys are plain, each value in double quotes."""
    space = " " * indent
    return _escaped("".join([f"{space}{name}: {encode_basestring(value)}\n" for name, value in pairs]))


def block(text: str, indent: int) -> str:
    """Text of several lines as a literal block after `key: `; one line as a scalar."""
    if "\n" not in text or (not _is_ascii(text) and _UNSAFE.search(text)):
        return _scalar(text)  # which seldom comes again
    space = " " * indent
    return "|-\n" + "\n".join([space + line if line else "" for line in text.split("\n")])


def _escaped(quoted: str) -> str:
    return quoted if _is_ascii(quoted) else _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _is_ascii(text: str) -> bool:
    """Whether there is surely nothing in it that YAML readers refuse; most texts tell it at once."""
    return text.isascii() and "\x7f" not in text
