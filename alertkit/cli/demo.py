"""`alertkit demo`: watch one alert travel through real servers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import click

from alertkit.cli.common import BROKEN_TOOL, FAILED, fail, style_of, this_project
from alertkit.source import Problems


@click.command("demo")
@click.option("--fault", metavar="ALERT", help="What to break; an alert of the gravest level by default.")
@click.option("--time-scale", "scale", type=click.FloatRange(1, 1000), default=60.0, show_default=True,
              help="Divide every `for` and window by this, in a copy that only the demo's servers read.")  # fmt: skip
@click.option("--keep-running", is_flag=True, help="Stay until Ctrl-C, with the URLs of everything.")
def command(fault: str | None, scale: float, keep_running: bool) -> None:
    """Start Prometheus, Alertmanager, simulated systems and a stand-in for Slack and PagerDuty; break something.

    Everything runs on loopback, on free ports, in a folder of its own that is gone at the end, whatever the end. You
    see the alert pending, firing, routed and delivered, with the very message, then healed and resolved.

    \b
    Examples:
      alertkit demo
      alertkit demo --fault crypto_stock/CircuitBreakerOpen
      alertkit demo --time-scale 20 --keep-running
    """
    from alertkit.live.demo import Journey
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
    try:
        with run_stack(*built, programs, problems, scale) as stack:
            if stack is None:
                fail(problems, BROKEN_TOOL)
            try:
                actor, _ = parse_fault(stack.simulator, fault or _first(list(stack.simulator.actors.values())))
            except FaultError as error:
                problems.add("AK742", str(error), help="`alertkit simulate --list` names those that can be broken")
                fail(problems)
            click.echo(f"{actor.system} is healthy; now {actor.alert.name} is provoked ({_where(actor)})")
            journey = Journey(stack, actor)
            _tell(journey.fire())
            click.echo()
            _tell(journey.heal())
            if keep_running:
                click.echo(f"\nPrometheus {stack.prometheus.url}, Alertmanager {stack.alertmanager.url}")
                click.echo(f"simulator {stack.simulator_url} (POST /break?alert=NAME, /heal); Ctrl-C ends everything")
                while True:
                    time.sleep(3600)
    except TimeoutError:
        click.echo("this did not happen in two minutes; the servers' logs were in the temporary folder", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        click.echo("\nended; nothing is left behind")
        sys.exit(130)
    click.echo("\ndone; nothing is left behind")


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


def _tell(moments: Iterable[object]) -> None:
    from alertkit.live.demo import Moment, message_lines

    style = style_of(sys.stdout)
    for moment in moments:
        assert isinstance(moment, Moment)
        colour = {"firing": style.error, "delivered": style.bold, "resolved": style.help}.get(moment.word, "")
        click.echo(f"  +{moment.seconds:5.1f} s  {colour}{moment.word:<10}{style.reset} {moment.text}", color=True)
        for line in message_lines(moment.message) if moment.message else ():
            click.echo(f"                       | {line}")
