"""Results for people: failures in full, a line for each alert with `-v`, a count at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from alertkit.prove.results import Note, Result, Skipped
from alertkit.source.problem import Style


@dataclass(slots=True)
class Terminal:
    """Prints results as they come; `verbose` shows what passed too."""

    say: Callable[[str], None]
    style: Style
    verbose: bool = False
    passed: int = 0
    failed: int = 0
    cached: int = 0
    cases: int = 0
    alerts: set[tuple[str, str]] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _heading: tuple[str, str] = ("", "")

    def result(self, result: Result) -> None:
        """Count one result, and show it if it failed or everything is shown."""
        self.cases += 1
        self.alerts.add((result.system, result.alert))
        if result.passed:
            self.passed += result.expectations
            self.cached += result.expectations if result.cached else 0
        else:
            self.failed += 1
            self.passed += max(result.expectations - 1, 0)
        if result.passed and not self.verbose:
            return
        self._head(result)
        mark = (
            f"{_green(self.style)}ok  {self.style.reset}"
            if result.passed
            else f"{self.style.error}FAIL{self.style.reset}"
        )
        case = f"{result.case} {result.severity}".rstrip()
        self.say(f"  {mark} {case}" + ("" if result.passed else f"   {self.style.dim}{result.span}{self.style.reset}"))
        for line in result.details:
            self.say(f"         {line}")
        if result.raw:
            self.say(f"         {self.style.dim}promtool's own words: {result.raw}{self.style.reset}")

    def skip(self, skipped: Skipped) -> None:
        self.skipped.append(skipped)

    def _head(self, result: Result) -> None:
        heading = (result.system, result.alert)
        if heading != self._heading:
            self._heading = heading
            name = " ".join(filter(None, heading))
            self.say(f"{self.style.bold}{name}{self.style.reset}  {self.style.dim}{result.span}{self.style.reset}")

    def summary(self, seconds: float, promtool: str) -> None:
        """The last lines: what was not proven and why, then the count."""
        if self.verbose:
            for skip in self.skipped:
                self.say(f"  {self.style.dim}not derived: {skip.system} {skip.alert}: {skip.reason}{self.style.reset}")
        for note in self.notes:
            place = f"   {self.style.dim}{note.span}{self.style.reset}" if note.span else ""
            self.say(f"note: {note.message}{place}")
        systems = len({system for system, _ in self.alerts})
        total = f"{len(self.alerts)} alerts in {systems} systems, {self.cases} cases, {self.passed + self.failed} expectations"
        if self.skipped and not self.verbose:
            total += f"; {len(self.skipped)} without generated cases (-v names them)"
        verdict = (
            f"{self.style.error}{self.failed} case{'s' if self.failed != 1 else ''} failed{self.style.reset}"
            if self.failed
            else f"{_green(self.style)}all passed{self.style.reset}"
        )
        how = f"{seconds:.1f} s" + (
            ", unchanged since they last passed" if self.cached == self.passed and self.cached else ""
        )
        self.say(f"{verdict}: {total}, with {promtool} in {how}")


def _green(style: Style) -> str:
    return "\x1b[32m" if style.reset else ""
