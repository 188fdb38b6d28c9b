"""The constants of a Go text/template: quoted strings and numbers.

Source: Go's language specification, and text/template's rule that a number with `.`, `e` or `p` is a float.
"""

from __future__ import annotations

import re

from alertkit.template.errors import TemplateError
from alertkit.template.lex import Token

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(r"""\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[abfnrtv\\"'])""")


def unquote(token: Token) -> str | None:
    """The text that a string stands for; None when it holds single bytes, which Python text cannot."""
    if token.text[0] == "`":
        return token.text[1:-1].replace("\r", "")
    if "\\" not in token.text:
        return token.text[1:-1]
    bytes_seen = False

    def plain(match: re.Match[str]) -> str:
        nonlocal bytes_seen
        escape = match.group()[1:]
        if escape in _ESCAPES:
            return _ESCAPES[escape]
        if escape == '"':
            return escape
        code = int(escape, 8) if escape[0] in "01234567" else int(escape[1:], 16) if escape != "'" else -1
        if code < 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise TemplateError(f"`\\{escape}` is no escape", token.offset + 1 + match.start(), len(escape) + 1)
        bytes_seen = bytes_seen or (code > 127 and escape[0] not in "uU")
        return chr(code)

    body = token.text[1:-1]
    rest = _ESCAPE.sub(lambda m: " " * len(m.group()), body)
    if "\\" in rest:
        raise TemplateError("this `\\` starts no escape that Go knows", token.offset + 1 + rest.index("\\"))
    value = _ESCAPE.sub(plain, body)
    return None if bytes_seen else value


def origin(written: str, place: int) -> int:
    """Where in a string as it is written a character of its text stands; strings without `\\r` and single bytes."""
    at = 1
    for _ in range(place):
        match = _ESCAPE.match(written, at) if written[0] != "`" else None
        at = match.end() if match else at + 1
    return at


def number(token: Token) -> float | int | None:
    text = token.text
    try:
        if re.fullmatch(r"[+-]?[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|[+-]?\.[0-9]+(?:[eE][+-]?[0-9]+)?", text):
            if not re.fullmatch(r"[+-]?[0-9]+", text):
                return float(text) if abs(float(text)) != float("inf") else None
            octal = re.fullmatch(r"[+-]?0[0-7]+", text)
            whole = int(text, 8) if octal else int(text)
            return whole if -(2**63) <= whole < 2**63 else None
        if text.endswith("i") or "p" in text.lower():
            return None
        whole = int(text, 0)
    except ValueError:
        raise TemplateError(f"`{text}` is no number", token.offset, len(text)) from None
    return whole if -(2**63) <= whole < 2**63 else None
