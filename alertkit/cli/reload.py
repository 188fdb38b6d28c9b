"""`alertkit reload`: put the build into running servers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, OK, fail, this_project
from alertkit.deploy import Step, reload
from alertkit.source import Problems

# What the user can mend in the project itself; all else is a tool's or a server's failure.
_INPUT = {"AK710", "AK720", "AK721", "AK722", "AK723", "AK724", "AK725"}


@click.command("reload")
@click.option("--env", "environment", required=True, metavar="NAME", help="An environment of alertkit.yaml.")
@click.option(
    "--build", type=click.Path(path_type=Path), help="The compiled build; by default that of the project."
)  # fmt: skip
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(environment: str, build: Path | None, format_: str) -> None:
    """Copy the build to an environment, reload its servers, verify that they have loaded exactly it.

    When a server refuses or has loaded something else, the files of before come back. It does not compile.
    Exit codes: 0 loaded and verified, 2 wrong input, 3 a tool or server failed.

    \b
    Examples:
      alertkit compile && alertkit reload --env prod
      alertkit reload --env staging --build build
      alertkit reload --env prod --format json
    """
    problems = Problems()
    steps: list[Step] = []

    def on_step(step: Step) -> None:
        steps.append(step)
        if format_ == "text":
            click.echo(step.text)

    done = reload(this_project(), environment, problems, build=build, on_step=on_step)
    code = OK if done else BAD_INPUT if all(p.code in _INPUT for p in problems) else BROKEN_TOOL
    if format_ == "json":
        click.echo(json.dumps(_json(environment, done, steps, problems), indent=2))
        sys.exit(code)
    if not done:
        fail(problems, code)


def _json(environment: str, done: bool, steps: list[Step], problems: Problems) -> dict[str, object]:
    return {
        "environment": environment,
        "loaded": done,
        "steps": [{"action": s.action, "target": s.target, "text": s.text, **s.details} for s in steps],
        "problems": [
            {"code": p.code, "message": p.message, "help": p.help, "place": str(p.span) if p.span else None}
            for p in problems.ordered()
        ],
    }
