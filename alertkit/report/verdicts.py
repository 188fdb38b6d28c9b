"""What a project would prove, as ids, and the verdicts on some of them in one batch: for the pytest plugin."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from alertkit.build import compile_project
from alertkit.build.proving import Proving, open_proving
from alertkit.prove.derived.cases import proofs_of
from alertkit.prove.plain.files import ids_of as plain_ids
from alertkit.prove.running.results import Result, combine, id_of
from alertkit.prove.running.runner import Run
from alertkit.prove.running.trace import traces_of
from alertkit.prove.scenarios.notified import notified_id
from alertkit.prove.scenarios.run import ids_of as scenario_ids
from alertkit.report.picture import Marks
from alertkit.report.terminal import failure_lines
from alertkit.source import Problems
from alertkit.source.problem import draw_all, forget_files
from alertkit.spec.project import load_file, read_project
from alertkit.toolchain import require

WIDTH = 100
# promtool itself is stopped after ten minutes; whoever waits for another process waits a little longer.
PATIENCE = 660.0
PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be proven: its `id`, the parts of it below its file, and its line (1-based)."""

    id: str
    parts: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a case passed, and what is said of it if not."""

    passed: bool
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """Verdicts by id; `trouble` says why some are missing."""

    verdicts: dict[str, Verdict]
    trouble: str = ""


class Listing:
    """What a project would prove, by file; read once, without writing or running anything."""

    def __init__(self, root: Path) -> None:
        forget_files()  # a process may hold several sessions, with other files each
        self.problems = Problems()
        self.proving: Proving | None = None
        self._root = root
        project = read_project(root, self.problems)
        if project is not None and not self.problems:
            self.proving = open_proving(project, self.problems, write=False)

    def trouble(self, path: Path) -> str:
        """The problems of a file, drawn; where it has none of its own, those that keep it from being proven."""
        if self.proving is not None:
            return ""
        mine = [p for p in self.problems if p.span and Path(p.span.path).resolve() == path.resolve()]
        if mine:
            return draw_all(mine)
        first = self.problems.ordered()[0]
        place = f"{first.span}: " if first.span else ""
        return f"nothing here can be proven while the project has mistakes elsewhere: {place}{first.message}"

    def spec(self, path: Path) -> list[Entry]:
        """The generated cases of a spec file."""
        entries: dict[str, Entry] = {}
        for system in self.proving.systems if self.proving else ():
            if (self._root / system.path).resolve() != path.resolve():
                continue
            for proof in proofs_of(system):
                for check in proof.checks:
                    parts = (system.name, proof.alert.name, check.severity, check.case)
                    id = id_of(*parts)
                    entries.setdefault(id, Entry(id, tuple(filter(None, parts)), proof.alert.span.line))
        return list(entries.values())

    def scenarios(self, path: Path) -> list[Entry]:
        """The expectations of a file of scenarios."""
        entries = []
        scenarios = self.proving.scenarios if self.proving else None
        for one in scenarios.prepared if scenarios else ():
            if Path(one.scenario.document.path).resolve() == path.resolve():
                for id, statement in zip(scenario_ids(one), one.scenario.statements, strict=True):
                    entries.append(_entry(id, statement.span.line))
        for scenario, expected in scenarios.notified if scenarios and scenarios.oracle else ():
            if Path(scenario.document.path).resolve() == path.resolve():
                line = expected.span.line if expected.span else 1
                entries.append(_entry(notified_id(scenario, expected), line))
        return entries

    @staticmethod
    def plain(path: Path, problems: Problems) -> list[Entry]:
        """The tests of a plain promtool file."""
        document = load_file(path, problems)
        if document is None:
            return []
        lines = [document.key(("tests", index)).line for index, _ in enumerate(plain_ids(path, document))]
        return [_entry(id, line) for id, line in zip(plain_ids(path, document), lines, strict=True)]


def _entry(id: str, line: int) -> Entry:
    system, _, case = id.partition("::")
    return Entry(id, (system, case), line)


def verdicts_on(listing: Listing, ids: Collection[str], marks: Marks) -> Answers:
    """Compile the project, and prove all of `ids` in one batch."""
    problems = Problems()
    tools = require(["promtool"], problems)
    proving = listing.proving
    if tools is None or proving is None or compile_project(proving.project, problems, write=True) is None:
        return Answers({}, draw_all(problems or listing.problems))
    memory = proving.memory(tools["promtool"])
    wanted = frozenset(ids)
    run = Run(tools["promtool"], proving.keep, memory=memory, wants=wanted.__contains__)
    results = combine(event for event in proving.events(run, problems) if isinstance(event, Result))
    memory.save()
    failed = [result for result in results if not result.passed]
    traces = traces_of(proving.of(failed), failed, run) if failed else {}
    found: dict[str, Verdict] = {}
    for result in results:
        before = found.get(result.id, Verdict(True))
        lines = list(before.lines)
        if not result.passed:
            case = f"{result.case} {result.severity}".rstrip()
            lines += [" ".join(filter(None, (result.system, result.alert))), f"  FAIL {case}   {result.span}"]
            lines += [f"         {line}" for line in failure_lines(result, traces.get(result.id), WIDTH - 9, marks)]
        found[result.id] = Verdict(before.passed and result.passed, tuple(lines))
    return Answers(found, draw_all(problems.ordered()) if problems else "")


def shared(folder: Path, name: str, work: Callable[[], Answers], patience: float = PATIENCE) -> Answers:
    """The answers of `work`, done by the first of several processes that ask for `name` and read by the others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place, lock = folder / f"{name}.json", folder / f"{name}.lock"
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _await(place, lock, patience)
    with os.fdopen(handle, "w") as stream:
        stream.write(str(os.getpid()))
    answers = Answers({}, "the process that ran promtool for all broke off")
    try:
        answers = work()
    finally:
        aside = place.with_suffix(".new")
        aside.write_text(json.dumps(asdict(answers)), encoding="utf-8")
        aside.replace(place)
    return answers


def _await(place: Path, lock: Path, patience: float) -> Answers:
    """What another process finds out; trouble when it is gone or takes longer than `patience` (seconds)."""
    deadline = time.monotonic() + patience
    while True:
        gone = not _alive(lock)
        if place.exists():
            data = json.loads(place.read_text(encoding="utf-8"))
            verdicts = {id: Verdict(v["passed"], tuple(v["lines"])) for id, v in data["verdicts"].items()}
            return Answers(verdicts, data["trouble"])
        if gone:
            return Answers({}, "the process that ran promtool for all ended without a result")
        if time.monotonic() > deadline:
            return Answers({}, f"the process that runs promtool for all had no result after {patience:g} s")
        time.sleep(PAUSE)


def _alive(lock: Path) -> bool:
    """Whether the process that took the lock still runs; yes while it has not yet said which it is."""
    with contextlib.suppress(ValueError, OSError):
        try:
            os.kill(int(lock.read_text(encoding="utf-8")), 0)
        except ProcessLookupError:
            return False
    return True
