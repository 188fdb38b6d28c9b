"""What libyaml says of broken YAML, in words that help: message, help, and the place that is to blame."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import yaml


class Said(NamedTuple):
    """A message without a full stop, one sentence of help, and a 0-based place."""

    message: str
    help: str
    line: int
    column: int


_MISSING_COLON = "every line of a mapping is `key: value`; a text of several lines needs `|` or quotes"
# A value that YAML takes for a comment.
_COMMENT = re.compile(r""":\s+(#)""")
_NO_SPACE = re.compile(r"""\s*[\w-]+(:)(?!//)\S""")


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
    if (quote := _long_quote(lines, line)) is not None:
        help = "put the same quote behind the value, on its own line"
        return Said(f"this `{character(quote)}` is closed on line {line + 1} only", help, *quote)
    if "mapping values are not allowed" in problem:
        if (above := _without_colon(lines, line)) is not None:
            return Said("a `:` is missing behind this key", _MISSING_COLON, *above)
        help = "a `: ` inside a value needs quotes around the whole value; else the line is indented wrongly"
        return Said("a `:` cannot stand here", help, line, column)
    if "could not find expected ':'" in problem or "':'" in problem:
        close = _NO_SPACE.match(lines[begun[0]]) if begun[0] < len(lines) else None
        if close:
            return Said("a space is missing behind this `:`", "write `key: value`", begun[0], close.start(1))
        return Said("a `:` is missing behind this key", _MISSING_COLON, *begun)
    if opened and ("expected ','" in problem or "flow node" in context):
        bracket = character(opened)
        closing = {"{": "}", "[": "]"}.get(bracket, bracket)
        comment = _COMMENT.search(lines[opened[0]], opened[1])
        if comment and line > opened[0]:
            message = f"a comment begins here, so the `{bracket}` before it is not closed"
            return Said(message, "put a text with `#` in quotes", opened[0], comment.start(1))
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
    if column and (quote_mark := character((line, column - 1))) in ("'", '"'):
        help = "put the whole value in the other kind of quotes, or write the text as a block: `key: |`"
        return Said(f"the text ended with the `{quote_mark}` before this", help, line, column)
    if "block mapping" in context or "block collection" in context or "<block end>" in problem:
        help = "give it the same indentation as the lines that it belongs to"
        return Said("this line does not fit the lines above it", help, line, column)
    if "block scalar" in context:
        message = f"`{character(begun)}` begins a block of text, which stands below this line"
        return Said(message, "write the value alone, or put the whole value in quotes", *begun)
    if "anchor" in context or "alias" in context:
        return Said("this is not a name for an anchor or alias", "put the value in quotes", line, column)
    if "document start" in problem:
        help = "a spec is one mapping; check the indentation of this line and the brackets above it"
        return Said("this does not belong to what stands above it", help, line, column)
    help = "check the punctuation and indentation around this place"
    return Said(f"this is not valid YAML: {problem or context or 'it cannot be read'}", help, line, column)


def _long_quote(lines: Sequence[str], line: int) -> tuple[int, int] | None:
    """Where the quoted text begins that ends on this line, if that is another one."""
    found = None
    try:
        for token in yaml.scan("\n".join(lines), getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(token, yaml.ScalarToken) and token.style in ("'", '"'):
                start, end = token.start_mark, token.end_mark
                found = (start.line, start.column) if start.line < end.line == line else found
    except yaml.YAMLError:
        pass  # the mistake itself
    return found


def _without_colon(lines: Sequence[str], line: int) -> tuple[int, int] | None:
    """The place of a line just above that looks like a key and its value but for the `:`."""
    above = next((n for n in range(line - 1, -1, -1) if lines[n].strip() and lines[n].lstrip()[0] != "#"), None)
    if above is None:
        return None
    text, here = lines[above], lines[line]
    indent = len(text) - len(text.lstrip())
    alike = indent == len(here) - len(here.lstrip()) and re.match(r"\s*[\w-]+( |$)", text)
    return (above, indent) if alike and ":" not in text else None
