"""Tokens of an expression with their places: finds what the real parser cannot place, accepts or crashes on.

The Rust parser stays the judge of what is an expression; this pass runs before it, because that parser aborts the
process on very deep trees, reads backtick strings and byte escapes wrongly, turns `@ -100` into a panic and takes
syntax that servers refuse.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from alertkit.promql import functions
from alertkit.promql.functions import GROUPING_WORDS, OPERATOR_WORDS, Version

MAX_LENGTH = 100_000
MAX_DEPTH = 200

_UNIT = r"(?:ms|[smhdwy])"
_DURATION = rf"(?:[0-9]+{_UNIT})+"
_NUMBER = r"(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_TOKEN = re.compile(
    rf"""(?:[ \t\r\n]+|\#[^\r\n]*)*+(?:
    (?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<op>=~|!~|==|!=|>=|<=|[-+*/%^<>=@(){{}},])
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<duration>{_DURATION}(?![A-Za-z0-9_.]))
    |(?P<number>{_NUMBER}(?![A-Za-z0-9_.]))
    |(?P<range>\[[^\[\]"'`(){{}}]*\])
    |(?P<end>\Z)
    |(?P<bad>\[|[0-9.][A-Za-z0-9_.]*|.)
    )""",
    re.VERBOSE,
)
_BARE = re.compile(rf"\[\s*{_NUMBER}\s*(?::.*)?\]|\[[^:]*:\s*{_NUMBER}\s*\]", re.DOTALL)
_PLAIN_RANGE = re.compile(rf"\[\s*{_DURATION}\s*(?::\s*(?:{_DURATION})?\s*)?\]")
_BYTE_ESCAPE = re.compile(r"\\(?:\\|x[89a-fA-F][0-9a-fA-F]|[23][0-7][0-7])")
_STRING = r'(?:"[^"\\\n]*(?:\\[^x0-9\n][^"\\\n]*)*")'
_ORDINARY = re.compile(
    rf"""(?:
    [ \n]+
    |[-+*/%^<>=!(),]
    |(?i:offset)[ ]+-?{_DURATION}(?![A-Za-z0-9_.])
    |(?!(?i:offset)\b)[A-Za-z_:][A-Za-z0-9_:]*+
    |\{{[ \n]*+(?:[A-Za-z_][A-Za-z0-9_]*+[ ]*+(?:=~|!~|!=|=)[ ]*+{_STRING}[ \n]*+,?+[ \n]*+)*+\}}
    |\[{_DURATION}(?::(?:{_DURATION})?)?\]
    |[0-9]{{1,30}}(?:\.[0-9]{{1,30}})?(?:[eE][+-]?[0-9]{{1,2}})?(?![A-Za-z0-9_.])
    )*+""",
    re.VERBOSE,
)
_GATED = re.compile(rf"\b(?:{'|'.join(sorted({*functions.REFUSED, *functions.SINCE}))})\b")
_ORDINARY_LENGTH = 1000
PRECEDENCE = {
    "or": 0, "and": 1, "unless": 1, "==": 2, "!=": 2, ">": 2, "<": 2, ">=": 2, "<=": 2, "+": 3, "-": 3, "*": 4,
    "/": 4, "%": 4, "atan2": 4, "^": 5,
}  # fmt: skip
# Signs of other languages, and what PromQL writes for them.
_FOREIGN = {
    "|": "`or`", "&": "`and`", "!": "`!=`, `!~` or `unless`", "~": "`=~`", "≥": "`>=`", "≤": "`<=`", "≠": "`!=`",
    "–": "`-`", "−": "`-`", "×": "`*`", "÷": "`/`",
}  # fmt: skip
_CLOSES = {")": "(", "}": "{"}


class PromqlError(Exception):
    """The text is no PromQL that all supported servers load.

    `message` is one sentence without a full stop; `offset` is 0-based in characters of the text, `length` at least 1.
    """

    def __init__(self, message: str, offset: int = 0, length: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = max(1, length)


class Token(NamedTuple):
    """`kind` is word, op, string, duration, number or range (a whole `[5m:1m]`); `start` a 0-based offset."""

    kind: str
    text: str
    start: int


def error_at(token: Token, message: str) -> PromqlError:
    """An error under the whole of a token."""
    return PromqlError(message, token.start, len(token.text))


def is_ordinary(text: str) -> bool:
    """Whether `text` is short and holds nothing that `inspect` could refuse except what the Rust parser also does.

    A shortcut: nearly all expressions are ordinary, and one regular expression is ten times faster than tokens.
    """
    return len(text) <= _ORDINARY_LENGTH and _ORDINARY.fullmatch(text) is not None and not _GATED.search(text)


def scan(text: str) -> list[Token]:
    """Split into tokens without spaces and comments; illegal characters and broken literals are `PromqlError`."""
    if len(text) > MAX_LENGTH:
        raise PromqlError(f"the expression has {len(text)} characters, more than the {MAX_LENGTH} allowed")
    tokens: list[Token] = []
    append, new = tokens.append, tuple.__new__
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "bad":
            raise _bad(match.group("bad"), match.start("bad"), text)
        if kind == "end":
            break
        append(new(Token, (kind, match[kind], match.start(kind))))  # type: ignore[index,arg-type]
    if not tokens:
        raise PromqlError("the expression is empty", 0, len(text))
    return tokens


def _bad(piece: str, start: int, text: str) -> PromqlError:
    if piece in "\"'`":
        return PromqlError(f"the string that starts here has no closing {piece}", start, len(text) - start)
    if piece == "[":
        closed = "]" in text[start:]
        message = "expected a duration like 5m between these brackets" if closed else "`[` is never closed"
        return PromqlError(message, start, 1)
    if piece == "]":
        return PromqlError("`]` closes nothing", start, 1)
    if piece[0] == "." and start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        return PromqlError("a name has no `.` in it", start, 1)
    if piece[0] in "0123456789." and piece != ".":
        if re.fullmatch(r"[0-9_]*_[0-9_]*", piece):
            return PromqlError(f"`{piece}` needs Prometheus 3.0, write it without `_`", start, len(piece))
        if re.match(r"[0-9]*\.|0[xX]|[0-9]+[eE]", piece):
            return PromqlError(f"`{piece}` is not a number", start, len(piece))
        message = f"`{piece}` is neither a number nor a duration (units are ms, s, m, h, d, w, y)"
        return PromqlError(message, start, len(piece))
    meant = _FOREIGN.get(piece)
    shown = f"`{piece}` is no operator, write {meant}" if meant else None
    if shown is None and not piece.isprintable():
        shown = f"the character U+{ord(piece):04X} is not allowed here"
    hint = {"“": '"', "”": '"', "‘": "'", "’": "'"}.get(piece)
    if hint:
        shown = f"`{piece}` is a typographic quote, write {hint}"
    return PromqlError(shown or f"`{piece}` is not allowed here", start, 1)


def inspect(tokens: list[Token], version: Version) -> None:
    """Refuse unbalanced brackets, too deep nesting, and syntax that `version` does not load."""
    stack: list[tuple[Token, list[int], Token | None]] = []
    counts = [0] * 6
    depth = 0
    before: Token | None = None
    after_offset = after_at = False
    refused = functions.REFUSED
    since = functions.SINCE
    for token in tokens:
        kind, text, _ = token
        if kind == "op":
            if text == "(" or text == "{":
                stack.append((token, counts, before))
                counts = [0] * 6
                depth += sum(stack[-1][1]) + 1
                if depth > MAX_DEPTH:
                    raise error_at(token, f"the expression is nested deeper than {MAX_DEPTH} levels")
            elif text == ")" or text == "}":
                if not stack:
                    raise error_at(token, f"`{text}` closes nothing")
                opened, counts, _ = stack.pop()
                depth -= sum(counts) + 1
                if opened.text != _CLOSES[text]:
                    raise error_at(token, f"`{opened.text}` is not closed before this `{text}`")
            elif text == ",":
                counts = [0] * 6
            elif text not in ("=", "=~", "!~", "@"):
                _count(token, counts, depth)
        elif kind == "word":
            if text in refused or text in since:
                _gate_word(token, tokens, version)
            lowered = text.lower()
            if after_offset and lowered in ("inf", "nan"):  # the Rust parser panics
                raise error_at(token, f"expected a duration like 5m after `offset`, found `{text}`")
            if lowered in OPERATOR_WORDS and before is not None:
                if lowered == "or" and stack and stack[-1][0].text == "{" and before.kind == "string":
                    raise error_at(token, "`or` between matchers is VictoriaMetrics syntax, Prometheus has none")
                _count(token, counts, depth)
        elif kind == "string":
            _inspect_string(token, before, stack, version)
        elif kind != "range" or not _PLAIN_RANGE.fullmatch(text):
            if not stack or stack[-1][0].text != "{":  # no number stands in braces
                _inspect_number(token, after_offset, version)
        elif before is not None and before.kind == "range":
            raise error_at(token, "a range can only follow a selector, a subquery needs a vector")
        if after_at:
            _inspect_time(token)
        if after_offset and text == "+" and version < (3, 0):
            raise error_at(token, "a `+` after `offset` needs Prometheus 3.0, leave it out")
        after_at = text == "@" or (after_at and text == "+")
        after_offset = (kind == "word" and text.lower() == "offset") or (after_offset and text in ("-", "+"))
        before = token
    if stack:
        opened = stack[-1][0]
        raise error_at(opened, f"`{opened.text}` is never closed")


def _count(token: Token, counts: list[int], depth: int) -> None:
    """One more operator at this level: it may be one more level of the tree."""
    level = PRECEDENCE.get(token.text.lower(), 5)
    counts[level] += 1
    for higher in range(level + 1, 6):
        counts[higher] = 0
    if depth + sum(counts) > MAX_DEPTH:
        raise error_at(token, f"the expression is nested deeper than {MAX_DEPTH} levels")


def _gate_word(token: Token, tokens: list[Token], version: Version) -> None:
    place = tokens.index(token)
    following = tokens[place + 1].text if place + 1 < len(tokens) else ""
    before = tokens[place - 1].text if place else ""
    called = following == "(" or (token.text in ("limitk", "limit_ratio") and following in ("by", "without"))
    if called and before != "@":
        message = functions.since(token.text, version)
        if message:
            raise error_at(token, message)


def _inspect_string(
    token: Token, before: Token | None, stack: list[tuple[Token, list[int], Token | None]], version: Version
) -> None:
    if stack and before is not None and before.text in ("{", ",", "("):
        opened, _, owner = stack[-1]
        if opened.text == "{" and version < (2, 53):
            raise error_at(token, "quoted names in braces need Prometheus 2.53, write them without quotes")
        if owner is not None and owner.text.lower() in GROUPING_WORDS and opened.text == "(" and version < (3, 0):
            raise error_at(token, "quoted label names need Prometheus 3.0, write them without quotes")
    if "\\" in token.text and token.text[0] != "`":
        for match in _BYTE_ESCAPE.finditer(token.text):
            if len(match[0]) > 2:
                message = f"the byte escape `{match[0]}` is not supported, write the character itself"
                raise PromqlError(message, token.start + match.start(), len(match[0]))


def _inspect_number(token: Token, after_offset: bool, version: Version) -> None:
    """Bare numbers as durations and durations as numbers are 3.x; arithmetic in durations is newer still."""
    kind, text, _ = token
    if kind == "range":
        if not text.strip("[] \t\r\n"):
            raise error_at(token, "expected a duration like 5m between these brackets")
        if _BARE.fullmatch(text):
            if version < (3, 0):
                raise error_at(token, "a range without a unit needs Prometheus 3.0, write it like `[5m]`")
            return
        if re.search(r"[-+*/%^]", text):
            if re.fullmatch(rf"\[\s*-\s*{_DURATION}\s*(?::.*)?\]", text):
                raise error_at(token, "a range must be more than 0")
            raise error_at(token, "arithmetic in a range is experimental and needs a Prometheus newer than 3.5")
        raise error_at(token, f"`{text}` is not a range, write it like `[5m]` or `[5m:1m]`")
    if kind == "number":
        if after_offset and version < (3, 0):
            raise error_at(token, f"an offset without a unit needs Prometheus 3.0, write it like `{text}s`")
        if "e" in text.lower() and "x" not in text.lower() and math.isinf(float(text)):
            raise error_at(token, f"`{text}` is too large for a number")
    elif kind == "duration" and not after_offset and version < (3, 0):
        raise error_at(token, f"the duration `{text}` as a number needs Prometheus 3.0, write seconds")


def _inspect_time(token: Token) -> None:
    """What follows `@`: the Rust parser takes negative times and panics when they are read."""
    if token.kind in ("string", "duration") or (token.kind == "word" and token.text not in ("start", "end")):
        raise error_at(token, "expected seconds since 1970, start() or end() after `@`")
    if token.text == "-":
        raise error_at(token, "a time before 1970 after `@` is not supported")
    if token.kind == "number":
        value = float(int(token.text, 16)) if token.text[:2] in ("0x", "0X") else float(token.text)
        if value >= 253_402_300_800:
            raise error_at(token, "the time after `@` is out of range, it is seconds since 1970")
