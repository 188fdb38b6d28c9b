"""One-file end-to-end cases: input files and the exact outcome together.

    A word on what the case shows.

    $ alertkit compile
    -- rules_src/a.yaml --
    system: demo
    -- exit --
    2
    -- stderr --
    rules_src/a.yaml:1:1: error[AK202]: ...

A file's name may be followed by how it is made: `(latin-1)` or another encoding of its text, `(crlf)`, `(bom)`,
`(no end)` without the final newline, `(times 5000)` its text so many times in one line, `(folder)` instead of a file,
`(link)` a symbolic link to what its text names. Tabs stand as they are. The sections `exit`, `stdout` and `stderr` are
the outcome; an absent one is `0` or empty. After a failure nothing may have been written; after a success the
files of the section's name `build/...` are compared with what was written.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

OUTCOMES = ("exit", "stdout", "stderr")
_SECTION = re.compile(r"^-- (\S+)(?: \(([^)]*)\))? --$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One file of a case, or one part of its outcome; `text` ends with a newline unless empty."""

    name: str
    how: str
    text: str

    def __str__(self) -> str:
        return f"-- {self.name}{f' ({self.how})' if self.how else ''} --\n{self.text}"


@dataclass(frozen=True)
class Case:
    """A parsed case: what stands above the files, the command line, the files and the outcome."""

    head: str
    arguments: tuple[str, ...]
    files: tuple[Section, ...]
    expected: tuple[Section, ...]

    def outcome(self, name: str) -> str:
        default = "0\n" if name == "exit" else ""
        return next((s.text for s in self.expected if s.name == name), default)

    def with_outcome(self, results: dict[str, str]) -> Case:
        """The case with another outcome; what is empty or the default is left out."""
        kept = [Section(name, "", text) for name, text in results.items() if text and (name, text) != ("exit", "0\n")]
        return replace(self, expected=tuple(kept))

    def __str__(self) -> str:
        return self.head + "".join(map(str, (*self.files, *self.expected)))


def parse_case(text: str) -> Case:
    """Read a case; raises ValueError when it has no `$ alertkit ...` line."""
    marks = list(_SECTION.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    head = text[: marks[0].start()] if marks else text
    command = re.search(r"^\$ alertkit (.+)$", head, re.MULTILINE)
    if command is None:
        raise ValueError("a case needs a line such as `$ alertkit compile`")
    sections = [
        Section(mark[1], mark[2] or "", text[mark.end() + 1 : end]) for mark, end in zip(marks, ends, strict=True)
    ]
    is_outcome = [s.name in OUTCOMES or s.name.startswith("build/") for s in sections]
    return Case(
        head, tuple(shlex.split(command[1])),
        tuple(s for s, outcome in zip(sections, is_outcome, strict=True) if not outcome),
        tuple(s for s, outcome in zip(sections, is_outcome, strict=True) if outcome),
    )  # fmt: skip


def write_files(case: Case, folder: Path) -> None:
    """Make the input files of a case."""
    for section in case.files:
        path = folder / section.name
        path.parent.mkdir(parents=True, exist_ok=True)
        words = section.how.split()
        if section.how == "folder":
            path.mkdir()
        elif section.how == "link":
            path.symlink_to(section.text.strip())
        elif words[:1] == ["times"]:
            path.write_text(section.text.rstrip("\n") * int(words[1]) + "\n", encoding="utf-8")
        else:
            path.write_bytes(_encoded(section))


def _encoded(section: Section) -> bytes:
    text, encoding = section.text, "utf-8"
    if section.how == "crlf":
        text = text.replace("\n", "\r\n")
    elif section.how == "bom":
        encoding = "utf-8-sig"
    elif section.how == "no end":
        text = text.removesuffix("\n")
    elif section.how:
        encoding = section.how
    return text.encode(encoding)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, links as their targets, folders as empty."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(root, name)
            content = (
                str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            )
            found[str(path.relative_to(folder))] = content
    return found
