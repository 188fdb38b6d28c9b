"""`alertkit compile`: specs and routing to plain files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alertkit.cli.common import FAILED, OK, alertmanager_version, fail, this_project
from alertkit.spec.root import shown_path

if TYPE_CHECKING:
    from alertkit.build.last import Last

_NO_ROUTING = "rules only, {folder}/ holds no routing; `unless`, `active`, `notify` and muting of milder levels need it"


@click.command("compile")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the build folder is stale.")
@click.option("--no-cache", is_flag=True, help="Compile every file anew.")
@click.option("--jobs", type=click.IntRange(1), help="Number of processes; all cores by default.")
@alertmanager_version
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to say the result.")
def command(
    check: bool, no_cache: bool, jobs: int | None, alertmanager_version: tuple[int, int] | None, form: str
) -> None:
    """Compile the specs of this project into its build folder.

    All mistakes in all files are reported at once, and then nothing is written.

    \b
    Examples:
      alertkit compile
      alertkit compile --check                      for CI: is build/ up to date?
      alertkit compile --alertmanager-version 0.28  allow what newer servers can do
    """
    from alertkit.build.last import Last
    from alertkit.spec.root import find_root

    version = alertmanager_version
    last = Last(find_root(Path.cwd()), "compile", repr(version))
    said = None if no_cache else last.result()
    stale: list[str] = []
    if said is None:
        said, stale = _compile(last, version, jobs, not no_cache, check)
    shown = shown_path(Path(said["build"]))
    if form == "json":
        import json

        click.echo(json.dumps({**said, "build": shown}, indent=2, ensure_ascii=False))
    elif check:
        rows = [*(f"{shown}/{row}" for row in stale), "the build is stale: run `alertkit compile`"]
        click.echo("\n".join(rows) if stale else f"{shown} is up to date")
    else:
        counts = f"{_count(len(said['systems']), 'system')}, {_count(said['rules'], 'rule')}, "
        counts += _count(said["expectations"], "generated expectation")
        click.echo(f"{counts} -> {shown}" + ("" if said["changed"] else " (unchanged)"))
        for note in said["notes"]:
            click.echo(f"note: {note}")
    sys.exit(FAILED if stale else OK)


def _compile(
    last: Last, version: tuple[int, int] | None, jobs: int | None, cache: bool, check: bool
) -> tuple[dict[str, Any], list[str]]:
    """Compile in earnest: what is to be said of it, and of a check what is stale; leaves with all problems."""
    from alertkit.build import compile_project
    from alertkit.source import Problems

    problems = Problems()
    project = this_project(problems)
    last.begin([project.specs, project.alertmanager])
    compiled = compile_project(project, problems, version, jobs, cache, write=not check, program=last.program)
    if compiled is None:
        fail(problems)
    stale = list(compiled.stale) if check else []
    folder = shown_path(project.alertmanager)
    notes = compiled.notes
    if "alertmanager.yml" not in compiled.outputs:
        notes.append(_NO_ROUTING.format(folder=folder))
    said = {
        "build": str(project.build), "changed": compiled.changed, "stale": stale, "systems": list(compiled.names),
        "rules": compiled.alerts, "expectations": compiled.cases, "files": list(compiled.outputs),
        "notes": notes,
    }  # fmt: skip
    if not stale:
        last.end(project.build, {**said, "changed": False}, seen=compiled.seen)
    return said, stale


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
