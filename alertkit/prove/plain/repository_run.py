"""Running the tests of any rule set, each with its slice of the rules, and its verdict as promtool gives it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from alertkit.prove.plain.repository import PlainTest, Repository, needed, sliced
from alertkit.prove.running.output import read_output
from alertkit.prove.running.pool import Unit, outputs
from alertkit.prove.running.results import Event, Planned, Result
from alertkit.prove.running.words import compare
from alertkit.source import Problems
from alertkit.source.digest import digest
from alertkit.spec.duration import format_duration
from alertkit.spec.project import shown_path
from alertkit.toolchain import Tool, usable_cores

MOST = 20_000
# The rule files of a run, as `sliced` names them, in a folder that is gone by now.
_RULES = re.compile(r"[^\s:]*/r(\d+)\.yml")


class Verdicts:
    """promtool's words by content: what a test and its rules said once, the same version says again."""

    def __init__(self, place: Path | None, promtool: Tool) -> None:
        self._place = place
        self._version = f"{promtool.name} {promtool.full_version}"
        self._known: dict[str, str] = {}
        if place is not None:
            try:
                self._known = dict(json.loads(place.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                self._known = {}

    def key(self, unit: Unit) -> str:
        return digest(self._version.encode(), *(text.encode() for _, text in unit))

    def get(self, key: str) -> str | None:
        return self._known.get(key)

    def put(self, key: str, text: str) -> None:
        self._known[key] = text

    def save(self) -> None:
        """Write them; that they cannot be written is no error."""
        if self._place is None:
            return
        aside = self._place.with_name(f"{self._place.name}.{os.getpid()}")
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(dict(list(self._known.items())[-MOST:])), encoding="utf-8")
            aside.replace(self._place)
        except OSError:
            aside.unlink(missing_ok=True)


def unit_of(test: PlainTest) -> Unit:
    """The files of one test alone."""
    files, text = sliced(test)
    return [*files, ("test.yml", text)]


def run_units(
    units: Sequence[Unit], costs: Sequence[float], promtool: Tool, cores: int, verdicts: Verdicts, problems: Problems,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[tuple[int, str]]:  # fmt: skip
    """(index, promtool's words) of each unit, from memory where they are known."""
    keys = [verdicts.key(unit) for unit in units]
    waiting: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        known = verdicts.get(key)
        if known is not None:
            yield index, known
        else:
            waiting.setdefault(key, []).append(index)
    firsts = [indices[0] for indices in waiting.values()]
    done = len(units) - sum(map(len, waiting.values()))
    progress(done, len(units))

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(done, len(units))

    for place, text in outputs(
        [units[i] for i in firsts], [costs[i] for i in firsts], promtool, cores, problems, advance
    ):
        key = keys[firsts[place]]
        verdicts.put(key, text)
        for index in waiting[key]:
            yield index, text


def cost_of(test: PlainTest) -> float:
    """A rough price: the rules that are loaded, and a fixed one."""
    rules = needed(test)
    return 5.0 + (50 if rules is None else len(rules))


def prove_repository(
    repository: Repository, promtool: Tool, jobs: int, verdicts: Verdicts, problems: Problems,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Event]:  # fmt: skip
    """One result for each test of each file, in the order of the files."""
    tests = repository.tests
    yield Planned(len(tests))
    units = [unit_of(test) for test in tests]
    found = dict(
        run_units(
            units, [cost_of(test) for test in tests], promtool, jobs or usable_cores(), verdicts, problems, progress
        )
    )
    for index, test in enumerate(tests):
        if index in found:
            yield _result(test, found[index])


def passed(text: str) -> bool:
    """Whether promtool said yes."""
    return text.startswith("  SUCCESS")


def _result(test: PlainTest, text: str) -> Result:
    name = test.path.name.removesuffix(test.path.suffix)
    return Result(name, "", "", test.title, passed(text), test.span, 1, tuple(_details(test, text)))


def _details(test: PlainTest, text: str) -> Iterator[str]:
    """What was expected and what happened; what promtool could not evaluate stays in its own words."""
    if passed(text):
        return
    text = _RULES.sub(lambda match: shown_path(test.rules[int(match[1])].path), text)
    verdicts = read_output(text, 1)
    if verdicts is None or not (verdicts[0].failures or verdicts[0].errors):
        yield from (line.rstrip() for line in text.split("\n")[1:] if line.strip())
        return
    for failure in verdicts[0].failures:
        yield f"at {format_duration(failure.time)}"
        if failure.expr:
            yield f"  {failure.expr}"
            yield from (f"  {line.strip()}" for line in failure.lines if line.strip())
        else:
            yield from (f"  {line}" for line in compare(failure.alerts("exp"), failure.alerts("got")))
    yield from (f"promtool could not evaluate it: {error}" for error in verdicts[0].errors)
