"""`alertkit doctor`: what alertkit stands on here, and what is missing."""

from __future__ import annotations

import datetime
import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from alertkit import __version__
from alertkit.cli.common import BROKEN_TOOL, OK, wants_colour
from alertkit.source import Problems
from alertkit.spec.project import Project, read_project
from alertkit.spec.root import PROJECT_FILE, find_root, has_project_file
from alertkit.toolchain import INSTALL, Tool, find_all, tools_dir

# Tools that `alertkit test` and `alertkit reload` cannot do without; the servers are for trials on this machine.
NEEDED = ("promtool", "amtool")
_USE = {
    "promtool": "proves alerts", "amtool": "checks routing",
    "prometheus": "runs trials on this machine", "alertmanager": "runs trials on this machine",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One tool: `state` is ok, missing or broken."""

    name: str
    state: str
    version: str
    place: str
    can: str


@click.command("doctor")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(format_: str) -> None:
    """Show the tools that were found, what they can do, and how to get what is missing.

    Exit code 3 when promtool or amtool is missing or broken.

    \b
    Examples:
      alertkit doctor
      alertkit doctor --format json
    """
    tools = find_all()
    problems = Problems()
    root = find_root(Path.cwd())
    found = None
    has_file = has_project_file(root)
    if has_file:
        found = read_project(Path.cwd(), problems)
    project: dict[str, Any] = {"root": str(root) if has_file else None, "problems": len(problems)}
    project["alertmanager"] = _written_for(found, tools) if found else None
    bad = [name for name, tool in tools.items() if tool is None or tool.version is None]
    if format_ == "json":
        click.echo(json.dumps(_json(tools, project, bad), indent=2))
    else:
        _print(tools, project, bad)
    sys.exit(BROKEN_TOOL if any(name in bad for name in NEEDED) else OK)


def _written_for(project: Project, tools: dict[str, Tool | None]) -> dict[str, Any]:
    """The Alertmanager that the routing is written for, and the one that is here if that differs."""
    wanted = project.file.alertmanager_version
    tool = tools["alertmanager"] or tools["amtool"]
    here = tool.version[:2] if tool and tool.version else wanted
    shown = [".".join(map(str, version)) for version in (wanted, here)]
    return {"written_for": shown[0], "here": shown[1], "too_new": wanted > here}


def _json(tools: dict[str, Tool | None], project: dict[str, Any], bad: list[str]) -> dict[str, Any]:
    return {
        "alertkit": __version__,
        "python": platform.python_version(),
        "project": project,
        "tools": {
            name: tool
            and {
                "path": str(tool.path), "source": tool.source, "version": tool.full_version or None,
                "capabilities": [c.name for c in tool.capabilities], "trouble": tool.trouble or None,
            }
            for name, tool in tools.items()
        },
        "missing": bad,
        "fix": _fix(tools),
    }  # fmt: skip


def _fix(tools: dict[str, Tool | None]) -> str | None:
    """The one command that gets what is missing; None when nothing is (what is broken must be mended by hand)."""
    return INSTALL if None in tools.values() else None


def _print(tools: dict[str, Tool | None], project: dict[str, Any], bad: list[str]) -> None:
    root = project["root"]
    where = root or f"none here (no {PROJECT_FILE} in this folder or above)"
    if project["problems"]:
        where += f", with {project['problems']} problems: run `alertkit compile`"
    click.echo(f"alertkit  {__version__}\nPython    {platform.python_version()}\nproject   {where}\n")
    _table([_row(name, tool) for name, tool in tools.items()])
    written = project["alertmanager"]
    if written and written["too_new"]:
        click.echo(
            f"\nThe routing is written for Alertmanager {written['written_for']}; the {written['here']} here "
            "may refuse it: lower `alertmanager_version` in alertkit.yaml"
        )
    elif written and written["written_for"] != written["here"]:
        click.echo(
            f"\nThe routing is written for Alertmanager {written['written_for']}, and {written['here']} is here: "
            f'`alertmanager_version: "{written["here"]}"` in alertkit.yaml allows what that one can do'
        )
    from alertkit.compile.markets import runs_out

    if said := runs_out(datetime.date.today()):
        click.echo(f"\n{said.capitalize()}: get a newer alertkit")
    for name in bad:
        tool = tools[name]
        if tool is not None:
            click.echo(f"\n{tool.path} is broken: {tool.trouble}")
    fix = _fix(tools)
    if fix:
        click.echo(f"\nTo get what is missing:\n\n  {fix}\n\nIt needs no root and puts them into {tools_dir()}")


def _row(name: str, tool: Tool | None) -> Row:
    if tool is None:
        return Row(name, "missing", "-", "-", _USE[name])
    state = "ok" if tool.version else "broken"
    can = ", ".join(c.name for c in tool.capabilities)
    return Row(name, state, tool.full_version or "-", f"{tool.path} ({tool.source})", can or "-")


def _table(rows: list[Row]) -> None:
    """On a terminal a rich table, elsewhere aligned text."""
    titles = Row("tool", "state", "version", "where", "can")
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for title in (titles.name, titles.state, titles.version, titles.place, titles.can):
            table.add_column(title, overflow="fold")
        for row in rows:
            colour = {"ok": "green", "broken": "red"}.get(row.state, "yellow")
            table.add_row(row.name, f"[{colour}]{row.state}[/]", row.version, row.place, row.can)
        Console(no_color=not wants_colour(sys.stdout)).print(table)
        return
    cells = [(r.name, r.state, r.version, r.place, r.can) for r in (titles, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    for cell in cells:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(cell, widths, strict=False)), cell[4]]))
