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
    from alertkit.toolchain import Tool


def mutate(
    systems: Sequence[System], promtool: Tool, keep: Path, only: str | None, jobs: int, verbose: bool, form: str,
    fail_under: float, progress: Callable[[int, int], None],
) -> int:  # fmt: skip
    """Run the mutants of all wanted alerts and print the report; returns the exit code."""
    from alertkit.prove.mutate import hunt, mutants_of
    from alertkit.prove.results import Result
    from alertkit.prove.runner import Run, prove
    from alertkit.report.mutation import as_json, score, show
    from alertkit.report.terminal import Terminal
    from alertkit.source import Problems

    began = time.monotonic()
    problems = Problems()
    terminal = Terminal(lambda text: click.echo(text, err=True), style_of(sys.stderr))
    broken: set[tuple[str, str]] = set()
    for event in prove(systems, Run(promtool, keep, jobs, only=only), problems):
        if isinstance(event, Result) and not event.passed:
            terminal.result(event)
            broken.add((event.system, event.alert))
    mutants = mutants_of(
        systems, lambda system, alert: (system, alert) not in broken and (only or "") in f"{system}::{alert}"
    )
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
