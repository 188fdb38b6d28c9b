"""Where each character of a YAML scalar's value stands in the source.

YAML removes quotes, escapes, indentation and line ends from a scalar; a mistake at character 40 of a template is
therefore seldom 40 columns behind its beginning. Lines and columns are 0-based here.
Source of the folding rules: YAML 1.2.2, sections 6.5, 7.3 and 8.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Place = tuple[int, int]

_PROPERTIES = re.compile(r"[&!][^\s\[\]{},]*[ \t]+")
_HEX = {"x": 2, "u": 4, "U": 8}


def places(lines: Sequence[str], line: int, column: int) -> Iterator[Place]:
    """The place of each character of the value of the scalar that begins at `line` and `column`.

    It may go on beyond the end of the value: take no more than the value has.
    """
    while line < len(lines) and (properties := _PROPERTIES.match(lines[line], column)):
        column = properties.end()
    first = lines[line][column : column + 1] if line < len(lines) else ""
    if first in ("|", ">"):
        return _block(lines, line, first == ">", _explicit_indent(lines[line], column))
    quote = first if first in ("'", '"') else ""
    return _flow(lines, line, column + len(quote), quote)


def _flow(lines: Sequence[str], line: int, column: int, quote: str) -> Iterator[Place]:
    """Plain and quoted scalars: a line end is a space, n empty lines are n line ends."""
    while line < len(lines):
        text = lines[line]
        end = len(text.rstrip(" \t"))
        continued = False
        while column < end:
            if quote == '"' and text[column] == "\\":
                if column + 1 >= len(text):
                    continued = True
                    break
                yield line, column
                column += 2 + _HEX.get(text[column + 1], 0)
            elif quote and text[column] == quote:
                if quote == '"' or text[column + 1 : column + 2] != "'":
                    return
                yield line, column
                column += 2
            else:
                yield line, column
                column += 1
        following = line + 1
        while following < len(lines) and not lines[following].strip(" \t"):
            following += 1
        empty = range(line + 1, following)
        if empty:
            yield from ((number, 0) for number in empty)
        elif not continued:
            yield line, end
        line = following
        column = _leading(lines[line]) if line < len(lines) else 0


def _block(lines: Sequence[str], header: int, folded: bool, explicit: int | None) -> Iterator[Place]:
    """Literal and folded block scalars."""
    first = next((i for i in range(header + 1, len(lines)) if lines[i].strip(" ")), len(lines))
    if first == len(lines):
        return
    indent = explicit if explicit is not None else len(lines[first]) - len(lines[first].lstrip(" "))
    yield from ((number, 0) for number in range(header + 1, first))
    line = first
    while line < len(lines):
        text = lines[line]
        yield from ((line, column) for column in range(indent, len(text)))
        following = line + 1
        while following < len(lines) and not lines[following].strip(" "):
            following += 1
        empty = range(line + 1, following)
        beside = [text[indent : indent + 1], lines[following][indent : indent + 1] if following < len(lines) else ""]
        if not folded or not empty or any(c in (" ", "\t") for c in beside):
            yield line, len(text)
        yield from ((number, 0) for number in empty)
        line = following


def _explicit_indent(header: str, column: int) -> int | None:
    """The column at which the text of a block begins, where its header says so (`|2`)."""
    digit = re.match(r"[|>][-+]?([1-9])", header[column:])
    return len(header) - len(header.lstrip(" -")) + int(digit[1]) if digit else None


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))
