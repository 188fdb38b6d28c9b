"""`alertkit test --mutate`: break every compiled rule on purpose, and say which mistakes no case notices."""

from __future__ import annotations

import sys
import time

import click

from alertkit.cli.common import BROKEN_TOOL, FAILED, OK, fail, style_of
from alertkit.cli.progress import progress
from alertkit.cli.proving import Given, opened


def mutate_project(given: Given, generated: bool, fail_under: float) -> int:
    """Run the mutants of the wanted alerts of the project where one stands, print the report; returns the exit code.

    With `generated` the generated cases alone take part, and only alerts that have some.
    """
    from alertkit.prove.mutation.mutate import hunt, mutants_of
    from alertkit.prove.mutation.told import hunt_told
    from alertkit.prove.plain.folder import plain_files
    from alertkit.prove.plain.repository import read_repository
    from alertkit.prove.running.results import Result, combine, id_of
    from alertkit.prove.running.runner import Run, prove
    from alertkit.prove.running.select import everything
    from alertkit.report.mutation import as_json, score, show
    from alertkit.report.terminal import Terminal
    from alertkit.source import Problems

    began = time.monotonic()
    problems = Problems()
    promtool, wants, jobs = given.promtool, given.wants, given.jobs
    proving = opened(given, problems)
    terminal = Terminal(lambda text: click.echo(text, err=True), style_of(sys.stderr))
    memory = proving.memory(promtool) if given.cache else None
    run = Run(promtool, proving.keep, jobs, memory=memory, wants=wants)
    events = prove(proving.systems, run, problems)
    results = combine(event for event in events if isinstance(event, Result))
    proven = {(result.system, result.alert) for result in results}
    broken = {(result.system, result.alert) for result in results if not result.passed}
    plain = read_repository([] if generated else plain_files(proving.project.tests), problems)
    if not generated:
        run.wants = everything
        told = [event for event in proving.told(run, problems) if isinstance(event, Result)]
        results += combine(told)
    if memory is not None:
        memory.save()
    if problems:
        fail(problems, BROKEN_TOOL)
    terminal.show(results, (), {})

    def chosen(system: str, alert: str) -> bool:
        named = wants is everything or (system, alert) in proven or wants(id_of(system, alert, "", ""))
        return (system, alert) not in broken and named

    mutants = mutants_of(proving.systems, chosen, unproven=not generated)
    failed = {result.id for result in results if not result.passed}
    with progress(given.report.form == "text", "mutants") as advance:
        hunt(mutants, promtool, problems, jobs, advance)
        if not generated and not problems:
            hunt_told(mutants, proving.scenarios.prepared, plain, failed, promtool, jobs, problems, advance)
    if problems:
        fail(problems, BROKEN_TOOL)
    if given.report.form == "json":
        click.echo(as_json(mutants))
    else:
        show(mutants, click.echo, style_of(sys.stdout), given.report.verbose, time.monotonic() - began)
    if broken:
        click.echo(f"not mutated, because their proofs fail already: {len(broken)} alerts", err=True)
    return FAILED if failed or score(mutants).percent < fail_under else OK
