"""`alertkit test` in a project: all its cases, or those that are asked for, proven and told."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, FAILED, OK, this_project
from alertkit.cli.progress import progress

if TYPE_CHECKING:
    from alertkit.build.last import Last
    from alertkit.build.proving import Proving
    from alertkit.cli.results import Report
    from alertkit.prove.running.results import Event
    from alertkit.prove.running.runner import Run
    from alertkit.prove.running.select import Wants
    from alertkit.source import Problems
    from alertkit.spec.version import Version
    from alertkit.toolchain import Tool


class Given(NamedTuple):
    """What all modes of `alertkit test` are told, mostly by the options of these names; `jobs` 0: all cores.

    wants  chooses cases by their ids, as `only` (-k) and `shard` say
    """

    promtool: Tool
    wants: Wants
    only: str | None
    shard: str | None
    fail_fast: bool
    cache: bool
    isolate: bool
    jobs: int
    version: Version | None
    report: Report


def prove_project(given: Given) -> int:
    """Prove the project where one stands and print the results; returns the exit code."""
    from alertkit.prove.running.results import Note, Planned, to_data
    from alertkit.prove.running.runner import Run
    from alertkit.prove.running.trace import traces_of
    from alertkit.source import Problems

    promtool, report, fail_fast = given.promtool, given.report, given.fail_fast
    everything = given.only is None and given.shard is None
    last = _last(given) if everything and given.cache and not given.isolate and not fail_fast else None
    if last is not None and (known := _said(last, promtool)) is not None:
        report.take(known)
        report.finish({}, promtool)
        return OK
    problems = Problems()
    proving = opened(given, problems, last)
    memory = proving.memory(promtool) if given.cache and not given.isolate else None
    run = Run(promtool, proving.keep, given.jobs, given.isolate, memory, wants=given.wants, fail_fast=fail_fast)
    derived, written = _events(proving, run, problems, report.form)
    if memory is not None:
        memory.save()
    report.take(event for event in (*derived, *written) if everything or not isinstance(event, Note))
    if problems:
        report.broken(problems, BROKEN_TOOL if any(p.code.startswith("AK6") for p in problems) else BAD_INPUT)
    if given.only is not None and not report.results:
        raise click.UsageError(f"no case has an id that fits -k {given.only!r}; `alertkit test -v` lists them")
    failed = [result for result in report.results if not result.passed]
    if last is not None and not failed:
        told = to_data(event for event in written if not isinstance(event, Planned))
        seen = proving.compiled.seen if proving.compiled else None
        last.end(proving.project.build, {"keys": dict(proving.keys), "told": told}, seen, proving.others)
    traces = traces_of(proving.of(failed), failed, run) if failed else {}
    report.finish(traces, promtool, "stopped there" if fail_fast and failed else "")
    return FAILED if failed else OK


def opened(given: Given, problems: Problems, last: Last | None = None) -> Proving:
    """The project where one stands, compiled and with what its people wrote; leaves with what is wrong with it."""
    from alertkit.build.proving import open_proving

    project = this_project(problems)
    if last is not None:
        last.begin([project.specs, project.alertmanager, project.tests])
    program = last.program if last is not None else None
    proving = open_proving(project, problems, version=given.version, program=program)
    if proving is None:
        given.report.broken(problems, BAD_INPUT)
    return proving


def _events(proving: Proving, run: Run, problems: Problems, form: str) -> tuple[list[Event], list[Event]]:
    """What the cases say that were derived, and those that people wrote; up to the first failure with `fail_fast`."""
    from alertkit.prove.running.results import Result

    told: tuple[list[Event], list[Event]] = ([], [])
    with progress(form == "text") as run.progress:
        for ask, into in zip((proving.generated, proving.told), told, strict=True):
            with contextlib.closing(ask(run, problems)) as events:
                for event in events:
                    into.append(event)
                    if run.fail_fast and isinstance(event, Result) and not event.passed:
                        return told
    return told


def _last(given: Given) -> Last:
    from alertkit.build.last import Last
    from alertkit.spec.root import find_root

    promtool = given.promtool
    return Last(find_root(Path.cwd()), "test", f"{given.version} {promtool.path} {promtool.full_version}")


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
