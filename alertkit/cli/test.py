"""`alertkit test`: compile, and prove every alert with the real promtool."""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, FAILED, OK, alertmanager_version, fail, style_of, this_project


@click.command("test")
@click.option("-v", "--verbose", is_flag=True, help="Show the cases that passed too.")
@click.option("-k", "only", metavar="TEXT", help="Only alerts whose `system::Alert` contains this text.")
@click.option("--no-cache", is_flag=True, help="Prove again what has passed before.")
@click.option("--isolate", is_flag=True, help="Run every alert alone.")
@click.option("--jobs", type=click.IntRange(1), help="Number of promtool processes; all cores by default.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to say the results.")
@alertmanager_version
def command(
    verbose: bool,
    only: str | None,
    no_cache: bool,
    isolate: bool,
    jobs: int | None,
    form: str,
    alertmanager_version: tuple[int, int] | None,
) -> None:
    """Compile the project and prove that every alert fires when it should and stays silent when it should.

    The cases are derived from each alert's kind and run by the real promtool; plain promtool files in the folder of
    tests run too. Exit code 0: all passed, 1: a case failed, 2: the input is wrong, 3: a tool is missing or broke.

    \b
    Examples:
      alertkit test
      alertkit test -v -k HighLatency
      alertkit test --format json
    """
    from alertkit.build import compile_project, read_systems
    from alertkit.build.scenarios import read_project_scenarios
    from alertkit.prove.memory import Memory
    from alertkit.prove.plain import plain_files, prove_plain
    from alertkit.prove.results import Note, Result, Skipped
    from alertkit.prove.runner import Run, prove
    from alertkit.report.json import json_report
    from alertkit.report.terminal import Terminal
    from alertkit.source import Problems
    from alertkit.source.digest import digest
    from alertkit.spec.project import shown_path
    from alertkit.toolchain import cache_dir, offer_install

    began = time.monotonic()
    project = this_project()
    problems = Problems()
    tools = offer_install(["promtool"], trouble := Problems())
    if tools is None:
        fail(trouble, BROKEN_TOOL)
    compiled = compile_project(project, problems, alertmanager_version, write=True)
    if compiled is None:
        fail(problems)
    inputs, systems = read_systems(project, problems)
    scenarios = read_project_scenarios(project, inputs, systems, problems, alertmanager_version)
    if problems:
        fail(problems)
    promtool = tools["promtool"]
    keep = Path(shown_path(project.build)) / ".promtool"
    memory = None
    if not no_cache and not isolate:
        memory = Memory(cache_dir() / "proofs" / f"{digest(str(project.root.resolve()).encode())}.json", promtool)
    terminal = Terminal(click.echo if form == "text" else _silent, style_of(sys.stdout), verbose)
    run = Run(promtool, keep, jobs or 0, isolate, memory, only)
    results: list[Result] = []
    with _progress(form == "text") as advance:
        run.progress = advance
        events = itertools.chain(
            prove(systems, run, problems),
            scenarios.prove(run, problems),
            () if only else prove_plain(plain_files(project.tests), promtool, keep, problems),
        )
        for event in events:
            if isinstance(event, Result):
                results.append(event)
            elif isinstance(event, Skipped):
                terminal.skip(event)
            elif isinstance(event, Note):
                terminal.notes.append(event)
    if memory is not None:
        memory.save()
    for result in sorted(results, key=lambda r: (r.span.path, r.span.line)):
        terminal.result(result)
    if problems:
        fail(problems, BROKEN_TOOL if any(problem.code.startswith("AK6") for problem in problems) else BAD_INPUT)
    if form == "json":
        click.echo(json_report(results, terminal.skipped))
    terminal.summary(time.monotonic() - began, f"promtool {promtool.full_version}")
    sys.exit(FAILED if terminal.failed else OK)


def _silent(text: str) -> None:
    """Where results are for programs, people are told nothing."""


@contextlib.contextmanager
def _progress(wanted: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error that is moved by (done, total); nothing unless it is a terminal."""
    if not (wanted and sys.stderr.isatty()):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("proving"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("expectations"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
