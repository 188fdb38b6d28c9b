"""`alertkit status`: what an environment runs, and whether it works."""

from __future__ import annotations

import json
import sys

import click

from alertkit.cli.common import FAILED, OK, style_of
from alertkit.cli.deploying import env_option, format_option, this_target


@click.command("status")
@env_option
@click.option("-v", "--verbose", is_flag=True, help="Show every group and secret, however many.")
@format_option
def command(environment: str, verbose: bool, form: str) -> None:
    """Show whether the servers run what the last apply wrote, evaluate it in time, and can tell people.

    Drift, failing rules, slow groups, pending and firing alerts, the way to Alertmanager, the dead man's switch,
    failed notifications, the files of secrets. What all Prometheus servers share is one row.

    Exit codes, for monitoring: 0 alerting works, 1 something is bad, so that alerts may be lost. An alert that fires
    is not bad by itself: telling of it is what all this is for.

    \b
    Examples:
      alertkit status --env prod
      alertkit status --env prod -v
      alertkit status --env prod --format json
    """
    from alertkit.deploy.status import BAD, status
    from alertkit.report.status import status_lines

    target = this_target(environment)
    rows = list(status(target))
    bad = any(row.state == BAD for row in rows)
    code = FAILED if bad else OK
    if form == "json":
        found = [{"check": r.check, "where": r.where, "state": r.state, "text": r.text, **r.details} for r in rows]
        click.echo(json.dumps({"environment": environment, "healthy": not bad, "findings": found}, indent=2))
        sys.exit(code)
    servers = [server.shown for server in target.prometheus]
    for line in status_lines(rows, servers, environment, style_of(sys.stdout), verbose):
        click.echo(line, color=True)
    sys.exit(code)
