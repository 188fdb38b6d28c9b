"""`alertkit test`: compile, and prove every alert with the real promtool."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, FAILED, OK, alertmanager_version, this_project
from alertkit.cli.progress import progress
from alertkit.cli.results import Report

if TYPE_CHECKING:
    from alertkit.build.last import Last
    from alertkit.prove.running.results import Event
    from alertkit.toolchain import Tool


@click.command("test")
@click.option("-v", "--verbose", is_flag=True, help="Show what passed, and what an alert cannot have, too.")
@click.option("-k", "only", metavar="EXPR", help="Only cases whose id fits: words joined with and, or, not.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first case that fails.")
@click.option("--shard", metavar="I/N", help="Only the I-th of N shares of the alerts, scenarios and files.")
@click.option("--no-cache", is_flag=True, help="Prove again what has passed before.")
@click.option("--isolate", is_flag=True, help="Run every alert alone.")
@click.option("--jobs", type=click.IntRange(1), help="Number of promtool processes; all cores by default.")
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text",
              help="How to say the results.")  # fmt: skip
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the results as JUnit XML too.")
@click.option("--rules", multiple=True, metavar="PATTERN", help="No project: rule files that plain TESTS are about.")
@click.argument("tests", nargs=-1)
@click.option("--mutate", is_flag=True, help="Break each rule on purpose; report which mistakes no case notices.")
@click.option("--generated", is_flag=True, help="With --mutate: without scenarios and plain promtool files.")
@click.option("--fail-under", type=click.FloatRange(0, 100), default=0.0, help="With --mutate: least % to be noticed.")
@alertmanager_version
def command(
    verbose: bool, only: str | None, fail_fast: bool, shard: str | None, no_cache: bool, isolate: bool,
    jobs: int | None, form: str, junit: Path | None, mutate: bool, generated: bool, fail_under: float,
    alertmanager_version: tuple[int, int] | None, rules: tuple[str, ...], tests: tuple[str, ...],
) -> None:  # fmt: skip
    """Compile the project and prove that every alert fires when it should and stays silent when it should.

    The cases are derived from each alert's kind and run by the real promtool; scenarios and plain promtool files in the
    folder of tests run too. Exit code 0: all passed, 1: a case failed, 2: the input is wrong, 3: a tool is missing or
    broke.

    \b
    Examples:
      alertkit test
      alertkit test -v -k "HighLatency and critical and not blip"
      alertkit test --junit results.xml --format github
      alertkit test --shard 1/4 --fail-fast
      alertkit test --mutate -k HighLatency --fail-under 95
      alertkit test --mutate --generated
      alertkit test --rules 'rules/*.yml' tests/*.yml
    """
    from alertkit.build.last import Last
    from alertkit.prove.running.results import Note, Planned, Result, to_data
    from alertkit.prove.running.select import SelectionError, choose
    from alertkit.source import Problems
    from alertkit.spec.root import find_root
    from alertkit.toolchain import offer_install

    if (generated or fail_under) and not mutate:
        raise click.UsageError("--generated and --fail-under go with --mutate")
    if generated and tests:
        raise click.UsageError("--generated is for a project: plain TESTS have no generated cases")
    if mutate and (junit or fail_fast or form == "github"):
        raise click.UsageError("--mutate goes with --format text or json, and without --junit and --fail-fast")
    try:
        wants = choose(only, shard)
    except SelectionError as error:
        raise click.UsageError(str(error)) from None
    if bool(rules) and not tests:
        raise click.UsageError("--rules needs plain promtool tests: alertkit test --rules 'rules/*.yml' tests/*.yml")
    if tests and (junit or fail_fast or form == "github" or isolate):
        raise click.UsageError(
            "plain TESTS go with -k, -v, --shard, --jobs, --no-cache, --mutate, --format text or json"
        )
    if tests:
        from alertkit.cli.repository import test_repository

        tools = offer_install(["promtool"], trouble := Problems())
        if tools is None:
            Report(form, junit, verbose, time.monotonic()).broken(trouble, BROKEN_TOOL)
        sys.exit(
            test_repository(
                rules,
                tests,
                tools["promtool"],
                wants,
                jobs or 0,
                not no_cache,
                verbose,
                form,
                mutate,
                fail_under,
                progress,
            )
        )
    began = time.monotonic()
    problems = Problems()
    report = Report(form, junit, verbose, began)
    tools = offer_install(["promtool"], problems)
    if tools is None:
        report.broken(problems, BROKEN_TOOL)
    promtool = tools["promtool"]
    last = None
    if not (no_cache or isolate or mutate or only or shard or fail_fast):
        last = Last(find_root(Path.cwd()), "test", f"{alertmanager_version} {promtool.path} {promtool.full_version}")
        if (known := _said(last, promtool)) is not None:
            report.take(known)
            report.finish({}, promtool)
            sys.exit(OK)
    project = this_project(problems)
    if last is not None:
        last.begin([project.specs, project.alertmanager, project.tests])
    from alertkit.build.proving import open_proving
    from alertkit.prove.running.runner import Run
    from alertkit.prove.running.trace import traces_of

    proving = open_proving(project, problems, version=alertmanager_version, program=last.program if last else None)
    if proving is None:
        report.broken(problems, BAD_INPUT)
    if mutate:
        from alertkit.cli.mutation import mutate as run_mutants

        with progress(form == "text", "mutants") as advance:
            code = run_mutants(
                proving, promtool, wants, generated, jobs or 0, not no_cache, verbose, form, fail_under, advance
            )
        sys.exit(code)
    memory = None if no_cache or isolate else proving.memory(promtool)
    run = Run(promtool, proving.keep, jobs or 0, isolate, memory, wants=wants, fail_fast=fail_fast)
    derived: list[Event] = []
    written: list[Event] = []
    with progress(form == "text") as run.progress:
        for ask, into in ((proving.generated, derived), (proving.told, written)):
            with contextlib.closing(ask(run, problems)) as events:
                for event in events:
                    into.append(event)
                    if fail_fast and isinstance(event, Result) and not event.passed:
                        break
                else:
                    continue
                break
    if memory is not None:
        memory.save()
    report.take(
        event for event in (*derived, *written) if not isinstance(event, Note) or (only is None and shard is None)
    )
    if problems:
        report.broken(problems, BROKEN_TOOL if any(p.code.startswith("AK6") for p in problems) else BAD_INPUT)
    if only is not None and not report.results:
        raise click.UsageError(f"no case has an id that fits -k {only!r}; `alertkit test -v` lists them")
    failed = [result for result in report.results if not result.passed]
    if last is not None and not failed:
        told = to_data(event for event in written if not isinstance(event, Planned))
        seen = proving.compiled.seen if proving.compiled else None
        last.end(project.build, {"keys": dict(proving.keys), "told": told}, seen, proving.others)
    traces = traces_of(proving.of(failed), failed, run) if failed else {}
    report.finish(traces, promtool, "stopped there" if fail_fast and failed else "")
    sys.exit(FAILED if failed else OK)


def _said(last: Last, promtool: Tool) -> list[Event] | None:
    """All that the last run said, when nothing has changed since and it passed."""
    from alertkit.prove.running.memory import Memory
    from alertkit.prove.running.results import from_data

    record = last.result()
    if record is None:
        return None
    memory = Memory.of_project(last.root, promtool, record["keys"])
    events: list[Event] = []
    for system in record["keys"]:
        known = memory.results(system)
        if known is None:
            return None
        events += known
    return [*events, *from_data(record["told"])]
