"""YAML with mistakes of syntax, read without the entries that hold them: one must not hide those of all others.

What is indented below a key belongs to it. So the entry of the first or second level in which the parser gave up is
made empty, line for line, and the rest is parsed again; `UNREAD` stands for what was lost.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import yaml

from alertkit.source.problem import Problems
from alertkit.source.yaml import EVENTS, Document, parse

# So many mistakes of syntax in one file are told at once.
MOST = 20


class Unread:
    """The value of a key that is there, and that could not be read; what is wrong with it has been said."""


UNREAD: Final = Unread()

# A dash, or a key with its colon: where an entry begins.
_HEADER = re.compile(r"( *)(?:-|(?:[\w$][^#'\"{}\[\],]*?|'[^']*'|\"[^\"]*\")\s*:)(?=\s|\Z)")

_NAME = re.compile(r"[\w.-]+")
_NAMED = re.compile(r" *[\w.-]+:")


def recovered(text: str, path: str, line: int, problems: Problems) -> Document | None:
    """The document without the entries that hold mistakes of syntax, of which the first was told on a 1-based line.

    None where the rest cannot be read for sure; then nothing more is said of it, but for mistakes beyond `MOST`.
    """
    lines = text.split("\n")
    emptied: set[int] = set()
    more = Problems()
    while True:
        places = _empty(lines, line - 1)
        if places is None or places & emptied:
            return None
        emptied |= places
        found = Problems()
        document = parse("\n".join(lines), path, found)
        if document is None and (not found or found[-1].span is None or found[-1].span.line <= line):
            return None
        if document is None and len(more) + 1 == MOST:
            problems.extend(more)
            return None
        if document is None:
            more.append(found[-1])
            assert found[-1].span is not None
            line = found[-1].span.line
        elif _mark(document, emptied):
            # What stood between the two levels may be meant as an entry of the first.
            for number, written in enumerate(text.split("\n")) if isinstance(document.data, dict) else ():
                if number in emptied and _indent(written) < _indent(lines[number]):
                    document.data.setdefault(lines[number].strip().rstrip(":"), UNREAD)
            document.text = text
            problems.extend([*more, *found])
            return document
        else:
            return None


def _empty(lines: list[str], line: int) -> set[int] | None:
    """Empty what a mistake on a 0-based line may be in, but for the keys; the lines of those, None where none is."""
    begin = _begun("\n".join(lines), line)
    header = _HEADER.match(lines[begin])
    if header is None:
        return None
    depth, end = len(header[1]), max(begin, line) + 1
    if line > begin and _HEADER.fullmatch(lines[line].rstrip()) and _indent(lines[line]) in (0, depth):
        end = line  # what begins there is not concerned
    while end < len(lines) and not ((next_ := _HEADER.match(lines[end])) and len(next_[1]) <= depth):
        end += 1
    body, sunk = _body(lines, begin), _indent(lines[line])
    if line > begin and depth < sunk < body and not lines[begin].rstrip().endswith(":"):
        begin = _above(lines, begin, depth)  # it goes on below a line that is complete: both may be of what is above
    kept: dict[int, str] = {}
    meant: dict[int, str] = {}
    within = True
    for number in range(begin, end):
        text, indent = lines[number], _indent(lines[number])
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if indent == 0:
            within = depth == 0  # in other sections, which are emptied as a whole
        elif not within or (indent > depth and not (number >= line and indent == sunk < body)):
            continue
        # Another entry, or what may be meant as one: its name is known all the same.
        # A section that is indented by mistake: what it holds is not.
        is_section = 0 < indent < depth and text.rstrip().endswith(":") and _body(lines, number) == depth
        level = "" if indent == 0 or is_section else header[1]
        known = _HEADER.match(text)
        if known is not None and (known[1] == level or is_section):
            kept[number] = known[0].strip() if is_section else known[0]
        elif (word := _NAME.search(text)) is not None:
            meant[number] = f"{level}{word[0]}:"
    if meant:  # none of them stands elsewhere, too
        others = (_NAMED.match(text) for number, text in enumerate(lines) if number not in meant)
        names = Counter([*meant.values(), *(match[0] for match in others if match)])
        kept |= {number: name for number, name in meant.items() if names[name] == 1}
    lines[begin:end] = [kept.get(number, "") for number in range(begin, end)]
    if within:
        return set(kept)
    # What follows may belong to the section before, so nobody knows what that holds.
    return {*kept, _above(lines, begin, 0)}


def _above(lines: list[str], begin: int, indent: int) -> int:
    """The nearest line above one on which an entry begins, so far indented; the line itself where there is none."""
    for number in range(begin - 1, -1, -1):
        header = _HEADER.match(lines[number])
        if header is not None and len(header[1]) == indent:
            return number
    return begin


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _body(lines: list[str], header: int) -> int:
    """How far the lines below a key are indented; more than any is where its value begins beside it."""
    if not lines[header].rstrip().endswith(":"):
        return max(map(len, lines)) + 1
    return next((_indent(text) for text in lines[header + 1 :] if text.strip()), 0)


def _begun(text: str, line: int) -> int:
    """The line of the last entry of the first two levels that had begun by then, for all that the parser knows."""
    parser = EVENTS(text)
    counts: list[int] = []  # of each open mapping how many keys and values it has so far
    strides: list[int] = []  # of a list, each item counts for both
    begun = 0
    try:
        while (event := parser.get_event()) is not None:
            if isinstance(event, yaml.CollectionEndEvent):
                counts.pop()
                strides.pop()
                continue
            if not isinstance(event, yaml.NodeEvent):
                continue
            mark: Any = event.start_mark
            if mark.line > line:
                break
            if counts:
                if len(counts) <= 2 and counts[-1] % 2 == 0:
                    begun = mark.line
                counts[-1] += strides[-1]
            if isinstance(event, yaml.CollectionStartEvent):
                counts.append(0)
                strides.append(2 if isinstance(event, yaml.SequenceStartEvent) else 1)
    except yaml.YAMLError:
        pass
    return begun


def _mark(document: Document, emptied: set[int]) -> bool:
    """Put `UNREAD` in the place of all that was lost; whether all of it was found."""
    found: set[int] = set()

    def mark(node: object, depth: int) -> None:
        for key, (event, _) in document.marks.get(id(node), {}).items():
            if depth:
                mark(node[key], depth - 1)  # type: ignore[index]
            if event.start_mark.line in emptied:
                found.add(event.start_mark.line)
                node[key] = UNREAD  # type: ignore[index]

    mark(document.data, 1)
    return found == emptied
