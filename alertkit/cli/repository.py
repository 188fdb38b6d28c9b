"""`alertkit test --rules ... TESTS`: the plain promtool tests of any rule set, without a project."""

from __future__ import annotations

import glob
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from alertkit.cli.common import BAD_INPUT, BROKEN_TOOL, FAILED, OK, fail, style_of
from alertkit.cli.progress import progress
from alertkit.cli.proving import Given


def expand(patterns: Sequence[str]) -> list[Path]:
    """Files by name or pattern, in order, each once."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        names = sorted(glob.glob(pattern, recursive=True)) or [pattern]  # noqa: PTH207 (absolute patterns too)
        found.update(dict.fromkeys(map(Path, names)))
    return list(found)


def test_repository(rules: Sequence[str], tests: Sequence[str], given: Given, mutate: bool, fail_under: float) -> int:
    """Run the tests, or the mutants of their rules, and print the report; returns the exit code.

    `rules` narrow down which rule files are mutated; a rule file among them that no test loads is a problem.
    """
    from alertkit.prove.mutation.repository import hunt_repository
    from alertkit.prove.plain.repository import read_repository
    from alertkit.prove.plain.repository_run import Verdicts, prove_repository
    from alertkit.prove.running.results import Result
    from alertkit.report.json import json_report
    from alertkit.report.mutation import as_json, score, show
    from alertkit.source import Problems
    from alertkit.source.digest import place_digest
    from alertkit.spec.project import shown_path
    from alertkit.toolchain import cache_dir

    began = time.monotonic()
    promtool, wants, jobs = given.promtool, given.wants, given.jobs
    form, verbose = given.report.form, given.report.verbose
    problems = Problems()
    repository = read_repository(expand(tests), problems)
    if problems:
        fail(problems, BAD_INPUT)
    own = {path.resolve() for path in expand(tests)}
    untested = [p for p in expand(rules) if p.resolve() not in repository.files and p.resolve() not in own]
    place = cache_dir() / "repositories" / f"{place_digest(Path.cwd())}.json"
    verdicts = Verdicts(place if given.cache else None, promtool)
    style = style_of(sys.stdout)
    if mutate:
        with progress(form == "text", "mutants") as advance:
            mutants = hunt_repository(repository, wants, promtool, jobs, verdicts, problems, advance)
        verdicts.save()
        if problems:
            fail(problems, BROKEN_TOOL)
        if form == "json":
            click.echo(as_json(mutants))
        else:
            show(mutants, click.echo, style, verbose, time.monotonic() - began)
        return FAILED if score(mutants).percent < fail_under else OK
    repository.tests = [t for t in repository.tests if wants(f"{t.path.name.removesuffix(t.path.suffix)}::{t.title}")]
    with progress(form == "text", "tests") as advance:
        results = [
            event
            for event in prove_repository(repository, promtool, jobs, verdicts, problems, advance)
            if isinstance(event, Result)
        ]
    verdicts.save()
    if problems:
        fail(problems, BROKEN_TOOL)
    failed = [result for result in results if not result.passed]
    if form == "json":
        click.echo(json_report(results, (), {}, ()))
        return FAILED if failed else OK
    for result in results if verbose else failed:
        mark = "ok  " if result.passed else f"{style.error}FAIL{style.reset}"
        click.echo(f"{mark} {result.id}   {style.dim}{result.span}{style.reset}")
        for line in result.details:
            click.echo(f"     {line}")
    if untested and verbose:
        click.echo("rule files that no test loads: " + ", ".join(map(shown_path, untested)))
    text = f"{len(results) - len(failed)} of {len(results)} tests passed, with promtool {promtool.full_version} "
    text += f"in {time.monotonic() - began:.1f} s"
    if untested:
        text += f"; no test loads {len(untested)} of the rule files (-v names them)"
    click.echo(text)
    return FAILED if failed else OK
