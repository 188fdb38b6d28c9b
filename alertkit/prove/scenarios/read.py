"""Reading scenario files: every mistake of every scenario in one go, each at its place."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from alertkit.prove.plain.folder import scenario_files
from alertkit.prove.scenarios.scenario import Clock, Line, Scenario, ScenarioFile, ScenarioKeys
from alertkit.prove.scenarios.statement import Statement, When, read_statements
from alertkit.routing.expectations import is_notified
from alertkit.series.build import Built, MistakeError, build
from alertkit.series.language import parse_series
from alertkit.series.recorded import RecordedError, Recording, read_recording
from alertkit.series.shapes import Latency, Recorded, Segment
from alertkit.series.write import written
from alertkit.source import Document, Problems, Span
from alertkit.spec.duration import LOOKBACK, format_duration, parse_duration, unit_help
from alertkit.spec.project import load_file, shown_path
from alertkit.spec.quantity import NUMBER, unit_of_metric
from alertkit.spec.salvage import StandIns, read
from alertkit.spec.selector import SelectorError, parse_selector
from alertkit.spec.validate import nearest, suggest


class FileOfScenarios(NamedTuple):
    """A file of scenarios, as far as it is known without the systems."""

    path: Path
    document: Document
    file: ScenarioFile


def read_files(folder: Path, systems: Collection[str] | None, problems: Problems) -> list[FileOfScenarios]:
    """The scenario files of a folder; one about none of the `systems` (None: not all are known) is a problem."""
    found = []
    for path in scenario_files(folder):
        document = load_file(path, problems, partly=True)
        if document is None:
            continue
        data = document.data
        if isinstance(data, dict) and ("rule_files" in data or "tests" in data):
            problems.add(
                "AK817", "this is a plain promtool file, but not named like one", Span(document.path, 1, 1),
                f"rename it to {path.stem}.test.yml, or write `system:` and `scenarios:`",
            )  # fmt: skip
            continue
        file, _, doubts = read(ScenarioFile, document, (), data, problems, stand_ins=lambda: _STAND_INS)
        if file is None:
            continue
        if systems is not None and file.system not in systems and "system" not in doubts:
            problems.add(
                "AK818",
                f"there is no system `{file.system}`",
                document.value(("system",)),
                suggest(file.system, systems),
            )
            file = file.model_copy(update={"system": nearest(file.system, systems) or ""})
        found.append(FileOfScenarios(path, document, file))
    return found


def read_scenarios(files: Iterable[FileOfScenarios], clock: Clock, problems: Problems) -> list[Scenario]:
    """All scenarios of some files, with those that have mistakes."""
    found: list[Scenario] = []
    for path, document, file in files:
        for name, scenario in file.scenarios.items():
            place = ("scenarios", name)
            before = len(problems)
            keys, _, doubts = read(ScenarioKeys, document, place, scenario, problems, stand_ins=lambda: _STAND_INS)
            if keys is not None:
                reader = _Reader(document, place, keys, doubts, path.parent, clock, problems)
                one = reader.read(file.system, name)
                found.append(one if len(problems) == before and reader.timed else replace(one, sound=False))
    return found


# Of a file or a scenario whose own keys have mistakes, the rest is read all the same.
_STAND_INS: StandIns = {"system": ("",), "scenarios": ({},), "expect": ({},)}


class _Reader:
    """Reads one scenario."""

    def __init__(
        self, document: Document, path: tuple[str | int, ...], keys: ScenarioKeys, doubts: frozenset[str],
        folder: Path, clock: Clock, problems: Problems,
    ) -> None:  # fmt: skip
        self.document, self.path, self.keys, self.doubts, self.folder = document, path, keys, doubts, folder
        self.recordings: list[Path] = []
        self.clock, self.problems = clock, problems
        self._taken: dict[tuple[tuple[str, str], ...], Span] = {}
        self.timed = not doubts & {"step", "evaluate"}  # whether it is known how often it is sampled and evaluated

    def read(self, system: str, name: str) -> Scenario:
        given = self.keys.step is not None and self.keys.evaluate is not None
        self.timed = self.timed and (given or system in self.clock.intervals)
        evaluation = self.keys.evaluate or self.clock.intervals.get(system) or self.clock.evaluation
        step = self._step(evaluation)
        lines = [line for text in self.keys.series if (line := self._line(text, step)) is not None]
        end = max((line.end for line in lines if line.end is not None), default=0)
        statements, notified = self._expect(end)
        return Scenario(
            system, name, step, evaluation, tuple(lines), tuple(statements), notified, self.document, self.path,
            tuple(self.recordings),
        )  # fmt: skip

    def _step(self, evaluation: int) -> int:
        """`step`, which must divide the evaluation interval."""
        for key, value in (("step", self.keys.step), ("evaluate", self.keys.evaluate)):
            if value == 0:
                self.problems.add("AK812", f"`{key}` must be more than 0", self._value(key), "write it like 15s")
        step = self.keys.step or math.gcd(self.clock.step, evaluation)
        if not self.timed:
            return step
        if evaluation % step:
            given = format_duration(evaluation)
            self.problems.add(
                "AK812", f"the step {format_duration(step)} does not divide the evaluation interval {given}",
                self._value("step" if self.keys.step else "evaluate"),
                f"use a step that divides {given}, or evaluate less often with `evaluate: {format_duration(step)}`",
            )  # fmt: skip
        elif step >= LOOKBACK:
            self.problems.add(
                "AK812", f"samples {format_duration(step)} apart are too sparse", self._value("step"),
                "Prometheus forgets a sample after 5m: use a step of at most 2m",
            )  # fmt: skip
        return step

    def _key(self, *path: str | int) -> Span:
        return self.document.key((*self.path, *path))

    def _value(self, *path: str | int) -> Span:
        return self.document.value((*self.path, *path))

    # Series

    def _line(self, text: str, step: int) -> Line | None:
        span = self._key("series", text)
        name = self._name(text, span)
        data = self.keys.series[text]
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            at = self._value("series", text)
            shown = self.document.text.split("\n")[at.line - 1][at.column - 1 :][: at.length]
            help = "write `0 for 5m`" if "x" in shown else f"write `{shown} for 5m`"
            self.problems.add("AK810", f"`{shown}` does not say for how long", at, help)
            return None
        if not isinstance(data, str):
            self.problems.add(
                "AK203", "expected text", self._value("series", text), "write segments like `0 for 5m, 1 for 10m`"
            )
            return None
        metric = name["__name__"] if name is not None else ""
        counts = metric.endswith(("_bucket", "_count"))
        segments, mistakes = parse_series(data, NUMBER if counts else unit_of_metric(metric))
        built: Built | None = None
        if not mistakes and step < LOOKBACK:
            try:
                built = build(metric, segments, step, lambda file, column, at: self._load(text, file, column, at))
            except MistakeError as contradiction:
                mistakes = [contradiction] if self.timed or contradiction.code != "AK812" else []
            except _ReportedError:
                pass
        for mistake in mistakes:
            place = self.document.within((*self.path, "series", text), mistake.offset, mistake.length)
            self.problems.add(mistake.code, mistake.message, place, mistake.help)
        if name is None:
            return None
        labels = self._redefined(text, name, segments, built, span)
        if labels is None or built is None:
            return None
        return Line(text, labels, tuple(written(s.samples) for s in built.series), built.end, span)

    def _name(self, text: str, span: Span) -> dict[str, str] | None:
        """The labels of a series, with its metric as `__name__`."""
        help = 'write it like metric or metric{label="value"}'
        try:
            selector = parse_selector(text)
        except SelectorError as error:
            at = Span(span.path, span.line, span.column + min(error.offset, span.length - 1))
            self.problems.add("AK815", str(error), at, help)
            return None
        labels = {"__name__": selector.metric}
        for matcher in selector.matchers:
            if matcher.op != "=":
                self.problems.add(
                    "AK815", f"`{matcher}` is no label of a series", span, "a series has exact labels: use `=`"
                )
                return None
            if matcher.label in labels:
                self.problems.add(
                    "AK815", f"the label `{matcher.label}` stands here twice", span, "keep one of the two"
                )
                return None
            if matcher.value:
                labels[matcher.label] = matcher.value
        return labels

    def _redefined(
        self, text: str, name: dict[str, str], segments: Sequence[Segment], built: Built | None, span: Span
    ) -> tuple[dict[str, str], ...] | None:
        """The labels of all series of a line; None if another line makes one of them too."""
        made = [name]
        if built is not None:
            made = [{**name, "__name__": name["__name__"] + s.suffix, **dict(s.labels)} for s in built.series]
        elif any(isinstance(segment.shape, Latency) for segment in segments):
            made = []
        for labels in made:
            key = tuple(sorted(labels.items()))
            if key in self._taken:
                self.problems.add(
                    "AK815", f"the series `{text}` is defined a second time", span,
                    f"it is first defined on line {self._taken[key].line}; put all its segments into one line",
                )  # fmt: skip
                return None
            self._taken[key] = span
        return tuple(made)

    def _load(self, text: str, file: str, column: str | None, segment: Segment) -> Recording:
        path = self.folder / file
        self.recordings.append(path)
        try:
            return read_recording(path, column)
        except RecordedError as error:
            shown = shown_path(path)
            assert isinstance(segment.shape, Recorded)
            span = self.document.within((*self.path, "series", text), segment.offset, segment.length)
            help = error.help
            if error.line:
                help += f" (read by {span})"
                span = Span(shown, error.line, 1)
            message = error.message if error.line else f"{shown}: {error.message}"
            self.problems.add("AK814", message, span, help)
            raise _ReportedError from None

    # Expectations

    def _expect(self, end: int) -> tuple[list[Statement], dict[str, Any]]:
        statements: list[Statement] = []
        notified: dict[str, Any] = {}
        if not self.keys.expect and "expect" not in self.doubts:
            self.problems.add(
                "AK817",
                "the scenario expects nothing",
                self._key("expect"),
                "write `at 6m: nothing fires` and the like",
            )
        for key, data in self.keys.expect.items():
            if is_notified(key):
                notified[key] = data
                continue
            when = self._when(key, end)
            if when is not None:
                path = (*self.path, "expect", key)
                statements += read_statements(self.document, path, when, data, self.problems)
        return statements, notified

    def _when(self, key: str, end: int) -> When | None:
        words = key.split()
        span = self._key("expect", key)
        if words == ["throughout"]:
            return When(0, end, "throughout")
        if len(words) == 2 and words[0] == "at":
            times = [words[1]]
        elif len(words) == 4 and words[0] == "from" and words[2] == "to":
            times = [words[1], words[3]]
        else:
            self.problems.add(
                "AK817", f"`{key}` says no time", span, "write `at 6m`, `from 8m to 15m`, `throughout` or `notified`"
            )
            return None
        found = []
        for word in times:
            value = parse_duration(word)
            if value is None:
                help = unit_help(word) or "write it like 30s, 5m or 1h30m"
                at = Span(span.path, span.line, span.column + key.index(word, 2), len(word))
                self.problems.add("AK812", f"`{word}` is not a duration", at, help)
            else:
                found.append(value)
        if len(found) < len(times):
            return None
        if found[-1] < found[0]:
            self.problems.add("AK812", f"`{key}` ends before it begins", span, "write the earlier time first")
            return None
        return When(found[0], found[-1], " ".join(words))


class _ReportedError(Exception):
    """The problem has been added already."""
