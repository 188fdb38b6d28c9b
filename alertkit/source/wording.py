"""What libyaml says of broken YAML, in words that help: message, help, and the place that is to blame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import yaml


class Said(NamedTuple):
    """A message without a full stop, one sentence of help, and a 0-based place."""

    message: str
    help: str
    line: int
    column: int


def worded(error: yaml.MarkedYAMLError, lines: Sequence[str], opened: tuple[int, int] | None) -> Said:
    """Word an error; `opened` is where the innermost bracket that is still open stands (0-based)."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    context, problem = error.context or "", error.problem or ""
    begun = (error.context_mark.line, error.context_mark.column) if error.context_mark else (line, column)
    at_end = all(not rest.strip() for rest in [lines[line][column:] if line < len(lines) else "", *lines[line + 1 :]])

    def character(place: tuple[int, int]) -> str:
        return lines[place[0]][place[1] : place[1] + 1] if place[0] < len(lines) else ""

    if "quoted scalar" in context and "end of stream" in problem:
        return Said(f"this `{character(begun)}` is never closed", "put the same quote behind the value", *begun)
    if opened and (at_end or "document" in problem):
        message = f"this `{character(opened)}` is never closed"
        return Said(message, "close it, or put the value in quotes if the bracket belongs to a text", *opened)
    if "mapping values are not allowed" in problem:
        help = "a `: ` inside a value needs quotes around the whole value; else the line is indented wrongly"
        return Said("a `:` cannot stand here", help, line, column)
    if "could not find expected ':'" in problem or "':'" in problem:
        help = "every line of a mapping is `key: value`; a text of several lines needs `|` or quotes"
        return Said("a `:` is missing behind this key", help, *begun)
    if opened and ("expected ','" in problem or "flow node" in context):
        bracket = character(opened)
        closing = {"{": "}", "[": "]"}.get(bracket, bracket)
        help = f"the `{bracket}` on line {opened[0] + 1} is still open; a text with brackets or commas needs quotes"
        return Said(f"a `,` or `{closing}` is missing before this", help, line, column)
    if "cannot start any token" in problem:
        help = "put the whole value in quotes"
        return Said(f"a value cannot begin with `{character((line, column))}`", help, line, column)
    if "escape" in problem or "escaped" in context:
        help = "write `\\\\` for a backslash, or put the value in single quotes, where it is plain text"
        return Said("this escape is not known in double quotes", help, line, column)
    if "sequence entries are not allowed" in problem:
        return Said("a list cannot begin here", "begin it on a line of its own, below its key", line, column)
    if "block mapping" in context or "block collection" in context or "<block end>" in problem:
        help = "give it the same indentation as the lines that it belongs to"
        return Said("this line does not fit the lines above it", help, line, column)
    if "block scalar" in context:
        return Said("this block of text is not written right", "write `key: |` and the text below it", line, column)
    if "anchor" in context or "alias" in context:
        return Said("this is not a name for an anchor or alias", "put the value in quotes", line, column)
    if "document start" in problem:
        help = "a spec is one mapping; check the indentation of this line and the brackets above it"
        return Said("this does not belong to what stands above it", help, line, column)
    help = "check the punctuation and indentation around this place"
    return Said(f"this is not valid YAML: {problem or context or 'it cannot be read'}", help, line, column)
