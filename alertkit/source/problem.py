"""What a user can get wrong: a `Problem` at a `Span`, and how it is drawn on a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, takewhile
from pathlib import Path
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from alertkit.source.secrets import scrubbed


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file: 1-based `line` and `column`, `length` in characters (at least 1)."""

    path: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


def _named(text: str) -> str:
    """A message with its characters that cannot be seen, or that steer a terminal, as their numbers."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else f"<U+{ord(c):04X}>" for c in text)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of a user.

    `code` is stable and has a page in `source/codes/`; `message` says what is wrong in one sentence without a
    full stop; `help` is one sentence that says what to do; `span` is None only where no file is to blame
    (a missing program, a server that does not answer). Neither text keeps a secret that is known by itself or a
    character that cannot be seen, because it goes to screens, reports and logs alike.
    """

    code: str
    message: str
    span: Span | None = None
    help: str = ""

    def __post_init__(self) -> None:
        for name in ("message", "help"):
            if (clean := _named(scrubbed(text := getattr(self, name)))) is not text:
                object.__setattr__(self, name, clean)

    def sort_key(self) -> tuple[str, int, int, str, str]:
        span = self.span
        place = (span.path, span.line, span.column) if span else ("", 0, 0)
        return (*place, self.code, self.message)


class Problems(list[Problem]):
    """Collects problems, so that one run reports all of them."""

    def add(self, code: str, message: str, span: Span | None = None, help: str = "") -> None:
        """Append one problem; the arguments are those of `Problem`."""
        self.append(Problem(code, message, span, help))

    def ordered(self) -> list[Problem]:
        """By file, line and column, each problem once."""
        return sorted(dict.fromkeys(self), key=Problem.sort_key)


class Style(NamedTuple):
    """Terminal escapes for the parts of a drawn problem; all empty where colour is not wanted."""

    error: str = ""
    help: str = ""
    dim: str = ""
    bold: str = ""
    reset: str = ""


PLAIN = Style()
COLOUR = Style(error="\x1b[1;31m", help="\x1b[36m", dim="\x1b[2m", bold="\x1b[1m", reset="\x1b[0m")

LineReader = Callable[[str, int], str | None]


def plain_lines(text: str) -> str:
    """A file's text without byte order mark and with plain line ends, so that all count lines and columns alike."""
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@lru_cache(maxsize=64)
def _lines(path: str) -> tuple[str, ...]:
    try:
        if not Path(path).is_file():  # a pipe would be waited for
            return ()
        text = Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return ()
    return tuple(plain_lines(text).split("\n"))


def forget_files() -> None:
    """Read files anew: for a process that lives longer than one command."""
    _lines.cache_clear()


def line_on_disk(path: str, line: int) -> str | None:
    """The text of a 1-based line, or None when the file or line cannot be had."""
    lines = _lines(path)
    return lines[line - 1] if 0 < line <= len(lines) else None


def _visible(text: str) -> str:
    """Tabs as one space and control characters as `?`, so that the caret stays under its place."""
    return "".join(c if c.isprintable() else (" " if c == "\t" else "?") for c in text)


def _masked(line_of: LineReader) -> LineReader:
    """Reads lines without their secrets. Of a file all lines are looked at: a secret may stand below its key."""
    from alertkit.source.secret_values import masked_lines

    @lru_cache(maxsize=8)
    def lines(path: str) -> list[str]:
        found = (line_of(path, number) for number in count(1))
        return masked_lines(list(takewhile(lambda line: line is not None, found)))  # type: ignore[arg-type]

    def read(path: str, line: int) -> str | None:
        known = lines(path)
        return known[line - 1] if 0 < line <= len(known) else None

    return read


def _width(text: str) -> int:
    """Columns that a terminal needs for a text: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def draw(problem: Problem, style: Style = PLAIN, line_of: LineReader = line_on_disk) -> str:
    """One problem as text of several lines without a trailing newline.

    file:line:column, code and message; the source line with a caret under the place; the help.
    """
    return _draw(problem, style, _masked(line_of))


def _draw(problem: Problem, style: Style, line_of: LineReader) -> str:
    span = problem.span
    place = f"{style.bold}{span}{style.reset}: " if span else ""
    rows = [f"{place}{style.error}error[{problem.code}]{style.reset}: {problem.message}"]
    source = line_of(span.path, span.line) if span else None
    if span is not None and source is not None:
        start = span.column - 1
        cut = max(0, start - 60) if len(source) > 160 else 0
        shown = _visible(source[cut : cut + 160])
        before, marked = shown[: start - cut], shown[start - cut : start - cut + span.length]
        number = str(span.line)
        rows.append(f"{style.dim}{number:>5} |{style.reset} {shown}".rstrip())
        caret = f"{style.error}{'^' * max(1, _width(marked))}{style.reset}"
        rows.append(f"{style.dim}      |{style.reset} {' ' * _width(before)}{caret}")
    if problem.help:
        rows.append(f"  {style.help}help{style.reset}: {problem.help}")
    return "\n".join(rows)


def draw_all(problems: Iterable[Problem], style: Style = PLAIN, line_of: LineReader = line_on_disk) -> str:
    """All problems, ordered, a blank line between them, and a count at the end."""
    ordered = Problems(problems).ordered()
    line_of = _masked(line_of)
    blocks = [_draw(problem, style, line_of) for problem in ordered]
    count = len(ordered)
    files = len({p.span.path for p in ordered if p.span})
    total = f"{count} error{'s' if count != 1 else ''}"
    if files:
        total += f" in {files} file{'s' if files != 1 else ''}"
    return "\n\n".join([*blocks, total])
