"""What every command needs: the project, the way problems are shown, the exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import click

from alertkit.source import Problem, Problems
from alertkit.source.problem import COLOUR, PLAIN, Style, draw_all

if TYPE_CHECKING:
    from alertkit.spec.project import Project

# Exit codes of every command.
OK, FAILED, BAD_INPUT, BROKEN_TOOL, CHANGES = 0, 1, 2, 3, 4


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and never when NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def style_of(stream: TextIO) -> Style:
    """The escapes for a stream: none unless it wants colour."""
    return COLOUR if wants_colour(stream) else PLAIN


def fail(problems: Iterable[Problem], code: int = BAD_INPUT) -> NoReturn:
    """Show all problems on standard error and leave."""
    click.echo(draw_all(problems, style_of(sys.stderr)), err=True, color=True)
    sys.exit(code)


def this_project() -> Project:
    """The project around the current folder; leaves with its problems when the project file is wrong."""
    from alertkit.spec.project import read_project

    problems = Problems()
    project = read_project(Path.cwd(), problems)
    if project is None:
        fail(problems)
    return project
