"""What shells offer when a word is not finished: names that the project has. A broken project offers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from alertkit.spec.project import Project

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _beginning(names: Callable[[], Iterable[str]]) -> Completer:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        try:
            return [name for name in names() if name.lower().startswith(incomplete.lower())]
        except Exception:  # a shell must never show why nothing can be offered
            return []

    return complete


def _project() -> Project:
    from alertkit.source import Problems
    from alertkit.spec.project import read_project

    project = read_project(Path.cwd(), Problems())
    if project is None:
        raise ValueError
    return project


def _kinds() -> Iterable[str]:
    from alertkit.kinds.own_file import FOLDER, read_kinds
    from alertkit.source import Problems

    return read_kinds(_project().specs / FOLDER, Problems())


def _codes() -> Iterable[str]:
    from importlib.resources import files

    pages = files("alertkit.source").joinpath("codes")
    return sorted(page.name.removesuffix(".md") for page in pages.iterdir() if page.name.endswith(".md"))


def _environments() -> Iterable[str]:
    return _project().file.environments


def _alerts() -> Iterable[str]:
    """Names of alerts; behind the system's where two systems have one of that name."""
    import yaml

    systems: dict[str, list[str]] = {}
    for path in sorted(_project().specs.glob("*.y*ml")):
        data: Any = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        for name in data["alerts"]:
            systems.setdefault(name, []).append(data["system"])
    return [name if len(of) == 1 else f"{one}/{name}" for name, of in systems.items() for one in of]


kinds, codes, environments, alerts = map(_beginning, (_kinds, _codes, _environments, _alerts))
