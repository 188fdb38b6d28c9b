"""`alertkit render`: the messages that people get of an alert, rendered by Alertmanager's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from alertkit.cli import complete
from alertkit.cli.common import BROKEN_TOOL, alertmanager_version, fail
from alertkit.source import Problems

if TYPE_CHECKING:
    from alertkit.compile.ruleset import System
    from alertkit.routing.render import Message, Sample
    from alertkit.routing.situations import Situation

# Fields that say how a message is sent, not what people read.
_HIDDEN = {"username", "client", "source", "icon_emoji"}


@click.command()
@click.argument("alert", metavar="ALERT", shell_complete=complete.alerts)
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
      alertkit render CircuitBreakerOpen
      alertkit render peak_trade/HighLatency --level warning --count 25
    """
    from alertkit.build import read_systems
    from alertkit.cli.routing_input import read_input, write_templates
    from alertkit.routing.render import group_data, render
    from alertkit.routing.router import Router
    from alertkit.routing.situations import situations
    from alertkit.spec.validate import suggest
    from alertkit.toolchain import open_scratch, require, run

    given = read_input(alertmanager_version)
    problems = Problems()
    levels = _levels(alert, situations(given.alerts), problems)
    chosen = next((s for s in levels if s.severity == level), None) if level else levels[-1]
    if chosen is None:
        problems.add(
            "AK523", f"`{alert}` has no level `{level}`", help=suggest(str(level), [s.severity for s in levels])
        )
        fail(problems)
    nodes = {node.receiver: node for node in Router(given.routing.root).routes(chosen.labels)}
    receivers = {entry.name: entry for entry in given.routing.receivers}
    if receiver is not None and receiver not in receivers:
        problems.add("AK500", f"there is no receiver `{receiver}`", help=suggest(receiver, receivers))
        fail(problems)
    tools = require(["amtool"], problems)
    if tools is None:
        fail(problems, BROKEN_TOOL)
    samples = _samples(read_systems(given.project, problems)[1], chosen, count)
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
                data = group_data(samples, status, name, node.group_by if node else (), external_url)
                for message in render(receivers[name], data, folder, folder, amtool, problems):
                    _show(message)
    if problems:
        fail(problems)


def _levels(alert: str, all_of_them: Sequence[Situation], problems: Problems) -> list[Situation]:
    from alertkit.spec.validate import suggest

    system, _, name = alert.rpartition("/")
    found = [s for s in all_of_them if s.alert.name == name and system in ("", s.alert.system)]
    if not found:
        problems.add("AK523", f"there is no alert `{alert}`", help=suggest(name, {s.alert.name for s in all_of_them}))
        fail(problems)
    return found


def _samples(systems: Sequence[System], chosen: Situation, count: int) -> list[Sample]:
    """The alert as its own stimulus makes it fire; further ones of the group differ in their identity."""
    from alertkit.prove.cases import proofs_of
    from alertkit.routing.render import Sample

    system = next(s for s in systems if s.name == chosen.alert.system)
    alert = next(a for a in system.alerts if a.name == chosen.alert.name)
    rule = next(r for r in alert.rules if r.severity == chosen.severity)
    labels = chosen.labels | {name: f"{name}-1" for name in chosen.free}
    annotations = dict(rule.annotations)
    proven = (
        expected
        for proof in proofs_of(replace(system, alerts=(alert,)))
        for test in proof.group.alerts
        for expected in test.expected
        if test.alert == chosen.alert.name and dict(expected.labels).get("severity") == chosen.severity
    )
    expected = next(proven, None)
    if expected is not None:
        labels, annotations = chosen.labels | dict(expected.labels), dict(expected.annotations)
    link = f"http://prometheus.example.com:9090/graph?g0.expr={quote(rule.expr)}&g0.tab=1"
    found = []
    for index in range(count):
        own = {
            name: value if index == 0 else f"{value.removesuffix('-1')}-{index + 1}"
            for name, value in labels.items()
            if name in chosen.free
        }
        texts = {name: _swap(text, labels, own) for name, text in annotations.items()}
        found.append(Sample({**labels, **own}, texts, generator_url=link))
    return found


def _swap(text: str, labels: dict[str, str], own: dict[str, str]) -> str:
    for name, value in own.items():
        if labels[name] and labels[name] != value:
            text = text.replace(labels[name], value)
    return text


def _show(message: Message) -> None:
    kind = message.kind.removesuffix("_configs").removesuffix("v2")
    click.echo(f"--- {message.receiver}, {kind}, {message.status}")
    for field, text in message.fields:
        if field[-1] == "href":
            if text.strip():
                click.echo(f"link {message.text(*field[:-1], 'text')}: {text}")
        elif text.strip() and field[0] not in _HIDDEN and field[0] != "links":
            name = ".".join(part for part in field if not part.isdigit())
            lines = text.rstrip().split("\n")
            click.echo(f"{name}: {lines[0]}" if len(lines) == 1 else f"{name}:")
            for line in lines if len(lines) > 1 else ():
                click.echo(f"    {line}")
    click.echo()
