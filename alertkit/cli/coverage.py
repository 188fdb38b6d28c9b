"""`alertkit coverage`: what the cases of each alert show of it, and what no case shows."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, FAILED, OK, alertmanager_version, fail, style_of, this_project
from alertkit.cli.progress import progress

if TYPE_CHECKING:
    from alertkit.compile.ruleset import System


@click.command("coverage")
@click.argument("alerts", nargs=-1, metavar="[SYSTEM | ALERT | SYSTEM/ALERT]...")
@click.option("-k", "only", metavar="EXPR", help="Only alerts whose SYSTEM::ALERT fits: words with and, or, not.")
@click.option("--fail-under", type=click.FloatRange(0, 100), default=0.0, metavar="PERCENT",
              help="Exit code 1 when less than this share of the points is seen.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to say it.")
@click.option("--jobs", type=click.IntRange(1), help="Number of promtool processes; all cores by default.")
@click.option("--no-cache", is_flag=True, help="Prove again what has passed before.")
@alertmanager_version
def command(
    alerts: Sequence[str], only: str | None, fail_under: float, form: str, jobs: int | None, no_cache: bool,
    alertmanager_version: tuple[int, int] | None,
) -> None:  # fmt: skip
    """Say what the cases of each alert show of it, and what no case shows.

    Counted are points: that the alert fires, stays silent, resolves; each level that fires; each label and annotation
    that is compared while it fires; each branch beside `or`, `and`, `unless` of its expression seen true, and false.
    The percentage is the points seen of the points that the alerts can have. Cases are generated ones, expectations of
    scenarios, and tests of plain promtool files; all run first, and one that fails shows nothing. Exit code 0: enough
    is seen, 1: too little, or a case failed, 2: the input is wrong, 3: a tool is missing or broke.

    \b
    Examples:
      alertkit coverage
      alertkit coverage peak_trade crypto_stock/HighErrorRate
      alertkit coverage -k "latency or cache" --format json
      alertkit coverage --fail-under 95
    """
    from alertkit.build.proving import open_proving
    from alertkit.prove.coverage.coverage import coverage_of
    from alertkit.prove.coverage.points import percent
    from alertkit.prove.plain.folder import plain_files
    from alertkit.prove.plain.repository import read_repository
    from alertkit.prove.running.results import Result
    from alertkit.prove.running.runner import Run
    from alertkit.prove.running.select import SelectionError, choose
    from alertkit.report.coverage import as_json, show
    from alertkit.source import Problems
    from alertkit.toolchain import offer_install

    began = time.monotonic()
    try:
        chosen = choose(only, None)
    except SelectionError as error:
        raise click.UsageError(str(error)) from None
    problems = Problems()
    project = this_project()
    tools = offer_install(["promtool"], problems)
    if tools is None:
        fail(problems, BROKEN_TOOL)
    promtool = tools["promtool"]
    proving = open_proving(project, problems, version=alertmanager_version)
    if proving is None:
        fail(problems, BAD_INPUT)
    named = _named(alerts, proving.systems)

    def wanted(system: str, alert: str) -> bool:
        return named(system, alert) and chosen(f"{system}::{alert}")

    if not any(wanted(s.name, a.name) for s in proving.systems for a in s.alerts):
        raise click.UsageError("no alert fits; without -k and names, all are shown")
    known = {(system.name, alert.name) for system in proving.systems for alert in system.alerts}

    def wants(id: str) -> bool:
        system, _, rest = id.partition("::")
        alert = rest.partition("::")[0]
        return (system, alert) not in known or wanted(system, alert)

    memory = None if no_cache else proving.memory(promtool)
    run = Run(promtool, proving.keep, jobs or 0, memory=memory, wants=wants)
    with progress(form == "text") as run.progress:
        results = [event for event in proving.events(run, problems) if isinstance(event, Result)]
    if memory is not None:
        memory.save()
    plain = read_repository(plain_files(project.tests), problems)
    if problems:
        fail(problems, BROKEN_TOOL if any(p.code.startswith("AK6") for p in problems) else BAD_INPUT)
    failed = list(dict.fromkeys(result.id for result in results if not result.passed))
    with progress(form == "text", "timelines") as advance:
        found = coverage_of(
            proving.systems, proving.scenarios.prepared, plain, set(failed), wanted, promtool, jobs or 0, problems,
            advance,
        )  # fmt: skip
    if problems:
        fail(problems, BROKEN_TOOL)
    if form == "json":
        click.echo(as_json(found, failed))
    else:
        from rich.console import Console

        # In a file or a pipe nothing needs to be folded.
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 250
        note = f"with promtool {promtool.full_version} in {time.monotonic() - began:.1f} s"
        show(found, Console(width=width, highlight=False), click.echo, style_of(sys.stdout), note)
    if failed:
        words = "1 case fails and so shows" if len(failed) == 1 else f"{len(failed)} cases fail and so show"
        click.echo(f"{words} nothing; `alertkit test` says why", err=True)
    sys.exit(FAILED if failed or percent(found) < fail_under else OK)


def _named(names: Sequence[str], systems: Sequence[System]) -> Callable[[str, str], bool]:
    """Whether an alert is among those that are named; leaves with an error for a name that nothing has."""
    from alertkit.spec.validate import suggest

    pairs = [(system.name, alert.name) for system in systems for alert in system.alerts]
    known = {text for s, a in pairs for text in (s, a, f"{s}/{a}")}
    for name in names:
        if name not in known:
            near = {text for text in known if ("/" in text) == ("/" in name)}
            raise click.UsageError(f"there is no system or alert `{name}`; {suggest(name, near)}")
    asked = set(names)
    return lambda system, alert: not asked or bool(asked & {system, alert, f"{system}/{alert}"})
