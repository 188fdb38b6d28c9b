"""`alertkit plan`: what an apply would change."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from alertkit.cli.common import CHANGES, OK, fail, style_of, this_project
from alertkit.cli.deploying import code_of, env_option, format_option, this_target, verbose_option
from alertkit.source import Problems


@click.command("plan")
@env_option
@click.option("--build", type=click.Path(path_type=Path), help="The compiled build; by default that of the project.")
@verbose_option
@format_option
def command(environment: str, build: Path | None, verbose: bool, form: str) -> None:
    """Show what differs in meaning between the build and what the servers of an environment have loaded.

    Rules and routing, which active alerts would resolve or start over, and who would be told differently. Nothing is
    changed. Long lists of what is new are shown in numbers; docs/plan.md describes the JSON.

    Exit codes: 0 no change, 4 changes, 1 the build is stale (unless --build names it), 2 wrong input, 3 a server
    failed.

    \b
    Examples:
      alertkit compile && alertkit plan --env prod
      alertkit plan --env prod --format json
    """
    from alertkit.deploy import make_plan, read_build
    from alertkit.deploy.fresh import up_to_date
    from alertkit.report.plan import plan_lines
    from alertkit.report.plan_json import plan_json

    target = this_target(environment)
    problems = Problems()
    project = this_project()
    built = read_build(build or project.build, problems) if up_to_date(project, build, problems) else None
    plan = make_plan(target, built, problems) if built else None
    if plan is None:
        fail(problems, code_of(problems))
    if form == "json":
        click.echo(json.dumps(plan_json(plan), indent=2))
    else:
        for line in plan_lines(plan, style_of(sys.stdout), verbose):
            click.echo(line)
    sys.exit(OK if plan.empty else CHANGES)
