"""YAML scalars and blocks, written so that every YAML reader gets the same text back."""

from __future__ import annotations

import re
from functools import lru_cache
from json.encoder import encode_basestring

# Plain where every YAML version agrees that it is a string; a word such as `no` or `null` is quoted.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*\Z", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})


@lru_cache(maxsize=8192)
def scalar(text: str) -> str:
    """A string as a YAML scalar: plain when that is safe, else double-quoted as JSON."""
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return encode_basestring(text)


def quote(text: str) -> str:
    """A string in double quotes, always: what `json.dumps(text, ensure_ascii=False)` gives, without its detours."""
    return encode_basestring(text)


def block(text: str, indent: int) -> str:
    """Text of several lines as a literal block after `key: `; one line as a scalar."""
    if "\n" not in text:
        return scalar(text)
    space = " " * indent
    return "|-\n" + "\n".join(space + line if line else "" for line in text.split("\n"))
