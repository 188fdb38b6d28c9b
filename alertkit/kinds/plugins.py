"""Kinds of installed Python packages: the entry points of the group `alertkit.kinds`, name -> subclass of `Kind`.

Packages are asked only for a kind that neither alertkit nor the project knows, so a project without such kinds never
pays for the search.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alertkit.kinds.base import Kind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "alertkit.kinds"


class PluginError(Exception):
    """The package that offers a kind cannot give it; the message says why."""


@cache
def entries() -> dict[str, EntryPoint]:
    """Name of a kind -> its entry point, of all packages that are installed."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.value)}


@cache
def load(name: str) -> type[Kind]:
    """The class of a kind; raises `PluginError` when it cannot be imported or is no kind."""
    entry = entries()[name]
    try:
        found: Any = entry.load()
    except Exception as error:  # whatever another's module does when it is imported
        raise PluginError(f"`{entry.value}` cannot be imported: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Kind)):
        raise PluginError(f"`{entry.value}` is not a subclass of alertkit.kinds.Kind")
    return found


def modules() -> Iterator[Path]:
    """The Python files that kinds of packages may come from: all of each package that offers one."""
    for top in sorted({entry.module.partition(".")[0] for entry in entries().values()}):
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            continue
        if spec is None:
            continue
        folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
        yield from sorted(path for folder in folders for path in folder.rglob("*.py"))
        if not folders and spec.origin:
            yield Path(spec.origin)
