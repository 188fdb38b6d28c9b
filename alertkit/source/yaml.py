"""YAML to plain Python values, with the place of every key and value.

Reads libyaml's event stream directly: several times faster than composing, and the guards that a loader for
hand-written files needs can stand in one place: duplicate keys, aliases, depth, and the scalars of YAML 1.2's
core schema only (so `no` is a string, `1:30` is a string, `010` is ten).
Source of the scalar rules: YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Any

import yaml
from yaml import AliasEvent, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, StreamEndEvent

from alertkit.source.places import places
from alertkit.source.problem import Problems, Span, plain_lines
from alertkit.source.wording import worded

MAX_DEPTH = 64
_TOO_DEEP = "maximum nesting depth"  # libyaml 0.2.6 on, at 1,000 levels
LONGEST_INT = 100

# Only its events are used; the pure Python one gives the same where PyYAML was built without libyaml.
EVENTS: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Of a mapping's entry, the parser's events of key and value; of a list's item, its event twice.
Entry = tuple[Any, Any]
Path = Sequence[str | int]

_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_CONSTANTS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"), "+.inf": float("inf"),
    "-.inf": float("-inf"), "-.Inf": float("-inf"), "-.INF": float("-inf"),
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip


@dataclass(slots=True)
class Document:
    """One loaded file: `data` are plain dicts, lists and scalars; `marks` knows where each of them stands."""

    path: str
    text: str
    data: Any
    # id of a container -> {key or index: Entry}; `data` keeps the containers, and so their ids, alive.
    marks: dict[int, dict[Any, Entry]]

    def _entry(self, path: Path) -> Entry | None:
        """The entry of the deepest part of `path` that exists."""
        node: Any = self.data
        entry: Entry | None = None
        for part in path:
            found = self.marks.get(id(node), {}).get(part) if isinstance(node, (dict, list)) else None
            if found is None:
                break
            entry, node = found, node[part]
        return entry

    def key(self, path: Path) -> Span:
        """Where the key of `path` stands (of a list's item: the item); its nearest parent if it is absent."""
        entry = self._entry(path)
        return _span(self.path, entry[0]) if entry else Span(self.path, 1, 1)

    def value(self, path: Path) -> Span:
        """Where the value of `path` stands; its nearest parent if it is absent."""
        entry = self._entry(path)
        return _span(self.path, entry[1]) if entry else Span(self.path, 1, 1)

    def has(self, path: Path) -> bool:
        """Whether there is a value at exactly this path."""
        node: Any = self.data
        for part in path:
            if not isinstance(node, (dict, list)) or part not in self.marks.get(id(node), {}):
                return False
            node = node[part]  # type: ignore[index]
        return True

    def at(self, path: Path) -> Any:
        """The value at a path; None when there is none."""
        node = self.data
        for part in path if self.has(path) else ():
            node = node[part]
        return node if self.has(path) else None

    def within(self, path: Path, offset: int, length: int = 1) -> Span:
        """The place of character `offset` (0-based) inside the text at `path`; its nearest parent if it is absent.

        `length` counts characters of the text; the span ends with its line.
        """
        span = self.value(path)
        if not self.has(path):
            return span
        found = list(islice(places(self.text.split("\n"), span.line - 1, span.column - 1), offset + max(length, 1)))
        if not found:
            return span
        line, column = found[min(offset, len(found) - 1)]
        if offset >= len(found):
            column += 1  # just behind the last character
        last = max((c for at, c in found[offset:] if at == line), default=column)
        return Span(self.path, line + 1, column + 1, last - column + 1)


def _length(event: Any) -> int:
    """Characters on its first line; 1 of what spans several lines and of containers."""
    start, end = event.start_mark, event.end_mark
    if type(event) is not ScalarEvent:
        return 1
    return max(1, end.column - start.column) if end.line == start.line else 1


def _span(path: str, event: Any) -> Span:
    mark = event.start_mark
    return Span(path, mark.line + 1, mark.column + 1, _length(event))


def _scalar(event: Any) -> Any:
    value: str = event.value
    if event.style or not event.implicit[0]:
        return value
    first = value[:1]
    if first.isalpha() and first not in "tTfFnN":
        return value
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if first.isdigit() or first in "+-.":
        if _INT.match(value):
            # More digits than any field can use stay text, or Python refuses to print the number.
            return int(value, {"0o": 8, "0x": 16}.get(value[:2], 10)) if len(value) <= LONGEST_INT else value
        if _FLOAT.match(value) and isfinite(number := float(value)):  # beyond that it stays text, too
            return number
    return value


# A key or a dash, and then a bare template: `summary: {{ $value }}`.
_TEMPLATE = re.compile(r"""(?:^\s*-|(?:^|[{,\[-])\s*(?:[\w./-]+|'[^']*'|"[^"]*")\s*:)\s+(\{\{)""")
# What YAML 1.1 takes for the end of a line and no editor does; and what nobody sees, where files were joined.
_REFUSED = {
    "\x85": "next line", "\u2028": "line separator", "\u2029": "paragraph separator", "\ufeff": "byte order mark",
}  # fmt: skip


def _template_column(lines: list[str], line: int) -> int | None:
    """Where an unquoted value begins with `{{` on a 0-based line; None when none does."""
    found = _TEMPLATE.search(lines[line]) if line < len(lines) else None
    return found.start(1) if found else None


# What the rest of a document can be read beside: keys that are there twice, tags, a second document.
_HARMLESS = frozenset({"AK103", "AK105", "AK107"})
# What ends the parsing, so that only other entries can be read.
_SYNTAX = frozenset({"AK100", "AK104", "AK109"})


def load(text: str, path: str, problems: Problems, partly: bool = False) -> Document | None:
    """Parse one YAML document; on a mistake, add it to `problems` and return None.

    With `partly`, what could be read is returned beside mistakes that leave no doubt about the rest; `UNREAD` of
    `source/recovery.py` stands for what could not.
    """
    text = plain_lines(text)
    if not text.strip():
        problems.add("AK101", "the file is empty", Span(path, 1, 1), "write the keys it needs, or remove it")
        return None
    if any(character in text for character in _REFUSED):
        _bad_character(text, min(text.index(c) for c in _REFUSED if c in text), path, problems)
        return None
    before = len(problems)
    document = parse(text, path, problems)
    if document is None and partly and problems[-1].code in _SYNTAX and (at := problems[-1].span) is not None:
        from alertkit.source.recovery import recovered

        document = recovered(text, path, at.line, problems)
    if len(problems) > before and not (partly and all(p.code in _HARMLESS | _SYNTAX for p in problems[before:])):
        return None
    return document


def parse(text: str, path: str, problems: Problems) -> Document | None:
    """The document of a text whose line ends are plain, with mistakes beside which all of it could be parsed.

    None after one that ended the parsing, which is then the last problem.
    """
    loader = _Loader(text, path, problems)
    try:
        data = loader.document()
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes.
        bad = _codepoint(error.character)
        _bad_character(text, max(text.find(chr(bad)), 0) if bad is not None else 0, path, problems)
        return None
    except yaml.MarkedYAMLError as error:
        if error.problem_mark is not None and _TOO_DEEP in str(error.problem):
            # The scanner, which runs ahead, gave up before our own limit was reached: without the rest it is.
            return parse(text[: error.problem_mark.index], path, problems)
        loader.report(error)
        return None
    return Document(path, text, data, loader.marks)


def _bad_character(text: str, offset: int, path: str, problems: Problems) -> None:
    line = text.count("\n", 0, offset)
    column = offset - (text.rfind("\n", 0, offset) + 1)
    number, name = f"{ord(text[offset]):04X}", _REFUSED.get(text[offset])
    problems.add(
        "AK102", f"the character U+{number}{f' ({name})' if name else ''} is not allowed here",
        Span(path, line + 1, column + 1), f"remove it, or write it as \\u{number} in double quotes",
    )  # fmt: skip


def _codepoint(character: Any) -> int | None:
    """The character of a reader's error, which libyaml gives as a number."""
    if isinstance(character, int):
        return character if 0 <= character < 0x110000 else None
    return ord(character) if isinstance(character, str) and len(character) == 1 else None


class _Stop(yaml.MarkedYAMLError):
    """Reading cannot go on; the problem has been reported already."""


class _Loader:
    def __init__(self, text: str, path: str, problems: Problems) -> None:
        self.text = text
        self.path = path
        self.problems = problems
        self.marks: dict[int, dict[Any, Entry]] = {}
        self._parser: Any = None
        self._open: list[Any] = []
        self._aliases: set[str] = set()

    def document(self) -> Any:
        self._parser = EVENTS(self.text)
        get = self._parser.get_event
        get()  # stream start
        if type(get()) is StreamEndEvent:
            self.problems.add(
                "AK101", "the file has only comments", Span(self.path, 1, 1),
                "write the keys it needs, or remove it",
            )  # fmt: skip
            raise _Stop
        data = self._node(get(), 0)
        get()  # document end
        extra = get()
        if type(extra) is not StreamEndEvent:
            self._add("AK103", "a second YAML document begins here", extra, "keep one document a file")
        return data

    def _add(self, code: str, message: str, event: Any, help: str, length: int = 1) -> None:
        mark = event.start_mark
        self.problems.add(code, message, Span(self.path, mark.line + 1, mark.column + 1, length), help)

    def _node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is AliasEvent:
            self._alias(event)
            return None
        if event.tag is not None:
            self._tag(event)
        if kind is ScalarEvent:
            return _scalar(event)
        if depth >= MAX_DEPTH:
            self._add(
                "AK108", f"this is nested deeper than {MAX_DEPTH} levels", event,
                "a spec needs no more than six; look for a bracket or an indentation that went wrong",
            )  # fmt: skip
            raise _Stop
        self._open.append(event)
        node = self._mapping(depth) if kind is MappingStartEvent else self._sequence(depth)
        self._open.pop()
        return node

    def _tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        if tag != "!":
            self._add("AK107", f"the YAML tag `{tag}` has no meaning here", event, "remove the tag", len(tag))

    def _alias(self, event: Any) -> None:
        """One problem for each anchor that is used, however often."""
        if event.anchor not in self._aliases:
            self._aliases.add(event.anchor)
            self._add(
                "AK106", f"the alias `*{event.anchor}` is not allowed", event,
                "use `defaults:`, `for_each:` or a kind of your own instead of YAML anchors",
                len(event.anchor) + 1,
            )  # fmt: skip

    def _sequence(self, depth: int) -> list[Any]:
        get = self._parser.get_event
        items: list[Any] = []
        marks: dict[Any, Entry] = {}
        while type(event := get()) is not SequenceEndEvent:
            marks[len(items)] = (event, event)
            items.append(self._node(event, depth + 1))
        self.marks[id(items)] = marks
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        get = self._parser.get_event
        items: dict[str, Any] = {}
        marks: dict[Any, Entry] = {}
        while type(event := get()) is not MappingEndEvent:
            key = event.value if type(event) is ScalarEvent and event.tag is None else self._key(event)
            inner = get()
            plain = type(inner) is ScalarEvent and inner.tag is None
            value = _scalar(inner) if plain else self._node(inner, depth + 1)
            if key in items:
                first = _span(self.path, marks[key][0])
                self._add(
                    "AK105", f"the key `{key}` stands here a second time", event,
                    f"it was first given on line {first.line}; keep one of the two", _length(event),
                )  # fmt: skip
                known = items[key]
                if depth == 0 and isinstance(known, dict) and isinstance(value, dict):
                    # Two halves of one section: names of the second are known, too.
                    self.marks[id(known)] = {**self.marks[id(value)], **self.marks[id(known)]}
                    known.update({name: v for name, v in value.items() if name not in known})
            else:
                items[key] = value
                marks[key] = (event, inner)
        self.marks[id(items)] = marks
        return items

    def _key(self, event: Any) -> str:
        if type(event) is ScalarEvent:
            if event.tag is not None:
                self._tag(event)
            return str(event.value)
        if type(event) is AliasEvent:
            self._alias(event)
        elif (column := _template_column(self.text.split("\n"), event.start_mark.line)) is not None:
            self._template(event.start_mark.line, column)
        else:
            self._add("AK104", "a key must be plain text", event, "write `key: value`")
        raise _Stop

    def _template(self, line: int, column: int) -> None:
        text = self.text.split("\n")[line]
        self.problems.add(
            "AK104", "a value that begins with `{{` must be quoted",
            Span(self.path, line + 1, column + 1, len(text.rstrip()) - column),
            "put the whole value in double quotes: YAML reads a bare `{` as the start of a mapping",
        )  # fmt: skip

    def report(self, error: yaml.MarkedYAMLError) -> None:
        """Turn libyaml's message into a problem at its place."""
        if isinstance(error, _Stop):
            return
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        lines = self.text.split("\n")
        context = error.context_mark.line if error.context_mark else line
        for candidate in dict.fromkeys((line, max(line - 1, 0), context)):
            if (bare := _template_column(lines, candidate)) is not None:
                self._template(candidate, bare)
                return
        source = lines[line] if line < len(lines) else ""
        leading = source[: len(source) - len(source.lstrip())]
        if "\t" in leading or source[column : column + 1] == "\t":
            at = leading.index("\t") if "\t" in leading else column
            self.problems.add(
                "AK109", "a tab is used for indentation", Span(self.path, line + 1, at + 1),
                "YAML allows only spaces there; use two spaces a level",
            )  # fmt: skip
            return
        opened = next((e.start_mark for e in reversed(self._open) if e.flow_style), None)
        said = worded(error, lines, (opened.line, opened.column) if opened else None)
        line = min(said.line, len(lines) - 1)
        place = Span(self.path, line + 1, min(said.column, len(lines[line])) + 1)
        self.problems.add("AK100", said.message, place, said.help)
