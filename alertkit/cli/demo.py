"""`alertkit demo`: watch one alert travel through real servers."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

import click

from alertkit.cli.common import BROKEN_TOOL, FAILED, fail, style_of, this_project
from alertkit.cli.deploying import Seconds
from alertkit.source import Problems

if TYPE_CHECKING:
    from alertkit.live.stack import Stack

PATIENCE = 120.0  # seconds beyond what the alert needs
_MARGIN = "        | "


@click.command("demo")
@click.option("--fault", metavar="ALERT", help="What to break; an alert of the gravest level by default.")
@click.option("--time-scale", "scale", type=click.FloatRange(1, 1000), default=60.0, show_default=True,
              help="Divide every `for` and window by this, in a copy that only the demo's servers read.")  # fmt: skip
@click.option("--patience", type=Seconds(), metavar="DURATION",
              help="Give up after so long; by default two minutes more than the alert needs.")  # fmt: skip
@click.option("--keep-running", is_flag=True, help="Stay until Ctrl-C, with the URLs of everything.")
def command(fault: str | None, scale: float, patience: float | None, keep_running: bool) -> None:
    """Start Prometheus, Alertmanager, simulated systems and a stand-in for Slack and PagerDuty; break something.

    Everything runs on loopback, on free ports, in a folder of its own that is gone at the end, whatever the end. You
    see the alert pending, firing, routed and delivered, with the very message, then healed and resolved.

    \b
    Examples:
      alertkit demo
      alertkit demo --fault crypto_stock/CircuitBreakerOpen
      alertkit demo --time-scale 20 --keep-running
    """
    try:
        _demo(fault, scale, patience, keep_running)
    except KeyboardInterrupt:
        click.echo("\nended; nothing is left behind")
        sys.exit(130)
    click.echo("\ndone; nothing is left behind")


def _demo(fault: str | None, scale: float, patience: float | None, keep_running: bool) -> None:
    from alertkit.live.demo import Journey
    from alertkit.live.expect import timing
    from alertkit.live.serve import FaultError, parse_fault
    from alertkit.live.stack import compiled, run_stack
    from alertkit.toolchain import offer_install

    problems = Problems()
    tools = offer_install(["prometheus", "alertmanager"], problems)
    if tools is None:
        fail(problems, BROKEN_TOOL)
    built = compiled(this_project(), problems)
    if built is None:
        fail(problems)
    programs = {name: tool.path for name, tool in tools.items()}
    names = " and ".join(f"{tool.name} {tool.full_version}" for tool in tools.values())
    click.echo(f"starting {names} on loopback, all waits divided by {scale:g} ...")
    with run_stack(*built, programs, problems, scale) as stack:
        if stack is None:
            fail(problems, BROKEN_TOOL)
        try:
            actor, _ = parse_fault(stack.simulator, fault or _first(list(stack.simulator.actors.values())))
        except FaultError as error:
            problems.add("AK742", str(error), help="`alertkit simulate --list` names those that can be broken")
            fail(problems)
        needed = timing(actor, scale)
        if needed.history:
            click.echo(f"{actor.alert.name} {needed}; the healthy past runs now ...")
            time.sleep(needed.history / 1000)
        click.echo(f"{actor.system} is healthy; now {actor.alert.name} is provoked ({_where(actor)})")
        journey = Journey(stack, actor, needed.until / 1000 + PATIENCE if patience is None else patience)
        width = None if keep_running or not sys.stdout.isatty() else shutil.get_terminal_size().columns
        try:
            _tell(journey.fire(), width)
            click.echo()
            _tell(journey.heal(), width)
        except TimeoutError as error:
            _give_up(str(error), stack)
        if keep_running:
            click.echo(f"\nPrometheus {stack.prometheus.url}, Alertmanager {stack.alertmanager.url}")
            click.echo(f"simulator {stack.simulator_url} (POST /break?alert=NAME, /heal); Ctrl-C ends everything")
            while True:
                time.sleep(3600)


def _first(actors: Iterable[object]) -> str:
    """The first alert that is critical, by preference one whose `for` is short and that no calendar mutes."""
    from alertkit.live.simulator import Actor

    known = [a for a in actors if isinstance(a, Actor) and a.alert.active is None]
    best = min(known, key=lambda a: (
        a.alert.rules[-1].severity != "critical", a.alert.name != "CircuitBreakerOpen", a.alert.rules[-1].for_, a.name,
    ))  # fmt: skip
    return best.name


def _where(actor: object) -> str:
    span = actor.alert.span  # type: ignore[attr-defined]
    return f"{span.path}:{span.line}"


def _tell(moments: Iterable[object], width: int | None) -> None:
    from alertkit.live.demo import Moment, message_lines

    style = style_of(sys.stdout)
    inner = None if width is None else max(width - len(_MARGIN) - 1, 30)
    for moment in moments:
        assert isinstance(moment, Moment)
        colour = {"firing": style.error, "delivered": style.bold, "resolved": style.help}.get(moment.word, "")
        click.echo(f"  +{moment.seconds:5.1f} s  {colour}{moment.word:<10}{style.reset} {moment.text}", color=True)
        for line in message_lines(moment.message, inner) if moment.message else ():
            click.echo(f"{_MARGIN}{line}")


def _give_up(why: str, stack: Stack) -> NoReturn:
    """Say what did not happen, with the last that the servers said of it: their logs are gone with them."""
    click.echo(f"\nThis did not go as it should. {why[0].upper()}{why[1:]}.", err=True)
    for service, name in zip(stack.services, ("prometheus", "alertmanager"), strict=True):
        lines = service.output().splitlines()
        grave = [line for line in lines if "level=warn" in line.lower() or "level=err" in line.lower()]
        click.echo(f"\n{name}'s {'last warnings' if grave else 'last words, without any warning'}:", err=True)
        for line in (grave or lines)[-8:]:
            click.echo(f"  {line[:500]}", err=True)
    sys.exit(FAILED)
