"""The folder of a project: found without reading anything, so that it costs no imports."""

from __future__ import annotations

import os
from pathlib import Path

# How a path begins that is easier to read as a whole.
_FAR = str(Path("..", "..", ".."))

PROJECT_FILE = "alertkit.yaml"


def has_project_file(folder: Path) -> bool:
    """Whether there is an `alertkit.yaml`, readable or not: a link that leads nowhere is a mistake, not an absence."""
    return os.path.lexists(folder / PROJECT_FILE)


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` with an `alertkit.yaml`, else `start` itself."""
    for folder in (start, *start.parents):
        if has_project_file(folder):
            return folder
    return start


def shown_path(path: Path) -> str:
    r"""A path as the user would type it: relative to where they stand if it is below or near, else as it is.

    What is not UTF-8 in it is shown as `\xff`.
    """
    try:
        shown = str(path.relative_to(Path.cwd()))
    except ValueError:
        near = os.path.relpath(path)
        shown = str(path) if near.startswith(_FAR) else near
    return shown if is_utf8(shown) else os.fsencode(shown).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Whether the name of a file is UTF-8; what is not, Python writes by halves of surrogate pairs."""
    if not name.isascii():
        try:
            name.encode()
        except UnicodeEncodeError:
            return False
    return True
