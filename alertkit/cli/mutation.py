"""`alertkit test --mutate`: break every compiled rule on purpose, and say which mistakes no proof notices."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alertkit.cli.common import BROKEN_TOOL, FAILED, OK, fail, style_of

if TYPE_CHECKING:
    from alertkit.compile.ruleset import System
    from alertkit.prove.select import Wants
    from alertkit.toolchain import Tool


def mutate(
    systems: Sequence[System], promtool: Tool, keep: Path, wants: Wants, jobs: int, verbose: bool, form: str,
    fail_under: float, progress: Callable[[int, int], None],
) -> int:  # fmt: skip
    """Run the mutants of all wanted alerts and print the report; returns the exit code."""
    from alertkit.prove.mutate import hunt, mutants_of
    from alertkit.prove.results import Result, combine
    from alertkit.prove.runner import Run, prove
    from alertkit.prove.select import everything
    from alertkit.report.mutation import as_json, score, show
    from alertkit.report.terminal import Terminal
    from alertkit.source import Problems

    began = time.monotonic()
    problems = Problems()
    terminal = Terminal(lambda text: click.echo(text, err=True), style_of(sys.stderr))
    events = prove(systems, Run(promtool, keep, jobs, wants=wants), problems)
    results = combine(event for event in events if isinstance(event, Result))
    terminal.show(results, (), {})
    broken = {(result.system, result.alert) for result in results if not result.passed}
    proven = {(result.system, result.alert) for result in results}

    def chosen(system: str, alert: str) -> bool:
        return (system, alert) not in broken and (wants is everything or (system, alert) in proven)

    mutants = mutants_of(systems, chosen)
    hunt(mutants, promtool, problems, jobs, progress)
    if problems:
        fail(problems, BROKEN_TOOL)
    if form == "json":
        click.echo(as_json(mutants))
    else:
        show(mutants, click.echo, style_of(sys.stdout), verbose, time.monotonic() - began)
    if broken:
        click.echo(f"not mutated, because their proofs fail already: {len(broken)} alerts", err=True)
    return FAILED if broken or score(mutants).percent < fail_under else OK
