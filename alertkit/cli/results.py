"""Where `alertkit test` says its results: the terminal or standard output, and a file of JUnit XML."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from alertkit.cli.common import fail, style_of
from alertkit.source import Problem, Problems

if TYPE_CHECKING:
    from alertkit.prove.running.results import Event, Note, Result, Skipped, Trace
    from alertkit.toolchain import Tool


@dataclass(slots=True)
class Report:
    """`form` is that of `--format`, `junit` the file of `--junit`, `began` the start on the monotonic clock."""

    form: str
    junit: Path | None
    verbose: bool
    began: float
    results: Sequence[Result] = ()
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def take(self, events: Iterable[Event]) -> None:
        """What a run said; in which order does not matter, which depends on what was known before."""
        from alertkit.prove.running.results import Note, Result, Skipped, combine, in_order

        told = list(events)
        self.results = in_order(combine(event for event in told if isinstance(event, Result)))
        self.skipped = in_order([event for event in told if isinstance(event, Skipped)])
        self.notes = [event for event in told if isinstance(event, Note)]

    def finish(self, traces: Mapping[str, Trace], promtool: Tool, how: str = "") -> None:
        """Say everything; `how` it came to its end, where that is not plain."""
        from alertkit.report.picture import marks_for
        from alertkit.report.terminal import Terminal

        style = style_of(sys.stdout)
        width = shutil.get_terminal_size((100, 24)).columns
        terminal = Terminal(click.echo, style, self.verbose, width, marks_for(sys.stdout.encoding))
        if self.form == "text":
            terminal.show(self.results, self.skipped, traces)
            terminal.notes(self.notes)
        self._for_programs(traces, ())
        if self.form != "json":
            note = f"with promtool {promtool.full_version} in {time.monotonic() - self.began:.1f} s"
            terminal.summary(self.results, self.skipped, f"{how}, {note}" if how else note)
        self._write_junit(())

    def broken(self, problems: Sequence[Problem], code: int) -> NoReturn:
        """Say the problems that ended the run, with what was found before, and leave."""
        ordered = problems.ordered() if isinstance(problems, Problems) else problems
        self._for_programs({}, ordered)
        self._write_junit(ordered)
        fail(problems, code, told=self.form == "json")

    def _for_programs(self, traces: Mapping[str, Trace], problems: Sequence[Problem]) -> None:
        if self.form == "json":
            from alertkit.report.json import json_report

            click.echo(json_report(self.results, self.skipped, traces, problems))
        elif self.form == "github":
            from alertkit.report.github import github_report

            if text := github_report(self.results, problems):
                click.echo(text)

    def _write_junit(self, problems: Sequence[Problem]) -> None:
        if self.junit is None:
            return
        from alertkit.report.junit import junit_report

        text = junit_report(self.results, self.skipped, problems, time.monotonic() - self.began)
        try:
            self.junit.parent.mkdir(parents=True, exist_ok=True)
            self.junit.write_text(text, encoding="utf-8")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise click.UsageError(f"--junit: `{self.junit}` cannot be written: {reason}") from None
