"""`alertkit simulate`: a system's metrics on loopback, healthy or broken."""

from __future__ import annotations

import time

import click

from alertkit.cli.common import fail, this_project
from alertkit.source import Problems


@click.command("simulate")
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@click.option("--fault", "faults", multiple=True, metavar="ALERT[=VALUE]",
              help="Make this alert fire; its signal becomes VALUE, or `gone` lets its series vanish.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Listen here on 127.0.0.1; a free port if 0.")
@click.option("--once", is_flag=True, help="Print the metrics once and leave.")
@click.option(
    "--list", "listing", is_flag=True, help="List the alerts that can be made to fire, and how long each takes."
)
def command(systems: tuple[str, ...], faults: tuple[str, ...], port: int, once: bool, listing: bool) -> None:
    """Serve what the systems (all of them by default) expose, from the same stimuli as the proofs; Ctrl-C ends it.

    While it runs, POST /break?alert=NAME[&value=N] and POST /heal change it. It listens on loopback only. For each
    fault it says how long its alert takes to fire, and which faults get in each other's way.

    \b
    Examples:
      alertkit simulate
      alertkit simulate peak_trade --fault CircuitBreakerOpen
      alertkit simulate peak_trade --fault HighMemoryUsage=2500 --once
      curl -X POST 'http://127.0.0.1:PORT/break?alert=peak_trade/HighLatency'
    """
    from alertkit.build import read_systems
    from alertkit.live.expect import notes, timing
    from alertkit.live.serve import FaultError, SimulatorServer, parse_fault
    from alertkit.live.simulator import Simulator
    from alertkit.spec.validate import suggest

    problems = Problems()
    _, found = read_systems(this_project(), problems)
    if problems:  # a system with mistakes is not among them
        fail(problems)
    names = [system.name for system in found]
    for name in systems:
        if name not in names:
            problems.add("AK741", f"there is no system `{name}`", help=suggest(name, names))
    if problems:
        fail(problems)
    simulator = Simulator([s for s in found if s.name in systems or not systems])
    if listing:
        width = max(map(len, simulator.actors), default=0)
        for name, actor in sorted(simulator.actors.items()):
            click.echo(f"{name:<{width}}  {timing(actor)}")
        return
    try:
        for text in faults:
            actor, value = parse_fault(simulator, text)
            simulator.break_(actor, value)
            click.echo(f"{actor.name}: {'its series are gone' if value is None else timing(actor)}", err=True)
            if value is not None and timing(actor).history:
                click.echo("  the fault is there from the start: rather let it run, then POST /break", err=True)
    except FaultError as error:
        problems.add("AK742", str(error), help="`alertkit simulate --list` names those that can be broken")
        fail(problems)
    for note in notes(simulator):
        click.echo(f"note: {note}", err=True)
    if once:
        click.echo(simulator.exposition(), nl=False)
        return
    try:
        served = SimulatorServer(simulator, port)
    except OSError as error:
        problems.add(
            "AK743", f"port {port} cannot be listened at: {error.strerror or error}", help="take another --port"
        )
        fail(problems, 3)
    with served:
        click.echo(f"{', '.join(systems or names)} at {served.url}/metrics; Ctrl-C ends it")
        click.echo(f"scrape it with honor_labels: true and the target {served.address}")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            click.echo()
