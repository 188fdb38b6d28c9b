"""Scenarios as users write them in `promtool_tests/*.yaml`; `scenario_read.py` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from alertkit.prove.scenarios.statement import Statement
from alertkit.source import Document, Span
from alertkit.spec.duration import Duration
from alertkit.spec.validate import Model


class ScenarioKeys(Model):
    """One scenario. `step` is the time between two samples, `evaluate` that between two evaluations of the rules."""

    description: str | None = None
    step: Duration | None = None
    evaluate: Duration | None = None
    series: dict[str, Any] = Field(default_factory=dict)
    expect: dict[str, Any]


class ScenarioFile(Model):
    """A file of scenarios of one system."""

    system: str
    scenarios: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `series`: the series that it makes, each by its labels with `__name__`, and their notations.

    `end` is the last time (ms) that the line says anything about; None where it does so for good.
    """

    text: str
    labels: tuple[dict[str, str], ...]
    notations: tuple[str, ...]
    end: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as it was read; whether it fits the rules is checked elsewhere.

    `sound`: no mistake of its own was found; of others only the names in what they expect can be checked.
    `notified` are the keys of `expect` about who is told, as they are written; `routing/expectations.py` reads them.
    `recordings` are the files of data that it read.
    """

    system: str
    name: str
    step: int
    evaluation: int
    lines: tuple[Line, ...]
    statements: tuple[Statement, ...]
    notified: dict[str, Any]
    document: Document
    path: tuple[str | int, ...]
    recordings: tuple[Path, ...] = ()
    sound: bool = True

    @property
    def series(self) -> list[dict[str, str]]:
        return [labels for line in self.lines for labels in line.labels]

    @property
    def end(self) -> int | None:
        """The last time that any series says anything about; None: all are gone for good, so there is no last."""
        return max((line.end for line in self.lines if line.end is not None), default=None)

    def place(self, *path: str | int) -> Span:
        return self.document.key((*self.path, *path))

    def value(self, *path: str | int) -> Span:
        return self.document.value((*self.path, *path))


@dataclass(frozen=True, slots=True)
class Clock:
    """The defaults of `step` and `evaluate`, in milliseconds; `intervals` are the systems' own (None: the default).

    Of a system that is not there, it is not known how often it is evaluated.
    """

    step: int
    evaluation: int
    intervals: Mapping[str, int | None]
