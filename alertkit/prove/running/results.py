"""What proofs say: a stream of results that reports consume and the prover does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from alertkit.prove.derived.names import CASES
from alertkit.source import Span

if TYPE_CHECKING:
    from alertkit.kinds import Comparison


_ORDER = {case: place for place, case in enumerate(CASES)}


def id_of(system: str, alert: str, severity: str, case: str) -> str:
    """`system::alert::severity::case`, without empty parts."""
    return "::".join(filter(None, (system, alert, severity, case)))


@dataclass(frozen=True, slots=True)
class Planned:
    """So many expectations will be checked."""

    total: int


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one case of one alert.

    `span` is the place in the spec or test file that the case stands for; `details` are lines that say what was
    expected and what happened, empty when it passed; `raw` names the file that holds promtool's own words; `failed_at`
    are the times (milliseconds) at which an expectation did not hold.
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
    failed_at: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        """`system::alert::severity::case`, without empty parts."""
        return id_of(self.system, self.alert, self.severity, self.case)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A case, or all cases, that an alert cannot have, and why."""

    system: str
    alert: str
    case: str
    reason: str
    span: Span


@dataclass(frozen=True, slots=True)
class Moment:
    """The signal at one time (milliseconds; None: it has no value) and the alert's `state`: pending, firing or ""."""

    time: int
    value: float | None
    state: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What promtool saw around a failure; `edges` are the levels with the comparison at which each fires."""

    moments: tuple[Moment, ...]
    edges: tuple[tuple[str, Comparison], ...]
    failed_at: int


def combine(results: Iterable[Result]) -> list[Result]:
    """One result for each id and place: a case that several timelines prove is one case to whoever reads of it."""
    found: dict[tuple[str, str, str, str, Span], Result] = {}
    for result in results:
        before = found.get(key := (result.system, result.alert, result.severity, result.case, result.span))
        if before is not None:
            result = replace(
                before, passed=before.passed and result.passed, expectations=before.expectations + result.expectations,
                details=before.details + result.details, raw=before.raw or result.raw,
                cached=before.cached and result.cached, failed_at=before.failed_at + result.failed_at,
            )  # fmt: skip
        found[key] = result
    return list(found.values())


AboutCase = TypeVar("AboutCase", Result, Skipped)


def in_order(events: Iterable[AboutCase]) -> list[AboutCase]:
    """By their places, of one alert in the order of the cases."""

    def key(event: Result | Skipped) -> tuple[str, int, int, str, str, int, str]:
        span, case = event.span, _ORDER.get(event.case, len(_ORDER))
        severity = event.severity if isinstance(event, Result) else ""
        return span.path, span.line, span.column, event.system, event.alert, case, severity

    return sorted(events, key=key)


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the project that fails nothing, but that somebody should look at."""

    message: str
    span: Span | None


Event = Planned | Result | Skipped | Note


def to_data(events: Iterable[Result | Skipped | Note]) -> list[list[Any]]:
    """Events of proofs that all passed, as plain JSON data."""
    data: list[list[Any]] = []
    for event in events:
        span = event.span
        place = None if span is None else [span.path, span.line, span.column, span.length]
        if isinstance(event, Result):
            data.append([place, event.system, event.alert, event.severity, event.case, event.expectations])
        elif isinstance(event, Skipped):
            data.append([place, event.system, event.alert, event.case, event.reason])
        else:
            data.append([place, event.message])
    return data


def from_data(data: Iterable[Sequence[Any]]) -> Iterator[Result | Skipped | Note]:
    """The events that `to_data` made data of, their results marked as known from before."""
    spans: dict[tuple[Any, ...], Span] = {}  # an alert has many cases at one place
    for place, *said in data:
        span = None if place is None else spans.get(key := tuple(place)) or spans.setdefault(key, Span(*place))
        if len(said) == 1:
            yield Note(said[0], span)
        elif span is not None and len(said) == 4:
            yield Skipped(said[0], said[1], said[2], said[3], span)
        elif span is not None:
            system, alert, severity, case, expectations = said
            yield Result(system, alert, severity, case, True, span, expectations, cached=True)
