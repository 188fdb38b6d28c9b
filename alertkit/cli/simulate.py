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
@click.option("--list", "listing", is_flag=True, help="List the alerts that can be made to fire.")
def command(systems: tuple[str, ...], faults: tuple[str, ...], port: int, once: bool, listing: bool) -> None:
    """Serve what the systems (all of them by default) expose, from the same stimuli as the proofs; Ctrl-C ends it.

    While it runs, POST /break?alert=NAME[&value=N] and POST /heal change it. It listens on loopback only.

    \b
    Examples:
      alertkit simulate
      alertkit simulate peak_trade --fault CircuitBreakerOpen
      alertkit simulate peak_trade --fault HighMemoryUsage=2500 --once
      curl -X POST 'http://127.0.0.1:PORT/break?alert=peak_trade/HighLatency'
    """
    from alertkit.build import read_systems
    from alertkit.live.serve import FaultError, SimulatorServer, parse_fault
    from alertkit.live.simulator import Simulator
    from alertkit.spec.validate import suggest

    problems = Problems()
    _, found = read_systems(this_project(), problems)
    names = [system.name for system in found]
    for name in systems:
        if name not in names:
            problems.add("AK741", f"there is no system `{name}`", help=suggest(name, names))
    if problems:
        fail(problems)
    simulator = Simulator([s for s in found if s.name in systems or not systems])
    if listing:
        click.echo("\n".join(sorted(simulator.actors)))
        return
    try:
        for text in faults:
            simulator.break_(*parse_fault(simulator, text))
    except FaultError as error:
        problems.add("AK742", str(error), help="`alertkit simulate --list` names those that can be broken")
        fail(problems)
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
