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
from typing import Any

import yaml

from alertkit.source.problem import Problems, Span

MAX_DEPTH = 64

# Only its events are used; the pure Python one gives the same where PyYAML was built without libyaml.
_EVENTS: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Of a mapping's entry: key line, key column, key length, value line, value column, value length (0-based).
Entry = tuple[int, int, int, int, int, int]
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
        return Span(self.path, entry[0] + 1, entry[1] + 1, entry[2]) if entry else Span(self.path, 1, 1)

    def value(self, path: Path) -> Span:
        """Where the value of `path` stands; its nearest parent if it is absent."""
        entry = self._entry(path)
        return Span(self.path, entry[3] + 1, entry[4] + 1, entry[5]) if entry else Span(self.path, 1, 1)

    def within(self, path: Path, offset: int, length: int = 1) -> Span:
        """The place of character `offset` (0-based) inside the scalar at `path`.

        Exact for plain, quoted and literal block scalars; inside a folded block or after an escape it may be off
        by the characters that YAML removed before it.
        """
        span = self.value(path)
        lines = self.text.split("\n")
        first = lines[span.line - 1][span.column - 1 :] if span.line <= len(lines) else ""
        if first[:1] in ("|", ">"):
            return self._within_block(span, lines, offset, length)
        return Span(self.path, span.line, span.column + offset + (first[:1] in ('"', "'")), length)

    def _within_block(self, span: Span, lines: list[str], offset: int, length: int) -> Span:
        body = span.line  # 0-based index of the line after the indicator
        while body < len(lines) and not lines[body].strip():
            body += 1
        if body >= len(lines):
            return span
        indent = len(lines[body]) - len(lines[body].lstrip(" "))
        while body < len(lines):
            width = max(len(lines[body]) - indent, 0)
            if offset <= width:
                return Span(self.path, body + 1, indent + offset + 1, length)
            offset -= width + 1
            body += 1
        return span


def _scalar(event: Any) -> Any:
    value: str = event.value
    if not event.implicit[0] or event.style:
        return value
    first = value[:1]
    if first.isalpha() and first not in "tTfFnN":
        return value
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if first.isdigit() or first in "+-.":
        if _INT.match(value):
            try:
                return int(value, {"0o": 8, "0x": 16}.get(value[:2], 10))
            except ValueError:  # more digits than Python converts
                return value
        if _FLOAT.match(value):
            return float(value)
    return value


def _is_template(lines: list[str], line: int) -> bool:
    text = lines[line] if line < len(lines) else ""
    return re.search(r"(:|-)\s+\{\{", text) is not None


def load(text: str, path: str, problems: Problems) -> Document | None:
    """Parse one YAML document; on a mistake, add it to `problems` and return None."""
    if not text.strip():
        problems.add("AK101", "the file is empty", Span(path, 1, 1), "write the keys it needs, or remove it")
        return None
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    loader = _Loader(text, path, problems)
    before = len(problems)
    try:
        data = loader.document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        column = error.position - (text.rfind("\n", 0, error.position) + 1)
        problems.add(
            "AK102", f"the character U+{_codepoint(error.character):04X} is not allowed in YAML",
            Span(path, line + 1, column + 1), "remove it, or write it as an escape in a double-quoted string",
        )  # fmt: skip
        return None
    except yaml.MarkedYAMLError as error:
        loader.report(error)
        return None
    if len(problems) > before:
        return None
    return Document(path, text, data, loader.marks)


def _codepoint(character: Any) -> int:
    return character if isinstance(character, int) else ord(character)


class _Stop(yaml.MarkedYAMLError):
    """Reading cannot go on; the problem has been reported already."""


class _Loader:
    def __init__(self, text: str, path: str, problems: Problems) -> None:
        self.text = text
        self.path = path
        self.problems = problems
        self.marks: dict[int, dict[Any, Entry]] = {}
        self._parser: Any = None

    def document(self) -> Any:
        self._parser = _EVENTS(self.text)
        get = self._parser.get_event
        get()  # stream start
        if type(get()) is yaml.StreamEndEvent:
            self.problems.add(
                "AK101", "the file has only comments", Span(self.path, 1, 1),
                "write the keys it needs, or remove it",
            )  # fmt: skip
            raise _Stop
        data = self._node(get(), 0)
        get()  # document end
        extra = get()
        if type(extra) is not yaml.StreamEndEvent:
            self._add("AK103", "a second YAML document begins here", extra, "keep one document a file")
        return data

    def _add(self, code: str, message: str, event: Any, help: str, length: int = 1) -> None:
        mark = event.start_mark
        self.problems.add(code, message, Span(self.path, mark.line + 1, mark.column + 1, length), help)

    def _length(self, event: Any) -> int:
        start, end = event.start_mark, event.end_mark
        if type(event) is not yaml.ScalarEvent:
            return 1
        return max(1, end.column - start.column) if end.line == start.line else 1

    def _node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            tag = event.tag
            if tag is not None and tag != "!":
                self._add("AK107", f"the YAML tag {tag} is not used here", event, "remove the tag")
            return _scalar(event)
        if kind is yaml.AliasEvent:
            self._add(
                "AK106", f"the alias *{event.anchor} is not allowed", event,
                "use `defaults:`, `for_each:` or a kind of your own instead of YAML anchors",
                len(event.anchor) + 1,
            )  # fmt: skip
            return None
        if depth >= MAX_DEPTH:
            self._add("AK108", f"nested deeper than {MAX_DEPTH} levels", event, "flatten the structure")
            raise _Stop
        return self._mapping(depth) if kind is yaml.MappingStartEvent else self._sequence(depth)

    def _sequence(self, depth: int) -> list[Any]:
        get = self._parser.get_event
        items: list[Any] = []
        marks: dict[Any, Entry] = {}
        event = get()
        while type(event) is not yaml.SequenceEndEvent:
            mark = event.start_mark
            place = (mark.line, mark.column, self._length(event))
            marks[len(items)] = place + place
            items.append(self._node(event, depth + 1))
            event = get()
        self.marks[id(items)] = marks
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        get = self._parser.get_event
        items: dict[str, Any] = {}
        marks: dict[Any, Entry] = {}
        event = get()
        while type(event) is not yaml.MappingEndEvent:
            key = self._key(event)
            start = event.start_mark
            length = self._length(event)
            value_event = get()
            value_start = value_event.start_mark
            value = self._node(value_event, depth + 1)
            if key in items:
                first = marks[key]
                self._add(
                    "AK105", f"the key `{key}` stands here a second time", event,
                    f"it was first given on line {first[0] + 1}; keep one of the two", length,
                )  # fmt: skip
            else:
                items[key] = value
                marks[key] = (
                    start.line, start.column, length,
                    value_start.line, value_start.column, self._length(value_event),
                )  # fmt: skip
            event = get()
        self.marks[id(items)] = marks
        return items

    def _key(self, event: Any) -> str:
        if type(event) is yaml.ScalarEvent:
            return str(event.value)
        if type(event) is yaml.AliasEvent:
            self._node(event, 0)
            raise _Stop
        if _is_template(self.text.split("\n"), event.start_mark.line):
            self._template(event.start_mark)
        else:
            self._add("AK104", "a key must be plain text", event, "write `key: value`")
        raise _Stop

    def _template(self, mark: Any) -> None:
        line = self.text.split("\n")[mark.line]
        column = line.index("{{")
        self.problems.add(
            "AK104", "a value that begins with `{{` must be quoted",
            Span(self.path, mark.line + 1, column + 1, len(line.rstrip()) - column),
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
            if _is_template(lines, candidate):
                self._template(_Mark(candidate))
                return
        span = Span(self.path, line + 1, column + 1)
        source = lines[line] if line < len(lines) else ""
        leading = source[: len(source) - len(source.lstrip())]
        if "\t" in leading or source[column : column + 1] == "\t":
            at = leading.index("\t") if "\t" in leading else column
            self.problems.add(
                "AK109", "a tab is used for indentation", Span(self.path, line + 1, at + 1),
                "YAML allows only spaces there; use two spaces a level",
            )  # fmt: skip
            return
        detail = " ".join(part for part in (error.context, error.problem) if part)
        self.problems.add("AK100", f"not valid YAML: {detail}", span, _advice(error))


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int


def _advice(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "mapping values are not allowed" in problem:
        return "a `: ` inside a value needs quotes around the value, or the line is indented wrongly"
    if "expected <block end>" in problem or "could not find expected ':'" in problem:
        return "check the indentation of this line against the line above it"
    if "unexpected end of stream" in problem or "expected ',' or" in problem:
        return "a quote or bracket that was opened is not closed"
    return "check the punctuation and indentation around this place"
