"""`alertkit render`: the messages that people get of an alert, rendered by Alertmanager's own code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from alertkit.cli import complete
from alertkit.cli.common import BROKEN_TOOL, alertmanager_version, fail
from alertkit.source import Problems

if TYPE_CHECKING:
    from alertkit.routing.render import Message
    from alertkit.routing.situations import Situation

# Fields that say how a message is sent, not what people read.
_HIDDEN = {"username", "client", "source", "icon_emoji"}


@click.command()
@click.argument("alert", metavar="[SYSTEM/]ALERT", shell_complete=complete.alerts)
@click.option("--level", metavar="SEVERITY", help="Of this level; the gravest if not given.")
@click.option("--receiver", help="As this receiver gets it; all that are told if not given.")
@click.option("--count", type=click.IntRange(1, 1000), default=1, help="So many alerts in the group.")
@click.option("--external-url", default="http://alertmanager.example.com:9093", help="Alertmanager's URL in links.")
@alertmanager_version
def command(
    alert: str,
    level: str | None,
    receiver: str | None,
    count: int,
    external_url: str,
    alertmanager_version: tuple[int, int] | None,
) -> None:
    """Show the notifications of an alert, firing and resolved.

    \b
    Examples:
      alertkit render HighPingLatency
      alertkit render peak_trade/CircuitBreakerOpen --level critical --count 25
    """
    from alertkit.build import read_systems
    from alertkit.cli.routing_input import read_input, write_templates
    from alertkit.prove.derived.samples import most, samples
    from alertkit.routing.render import group_data, render
    from alertkit.routing.router import Router
    from alertkit.routing.situations import situations
    from alertkit.spec.validate import suggest
    from alertkit.toolchain import open_scratch, require, run

    given = read_input(alertmanager_version)
    problems = Problems()
    levels = _levels(alert, situations(given.alerts), problems)
    copies = _chosen(alert, levels, level, problems)
    if (possible := most(copies)) is not None and count > possible:
        times = "once" if possible == 1 else f"{possible} times"
        problems.add(
            "AK523", f"`{alert}` can fire only {times} at a time", help=f"no label tells more apart: --count {possible}"
        )
        fail(problems)
    nodes = {node.receiver: node for node in Router(given.routing.root).routes(copies[0].labels)}
    receivers = {entry.name: entry for entry in given.routing.receivers}
    if receiver is not None and receiver not in receivers:
        problems.add("AK500", f"there is no receiver `{receiver}`", help=suggest(receiver, receivers))
        fail(problems)
    tools = require(["amtool"], problems)
    if tools is None:
        fail(problems, BROKEN_TOOL)
    alerts = samples(read_systems(given.project, problems)[1], copies, count)
    with open_scratch(problems) as scratch:
        if scratch is None:
            fail(problems, BROKEN_TOOL)
        folder = scratch.path
        write_templates(given.templates, folder)

        def amtool(arguments: Sequence[str]) -> tuple[int, str, str]:
            done = run([tools["amtool"].path, *arguments], problems, scratch=scratch)
            return (done.code, done.text, done.text) if done else (1, "", "amtool did not run")

        for name in [receiver] if receiver else nodes:
            node = nodes.get(name)
            for status in ("firing", "resolved"):
                data = group_data(alerts, status, name, node.group_by if node else (), external_url)
                for message in render(receivers[name], data, folder, folder, amtool, problems):
                    _show(message)
    if problems:
        fail(problems)


def _levels(alert: str, all_of_them: Sequence[Situation], problems: Problems) -> list[Situation]:
    """The levels of one alert of one system, mildest first."""
    from alertkit.routing.question import named

    found = named(alert, all_of_them, problems)
    systems = list(dict.fromkeys(s.alert.system for s in found))
    if len(systems) > 1:
        names = " or ".join(f"{system}/{alert}" for system in systems)
        problems.add("AK523", f"{len(systems)} systems have an alert `{alert}`", help=f"say which: {names}")
    if problems:
        fail(problems)
    return found


def _chosen(alert: str, levels: Sequence[Situation], level: str | None, problems: Problems) -> list[Situation]:
    """The copies of an alert with one severity: the one that was asked for, or the gravest."""
    from alertkit.spec.validate import suggest

    severity = level or levels[-1].severity
    found = [s for s in levels if s.severity == severity]
    if not found:
        known = list(dict.fromkeys(s.severity for s in levels))
        problems.add("AK523", f"`{alert}` has no level `{level}`", help=suggest(severity, known))
        fail(problems)
    return found


def _show(message: Message) -> None:
    kind = message.kind.removesuffix("_configs").removesuffix("v2")
    click.echo(f"--- {message.receiver}, {kind}, {message.status}")
    for field, text in message.fields:
        shown = text.strip()
        if not shown or field[0] in _HIDDEN:
            continue
        if field[-1] == "href":
            click.echo(f"link {message.text(*field[:-1], 'text')}: {shown}")
        elif field[0] == "fields" and field[-1] == "value":
            click.echo(f"field {message.text(*field[:-1], 'title')}: {shown}")
        elif field[0] not in ("links", "fields"):
            lines = shown.split("\n")
            click.echo(f"{'.'.join(field)}: {lines[0]}" if len(lines) == 1 else f"{'.'.join(field)}:")
            for line in lines if len(lines) > 1 else ():
                click.echo(f"    {line}")
    click.echo()
