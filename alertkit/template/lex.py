"""Tokens of a Go text/template, with their places.

Source: Go's text/template documentation, "Actions", "Text and spaces", and the behaviour of its lexer.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from alertkit.template.errors import TemplateError

SPACES = " \t\r\n"
# What may follow a name inside an action; `}}` may too.
_AFTER_NAME = re.compile(r"[\s.,|:()]|}}|\Z")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*|0[bB][01_]*"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<raw>`[^`]*`)
    | (?P<char>'(?:[^'\\\n]|\\[^\n])*')
    | (?P<variable>\$\w*)
    | (?P<field>\.(?![0-9])\w*)
    | (?P<number>(?=[0-9+\-.])""" + _NUMBER.pattern + r""")
    | (?P<name>\w+)
    | (?P<declare>:=)
    | (?P<punct>[=|(),])""",
    re.VERBOSE,
)  # fmt: skip
KEYWORDS = frozenset(["block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with"])


class Token(NamedTuple):
    """`kind`: text, open, close, space, string, char, variable, field, dot, number, name, keyword, bool, or the
    character itself; `text` as it stands in the template, `offset` its first character."""

    kind: str
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


def tokenize(text: str) -> list[Token]:
    """All tokens of a template, spaces trimmed and comments dropped as Go does; the last one is `eof`.

    Raises TemplateError at the first thing that is no token.
    """
    tokens: list[Token] = []
    position = 0
    trim = False
    while True:
        start = text.find("{{", position)
        literal = text[position:] if start < 0 else text[position:start]
        lead = len(literal) - len(literal.lstrip(SPACES)) if trim else 0
        literal, at = literal[lead:], position + lead
        if start < 0:
            if literal:
                tokens.append(Token("text", literal, at))
            tokens.append(Token("eof", "", len(text)))
            return tokens
        inside = start + 2
        if text[inside : inside + 1] == "-" and text[inside + 1 : inside + 2] in SPACES and inside + 1 < len(text):
            literal = literal.rstrip(SPACES)
            inside += 2
        if literal:
            tokens.append(Token("text", literal, at))
        if text.startswith("/*", inside):
            position, trim = _comment(text, start, inside)
        else:
            tokens.append(Token("open", "{{", start))
            position, trim = _action(text, start, inside, tokens)


def _comment(text: str, start: int, inside: int) -> tuple[int, bool]:
    end = text.find("*/", inside + 2)
    if end < 0:
        raise TemplateError("this comment is never closed, `*/}}` is missing", start, 4)
    end += 2
    if text.startswith("}}", end):
        return end + 2, False
    if text[end : end + 1] in SPACES and text.startswith("-}}", end + 1):
        return end + 4, True
    raise TemplateError("a comment ends with `*/}}`, with nothing between", end - 2, 2)


def _action(text: str, start: int, position: int, tokens: list[Token]) -> tuple[int, bool]:
    """Tokens up to `}}`; returns the place behind it and whether the text there is to be trimmed."""
    parentheses: list[int] = []
    while True:
        trimmed = text[position : position + 1] in SPACES and text.startswith("-}}", position + 1)
        if trimmed or text.startswith("}}", position):
            if parentheses:
                raise TemplateError("this `(` is never closed", parentheses[-1])
            close = position + 2 if trimmed else position
            tokens.append(Token("close", "}}", close))
            return close + 2, trimmed
        match = _TOKEN.match(text, position)
        if match is None or not match.group():
            raise _no_token(text, start, position)
        kind, value = str(match.lastgroup), match.group()
        if kind == "space" and text.startswith("-}}", match.end()):
            value = value[:-1]  # The last space belongs to ` -}}`.
        elif kind == "punct":
            kind = value
            if value == "(":
                parentheses.append(position)
            elif value == ")":
                if not parentheses:
                    raise TemplateError("this `)` closes nothing", position)
                parentheses.pop()
        elif kind in ("variable", "field", "name"):
            kind = _word(text, kind, value, match.end())
        elif kind == "number" and (value in ("+", "-", ".") or _word_at(text, match.end())):
            raise TemplateError(f"`{value}{_word_at(text, match.end())}` is no number", position, len(value))
        elif kind == "raw":
            kind = "string"
        tokens.append(Token(kind, value, position))
        position += len(value)


def _word_at(text: str, position: int) -> str:
    match = re.compile(r"\w*").match(text, position)
    return match.group() if match else ""


def _word(text: str, kind: str, value: str, end: int) -> str:
    if not _AFTER_NAME.match(text, end):
        raise TemplateError(f"unexpected `{text[end]}` right after `{value}`", end)
    if value == ".":
        return "dot"
    if kind == "name":
        return "keyword" if value in KEYWORDS else "bool" if value in ("true", "false") else "name"
    return kind


def _no_token(text: str, start: int, position: int) -> TemplateError:
    if position >= len(text):
        return TemplateError("this `{{` is never closed, `}}` is missing", start, 2)
    character = text[position]
    if character in "\"'`":
        return TemplateError(f"this {character} is never closed", position)
    if text.startswith("{", position):
        return TemplateError("`{` inside `{{ }}`: is the action before it closed?", position)
    if character == "}":
        return TemplateError("a single `}`: an action closes with `}}`", position)
    return TemplateError(f"`{character}` has no meaning inside `{{{{ }}}}`", position)
