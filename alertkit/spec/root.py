"""The folder of a project: found without reading anything, so that it costs no imports."""

from __future__ import annotations

from pathlib import Path

PROJECT_FILE = "alertkit.yaml"


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` with an `alertkit.yaml`, else `start` itself."""
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    return start


def shown_path(path: Path) -> str:
    """A path as the user would type it: relative to where they stand if it is below, else as it is."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
