"""Results for people: grouped by system and alert, failures in full with a picture, a count at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from alertkit.prove.running.results import Note, Result, Skipped, Trace
from alertkit.report.picture import BLOCKS, Marks, picture
from alertkit.source import Span
from alertkit.source.problem import Style

INDENT = " " * 9


def counted(number: int, word: str) -> str:
    """`1 alert`, `2 alerts`."""
    return f"{number} {word}" if number == 1 else f"{number:,} {word}s"


def failure_lines(
    result: Result, trace: Trace | None, width: int, marks: Marks = BLOCKS, style: Style | None = None
) -> list[str]:
    """What is said of a failed case: what was expected, what happened, the picture, where promtool's words are."""
    style = style or Style()
    lines = list(result.details)
    if trace is not None:
        lines += picture(trace, width, marks, style)
    if result.raw:
        lines.append(f"{style.dim}promtool's own words: {result.raw}{style.reset}")
    return lines


@dataclass(slots=True)
class Terminal:
    """Prints results; `verbose` shows what passed, and what an alert cannot have, too."""

    say: Callable[[str], None]
    style: Style
    verbose: bool = False
    width: int = 100
    marks: Marks = BLOCKS
    failed: int = 0
    _heading: tuple[str, str, str] = field(default=("", "", ""))

    def show(self, results: Sequence[Result], skipped: Sequence[Skipped], traces: Mapping[str, Trace]) -> None:
        """All results in the order of their places; of each alert first what was proven, then what cannot be."""
        rows: list[tuple[tuple[str, int, str, int], Result | Skipped]] = [
            ((r.span.path, r.span.line, r.alert, 0), r) for r in results if self.verbose or not r.passed
        ]
        if self.verbose:
            rows += [((s.span.path, s.span.line, s.alert, 1), s) for s in skipped]
        for _, row in sorted(rows, key=lambda pair: pair[0]):
            if isinstance(row, Skipped):
                self._skip(row)
            else:
                self._result(row, traces.get(row.id))

    def _result(self, result: Result, trace: Trace | None) -> None:
        self.failed += not result.passed
        self._head(result.system, result.alert, result.span)
        case = f"{result.case} {result.severity}".rstrip()
        if result.passed:
            self.say(f"  {_green(self.style)}ok  {self.style.reset} {case}")
            return
        place = f"{self.style.dim}{result.span}{self.style.reset}"
        self.say(f"  {self.style.error}FAIL{self.style.reset} {case}   {place}")
        for line in failure_lines(result, trace, self.width - len(INDENT), self.marks, self.style):
            self.say(f"{INDENT}{line}")

    def _skip(self, skipped: Skipped) -> None:
        self._head(skipped.system, skipped.alert, skipped.span)
        case = skipped.case or "no cases are derived"
        self.say(f"  {self.style.dim}n/a  {case}: {skipped.reason}{self.style.reset}")

    def _head(self, system: str, alert: str, span: Span) -> None:
        # What a file of tests holds stands below the system once; an alert may be of several places.
        heading = (system, alert, str(span) if alert else span.path)
        if heading == self._heading:
            return
        if self._heading != ("", "", ""):
            self.say("")
        self._heading = heading
        place = span if alert else span.path
        name = " ".join(filter(None, (system, alert)))
        self.say(f"{self.style.bold}{name}{self.style.reset}  {self.style.dim}{place}{self.style.reset}")

    def notes(self, notes: Sequence[Note]) -> None:
        """What fails nothing but should be looked at."""
        for note in notes:
            place = f"   {self.style.dim}{note.span}{self.style.reset}" if note.span else ""
            self.say(f"note: {note.message}{place}")

    def summary(self, results: Sequence[Result], skipped: Sequence[Skipped], note: str) -> None:
        """The last line: verdict and counts; `note` is how it was run."""
        if self._heading != ("", "", ""):
            self.say("")
        failed = sum(not result.passed for result in results)
        verdict = (
            f"{self.style.error}{counted(failed, 'case')} failed{self.style.reset}"
            if failed
            else f"{_green(self.style)}all passed{self.style.reset}"
        )
        unchanged = ", unchanged since they last passed" if results and all(r.cached for r in results) else ""
        self.say(f"{verdict}: {totals(results, skipped, self.verbose)}, {note}{unchanged}")


def totals(results: Sequence[Result], skipped: Sequence[Skipped], verbose: bool = False) -> str:
    """How much was proven, in one line."""
    alerts = {(result.system, result.alert) for result in results if result.alert}
    systems = {result.system for result in results if result.alert}
    parts = [
        f"{counted(len(alerts), 'alert')} in {counted(len(systems), 'system')}",
        counted(len(results), "case"),
        counted(sum(result.expectations for result in results), "expectation"),
    ]
    without = {(skip.system, skip.alert) for skip in skipped if not skip.case}
    named = "" if verbose else " (-v names them)"
    return ", ".join(parts) + (f"; {len(without)} without generated cases{named}" if without else "")


def _green(style: Style) -> str:
    return "\x1b[32m" if style.reset else ""
