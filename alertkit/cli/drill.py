"""`alertkit drill`: prove that messages arrive before the night they are needed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from alertkit.cli import complete
from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, FAILED, OK, fail, this_project
from alertkit.cli.deploying import code_of, env_option, format_option, this_target
from alertkit.source import Problems

if TYPE_CHECKING:
    from alertkit.deploy.drill import Drill


@click.command("drill")
@click.argument("alert", required=False, metavar="[ALERT]", shell_complete=complete.alerts)
@env_option
@click.option("--level", metavar="SEVERITY", help="Of this level; the gravest if not given.")
@click.option("--all-receivers", is_flag=True, help="Reach each receiver once, with as few alerts as that takes.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@format_option
def command(alert: str | None, environment: str, level: str | None, all_receivers: bool, yes: bool, form: str) -> None:
    """Send a marked synthetic alert into the running Alertmanager; say who got it and whether each message went out.

    It carries the labels and annotations of ALERT (or SYSTEM/ALERT), the label alertkit_drill, [DRILL] in its summary,
    and ends by itself. People are really told: nothing is sent without a yes. While it lasts it can mute what the
    alert itself would mute.

    Exit codes: 0 everything delivered, 1 something was not, 2 wrong input, 3 the server failed.

    \b
    Examples:
      alertkit drill peak_trade/CircuitBreakerOpen --env prod
      alertkit drill --all-receivers --env prod
      alertkit drill HighLatency --level warning --env staging --yes --format json
    """
    from alertkit.deploy.drill import cover, loaded_config, send

    if bool(alert) == all_receivers:
        raise click.UsageError("say an alert, or --all-receivers")
    target = this_target(environment)
    problems = Problems()
    if target.alertmanager is None:
        problems.add("AK721", f"the environment `{environment}` has no alertmanager URL", help="add alertmanager:")
        fail(problems, BAD_INPUT)
    drills = _drills(alert, level, problems)
    config = loaded_config(target.alertmanager, problems)
    if config is None:
        fail(problems, code_of(problems))
    unreached: list[str] = []
    if all_receivers:
        drills, unreached = cover(config, drills)
    for drill in drills:
        names = config.router.receivers(dict(drill.labels)) if config.router else ["whoever the routes say"]
        if form == "text":
            click.echo(f"{drill.labels['alertname']} ({drill.labels.get('severity', '')}) to {', '.join(names)}")
    if not yes:
        if form == "json" or not sys.stdin.isatty():
            problems.add("AK738", "nobody is there to confirm that people are told", help="give --yes to send it")
            fail(problems, BAD_INPUT)
        if not click.confirm(f"Send {len(drills)} marked as a drill through {target.alertmanager.shown}?"):
            click.echo("nothing was sent")
            return
    results = []
    for drill in drills:
        result = send(target.alertmanager, config, drill, problems)
        if result is None:
            fail(problems, BROKEN_TOOL)
        results.append(result)
        if form == "text":
            name = drill.labels["alertname"]
            click.echo(f"{name}: {result.muted or 'handed to ' + (', '.join(result.receivers) or 'nobody')}")
            for receiver, kind, state in result.integrations:
                click.echo(f"  {receiver:<24} {kind:<12} {state}")
            if not result.muted and any(state == "silent" for *_, state in result.integrations):
                click.echo(
                    f"  silent: its group was told lately, so the next message may take {result.interval // 1000} s"
                )
    for receiver in unreached if form == "text" else ():
        click.echo(f"no alert of this project reaches {receiver}")
    if form == "json":
        click.echo(json.dumps({
            "environment": environment, "unreached": unreached,
            "drills": [
                {
                    "labels": dict(r.drill.labels), "receivers": list(r.receivers), "muted": r.muted,
                    "delivered": r.good, "group_interval_s": r.interval / 1000,
                    "integrations": [{"receiver": a, "kind": b, "state": c} for a, b, c in r.integrations],
                }
                for r in results
            ],
        }, indent=2))  # fmt: skip
    sys.exit(OK if results and all(result.good for result in results) else FAILED)


def _drills(alert: str | None, level: str | None, problems: Problems) -> list[Drill]:
    """The alert's level as a drill; every level of every alert when none is named."""
    from alertkit.build import read_systems
    from alertkit.deploy.drill import Drill
    from alertkit.spec.validate import suggest

    _, systems = read_systems(this_project(), problems)
    if problems:
        fail(problems)
    found = []
    names = set()
    for system in systems:
        for entry in system.alerts:
            names |= {entry.name, f"{system.name}/{entry.name}"}
            if alert is not None and alert not in (entry.name, f"{system.name}/{entry.name}"):
                continue
            for rule in entry.rules:
                labels = {"alertname": rule.alert, "system": system.name, "team": system.team, **dict(rule.labels)}
                labels = {k: "drill" if "{{" in v else v for k, v in labels.items() if v}
                labels |= {name: "drill" for name in entry.identity or () if name not in labels}
                texts = {k: v for k, v in rule.annotations if "{{" not in v}
                texts.setdefault("summary", f"{rule.alert} of {system.name}")
                if level in (None, rule.severity):
                    found.append(Drill(labels, texts))
    if not found:
        known = [name for name in names if alert and ("/" in name) == ("/" in alert)]
        said = f"there is no alert `{alert}`" if alert not in names else f"`{alert}` has no level `{level}`"
        problems.add("AK523", said, help=suggest(alert or "", known))
        fail(problems)
    return list(found) if alert is None else [found[-1]]
