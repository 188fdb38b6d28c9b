"""What every command needs: the project, the way problems are shown, the exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

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


def fail(problems: Iterable[Problem], code: int = BAD_INPUT, told: bool = False) -> NoReturn:
    """Show all problems on standard error and leave; `--format json` has them too, unless it was `told` them."""
    shown = _with_found(problems)
    click.echo(draw_all(shown, style_of(sys.stderr)), err=True, color=True)
    context = click.get_current_context(silent=True)
    if context is not None and context.params.get("form") == "json" and not told:
        import json

        click.echo(
            json.dumps(
                {"problems": [asdict(problem) for problem in Problems(shown).ordered()]}, indent=2, ensure_ascii=False
            )
        )
    sys.exit(code)


def found_alertmanager() -> tuple[int, int] | None:
    """The version of the Alertmanager on this machine, or of its amtool; None where neither is found."""
    from alertkit.toolchain import find

    tool = find("alertmanager") or find("amtool")
    return tool.version[:2] if tool and tool.version else None


def _with_found(problems: Iterable[Problem]) -> list[Problem]:
    """The problems; one about the Alertmanager's version says which one is here."""
    told = list(problems)
    if any(problem.code == "AK512" for problem in told) and (found := found_alertmanager()):
        here = f"; here is {'.'.join(map(str, found))}"
        told = [replace(p, help=p.help + here) if p.code == "AK512" else p for p in told]
    return told


def this_project(problems: Problems | None = None) -> Project:
    """The project around the current folder; leaves with its problems when the project file is wrong.

    With `problems`, its mistakes are added to them, as far as the rest can be checked: there may be others to tell.
    """
    from alertkit.spec.project import read_project

    partly, problems = problems is not None, Problems() if problems is None else problems
    project = read_project(Path.cwd(), problems, partly)
    if project is None:
        fail(problems)
    return project


class _Version(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "X.Y"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        from alertkit.spec.version import WANTED, parse_version

        version = parse_version(str(value))
        if version is None:
            self.fail(f"`{value}` is not {WANTED}; write it like 0.28", param, ctx)
        return version


alertmanager_version = click.option(
    "--alertmanager-version", type=_Version(), metavar="X.Y",
    help="The Alertmanager that the routing is written for; `alertmanager_version` of alertkit.yaml by default.",
)  # fmt: skip
