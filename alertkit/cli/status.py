"""`alertkit status`: what an environment runs, and whether it works."""

from __future__ import annotations

import json
import sys

import click

from alertkit.cli.common import FAILED, OK, style_of
from alertkit.cli.deploying import env_option, format_option, this_target


@click.command("status")
@env_option
@click.option("-v", "--verbose", is_flag=True, help="Show every group and secret, not only what deserves a look.")
@format_option
def command(environment: str, verbose: bool, form: str) -> None:
    """Show whether the servers run what the last apply wrote, evaluate it in time, and can tell people.

    Drift, failing rules, slow groups, pending and firing alerts, the way to Alertmanager, the dead man's switch,
    failed notifications, the files of secrets. Exit codes: 0 all is well, 1 something is not (for monitoring).

    \b
    Examples:
      alertkit status --env prod
      alertkit status --env prod -v
      alertkit status --env prod --format json
    """
    from alertkit.deploy.status import BAD, WARN, status

    rows = list(status(this_target(environment)))
    bad = sum(row.state == BAD for row in rows)
    code = FAILED if bad else OK
    if form == "json":
        found = [{"check": r.check, "where": r.where, "state": r.state, "text": r.text} for r in rows]
        click.echo(json.dumps({"environment": environment, "healthy": not bad, "findings": found}, indent=2))
        sys.exit(code)
    style = style_of(sys.stdout)
    colours = {BAD: style.error, WARN: style.bold}
    shown = [r for r in rows if verbose or r.state != "ok" or r.check not in ("group", "secret")]
    width = max((len(row.check) for row in shown), default=0)
    where = max((len(row.where) for row in shown), default=0)
    for row in shown:
        mark = f"{colours.get(row.state, '')}{row.state:<4}{style.reset if row.state in colours else ''}"
        click.echo(f"{mark}  {row.check:<{width}}  {row.where:<{where}}  {row.text}", color=True)
    warned = sum(row.state == WARN for row in rows)
    click.echo(f"{environment}: {bad} bad, {warned} to look at, {len(rows) - bad - warned} fine")
    sys.exit(code)
