"""`alertkit compile`: specs and routing to plain files."""

from __future__ import annotations

import sys

import click

from alertkit.cli.common import FAILED, OK, fail, this_project


@click.command("compile")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the build folder is stale.")
@click.option("--no-cache", is_flag=True, help="Compile every file anew.")
@click.option("--jobs", type=click.IntRange(1), help="Number of processes; all cores by default.")
@click.option("--alertmanager-version", metavar="X.Y", help="The Alertmanager that the routing is written for.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to say the result.")
def command(check: bool, no_cache: bool, jobs: int | None, alertmanager_version: str | None, form: str) -> None:
    """Compile the specs of this project into its build folder.

    All mistakes in all files are reported at once, and then nothing is written.

    \b
    Examples:
      alertkit compile
      alertkit compile --check                      for CI: is build/ up to date?
      alertkit compile --alertmanager-version 0.28  allow what newer servers can do
    """
    from alertkit.build import compile_project, differences, write
    from alertkit.compile.routing import OLDEST
    from alertkit.source import Problems
    from alertkit.spec.project import shown_path

    project = this_project()
    problems = Problems()
    version = OLDEST if alertmanager_version is None else _version(alertmanager_version)
    compiled = compile_project(project, problems, version, jobs, not no_cache)
    if compiled is None:
        fail(problems)
    shown = shown_path(project.build)
    if check:
        stale = differences(project.build, compiled.outputs)
        changed = bool(stale)
        text = f"{shown} is up to date" if not stale else "\n".join([*(f"{shown}/{row}" for row in stale), _how()])
    else:
        stale = []
        changed = write(project.build, compiled.outputs, problems)
        if problems:
            fail(problems)
        counts = f"{_count(len(compiled.systems), 'system')}, {_count(compiled.alerts, 'rule')}, "
        counts += _count(compiled.cases, "generated expectation")
        text = f"{counts} -> {shown}" + ("" if changed else " (unchanged)")
    if form == "json":
        import json

        click.echo(
            json.dumps({
                "build": shown, "changed": changed, "stale": stale, "systems": list(compiled.systems),
                "rules": compiled.alerts, "expectations": compiled.cases, "files": list(compiled.outputs),
            }, indent=2, ensure_ascii=False)
        )  # fmt: skip
    else:
        click.echo(text)
    sys.exit(FAILED if stale else OK)


def _how() -> str:
    return "the build is stale: run `alertkit compile`"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _version(text: str) -> tuple[int, int]:
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):
        raise click.BadParameter(f"`{text}` is not a version; write it like 0.28", param_hint="--alertmanager-version")
    return int(parts[0]), int(parts[1])
