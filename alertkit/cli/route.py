"""`alertkit route`: who is told of an alert, when, and what mutes it."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from alertkit.cli import complete
from alertkit.cli.common import FAILED, alertmanager_version, fail
from alertkit.source import Problems

if TYPE_CHECKING:
    from alertkit.routing.check import Finding


class _Moment(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime.datetime:
        from alertkit.routing.expectations import MOMENT_HELP, moment

        try:
            return moment(str(value))
        except ValueError as error:
            self.fail(f"{error}; {MOMENT_HELP}", param, ctx)


@click.command()
@click.argument("what", nargs=-1, metavar="[ALERT] [LABEL=VALUE ...]", shell_complete=complete.alerts)
@click.option(
    "--at", type=_Moment(), help="Look at calendars as they are then (UTC if it names no offset and no zone)."
)
@click.option("--while", "firing", multiple=True, metavar="ALERT|LABELS", help="What else fires: an alert, or a=b,c=d.")
@click.option("--all", "matrix", is_flag=True, help="Every alert and level against the receivers.")
@click.option("--short", is_flag=True, help="With --all: alerts that reach the same in one row.")
@click.option("--check", "checking", is_flag=True, help="Check `notified:` expectations; report what is never used.")
@click.option("--strict", is_flag=True, help="With --check: whatever is reported makes it fail.")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How --all prints its table."
)
@alertmanager_version
def command(
    what: Sequence[str],
    at: datetime.datetime | None,
    firing: Sequence[str],
    matrix: bool,
    short: bool,
    checking: bool,
    strict: bool,
    form: str,
    alertmanager_version: tuple[int, int] | None,
) -> None:
    """Say who is told of an alert.

    \b
    Examples:
      alertkit route CircuitBreakerOpen
      alertkit route peak_trade/HighLatency --at 2026-12-25T15:00-05:00
      alertkit route peak_trade/CircuitBreakerOpen name=broker
      alertkit route team=trading severity=critical
      alertkit route --all --short
      alertkit route --check
    """
    from alertkit.cli.routing_input import read_input
    from alertkit.routing.answer import Oracle
    from alertkit.routing.check import check
    from alertkit.routing.expectations import read_expectations
    from alertkit.routing.question import note, questions
    from alertkit.routing.situations import situations
    from alertkit.routing.table import answer_lines, matrix_lines

    if sum((bool(what), matrix, checking)) != 1:
        raise click.UsageError("say an alert or labels, or one of --all and --check")
    for in_vain, words in (
        (short and not matrix, "--short goes with --all"),
        (form != "text" and not matrix, "--format goes with --all"),
        (strict and not checking, "--strict goes with --check"),
        (checking and at is not None, "--at goes with an alert, labels or --all"),
        (bool(firing) and not what, "--while goes with an alert or labels"),
    ):
        if in_vain:
            raise click.UsageError(words)
    given = read_input(alertmanager_version)
    oracle = Oracle(given.routing)
    all_of_them = situations(given.alerts)
    if matrix:
        _echo(matrix_lines(oracle, all_of_them, at, markdown=form == "markdown", short=short))
    elif checking:
        problems = Problems()
        expectations = read_expectations(given.project.tests, problems)
        if problems:
            fail(problems)
        _report(check(oracle, all_of_them, given.files, expectations), len(all_of_them), len(expectations), strict)
    else:
        problems = Problems()
        others = [
            labels | dict.fromkeys(free, "?")
            for text in firing
            for labels, free in questions(text.split(","), all_of_them, problems)
        ]
        asked = questions(what, all_of_them, problems)
        if problems:
            fail(problems)
        for index, (labels, free) in enumerate(asked):
            if index:
                click.echo()
            answer = oracle.answer(labels, at, others, free)
            _echo(answer_lines(answer, oracle, at))
            if narrower := oracle.narrower(labels, others, free):
                click.echo(f"  note: {narrower} would be muted")
            if "=" in what[0] and (said := note(answer, oracle, all_of_them)):
                click.echo(f"  note: {said}")


def _echo(lines: Sequence[str]) -> None:
    click.echo("\n".join(lines))


def _report(findings: Sequence[Finding], alerts: int, expectations: int, strict: bool) -> None:
    for finding in findings:
        place = f"{finding.span}: " if finding.span else ""
        click.echo(f"{place}{'FAILED' if finding.fails else 'note'}: {finding.message}")
    failed = sum(finding.fails for finding in findings)
    notes = len(findings) - failed
    click.echo(f"{alerts} alert levels, {expectations} expectations: {failed} failed, {notes} notes")
    if failed or (strict and notes):
        sys.exit(FAILED)
