"""`alertkit test`: compile, and prove every alert with the real promtool."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from alertkit.cli.common import BROKEN_TOOL, alertmanager_version
from alertkit.cli.results import Report


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
    from alertkit.cli.proving import Given, prove_project
    from alertkit.prove.running.select import SelectionError, choose
    from alertkit.source import Problems
    from alertkit.toolchain import offer_install

    began = time.monotonic()
    if (generated or fail_under) and not mutate:
        raise click.UsageError("--generated and --fail-under go with --mutate")
    if generated and tests:
        raise click.UsageError("--generated is for a project: plain TESTS have no generated cases")
    if mutate and (junit or fail_fast or form == "github"):
        raise click.UsageError("--mutate goes with --format text or json, and without --junit and --fail-fast")
    if rules and not tests:
        raise click.UsageError("--rules needs plain promtool tests: alertkit test --rules 'rules/*.yml' tests/*.yml")
    if tests and (junit or fail_fast or form == "github" or isolate):
        raise click.UsageError(
            "plain TESTS go with -k, -v, --shard, --jobs, --no-cache, --mutate, --format text or json"
        )
    try:
        wants = choose(only, shard)
    except SelectionError as error:
        raise click.UsageError(str(error)) from None
    report = Report(form, junit, verbose, began)
    tools = offer_install(["promtool"], problems := Problems())
    if tools is None:
        report.broken(problems, BROKEN_TOOL)
    given = Given(tools["promtool"], wants, only, shard, fail_fast, not no_cache, isolate, jobs or 0,
                  alertmanager_version, report)  # fmt: skip
    if tests:
        from alertkit.cli.repository import test_repository

        sys.exit(test_repository(rules, tests, given, mutate, fail_under))
    if mutate:
        from alertkit.cli.mutation import mutate_project

        sys.exit(mutate_project(given, generated, fail_under))
    sys.exit(prove_project(given))
