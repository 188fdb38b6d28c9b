"""What proofs say: a stream of results that reports consume and the prover does not know."""

from __future__ import annotations

from dataclasses import dataclass

from alertkit.source import Span


@dataclass(frozen=True, slots=True)
class Planned:
    """So many expectations will be checked."""

    total: int


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one case of one alert.

    `span` is the place in the spec or test file that the case stands for; `details` are lines that say what was
    expected and what happened, empty when it passed; `raw` names the file that holds promtool's own words.
    """

    system: str
    alert: str
    severity: str
    case: str
    passed: bool
    span: Span
    expectations: int
    details: tuple[str, ...] = ()
    raw: str = ""
    cached: bool = False

    @property
    def id(self) -> str:
        """`system::alert::severity::case`, without empty parts."""
        return "::".join(filter(None, (self.system, self.alert, self.severity, self.case)))


@dataclass(frozen=True, slots=True)
class Skipped:
    """A case, or all cases, that an alert cannot have, and why."""

    system: str
    alert: str
    case: str
    reason: str
    span: Span


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the project that fails nothing, but that somebody should look at."""

    message: str
    span: Span | None


Event = Planned | Result | Skipped | Note
