"""Running scenarios through the real promtool: one file each, spread over the cores, told in the user's own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alertkit.compile.ruleset import System
from alertkit.prove.running.output import FileVerdict, read_output
from alertkit.prove.running.pool import TIMEOUT
from alertkit.prove.running.results import Event, Planned, Result, id_of
from alertkit.prove.running.runner import Run
from alertkit.prove.running.select import selected
from alertkit.prove.scenarios.file import RULES, Prepared, evaluations
from alertkit.prove.scenarios.fit import check_fit
from alertkit.prove.scenarios.reads import Reads
from alertkit.prove.scenarios.scenario import Scenario
from alertkit.prove.scenarios.statement import EXACTLY, FIRES, Statement
from alertkit.prove.scenarios.words import Reading, held, read, wrong_exactly, wrong_state, wrong_texts
from alertkit.source import Problems
from alertkit.toolchain import Finished, open_scratch, run_many, usable_cores


def prepare(scenarios: Sequence[Scenario], systems: Sequence[System], problems: Problems) -> list[Prepared]:
    """Check that each scenario fits its system's rules, and cut the slice of them that it needs."""
    reads = {system.name: Reads(system) for system in systems}
    found = []
    for scenario in scenarios:
        answers = reads[scenario.system]
        before = len(problems)
        check_fit(scenario, answers, problems)
        if scenario.sound and len(problems) == before:
            records, alerts = answers.slice(scenario.series, [s.alert for s in scenario.statements if s.alert])
            times = evaluations(scenario.statements, scenario.evaluation)
            found.append(Prepared(scenario, records, alerts, times))
    return found


def prove_scenarios(prepared: Sequence[Prepared], run: Run, problems: Problems) -> Iterator[Event]:
    """One result for each expectation of each scenario; a tool that breaks is a problem and ends the stream."""
    yield from selected(_prove(prepared, run, problems), run.wants)


def ids_of(one: Prepared) -> list[str]:
    """The ids of the results of a scenario, in their order."""
    return [id_of(one.scenario.system, "", "", _case(one.scenario, s)) for s in one.scenario.statements]


def _case(scenario: Scenario, statement: Statement) -> str:
    return f"{scenario.name}, {statement.when}: {statement.text}"


def _prove(prepared: Sequence[Prepared], run: Run, problems: Problems) -> Iterator[Event]:
    wanted = [one for one in prepared if any(map(run.wants, ids_of(one)))]
    yield Planned(sum(len(times) for one in wanted for times in one.times))
    keys = {} if run.memory is None else {id(one): run.memory.key(one.files()) for one in wanted}
    waiting = []
    for one in wanted:
        if run.memory is not None and run.memory.passed(keys[id(one)]):
            yield from _results(one, _Outcome(), cached=True)
        else:
            waiting.append(one)
    verdicts = _run([(one, one.files()[1]) for one in waiting], run, problems)
    outcomes = [_outcome(one, *verdict) for one, verdict in zip(waiting, verdicts, strict=False)]
    again = [
        (one, outcome) for one, outcome in zip(waiting, outcomes, strict=False)
        if not outcome.errors and (one.reads or outcome.failed)
    ]  # fmt: skip
    readings = _run([(one, one.reading([*one.reads, *outcome.moments(one)])) for one, outcome in again], run, problems)
    for (_, outcome), (verdict, _) in zip(again, readings, strict=False):
        outcome.reading = read(verdict)
        outcome.errors += verdict.errors
    if problems:
        return
    for one, outcome in zip(waiting, outcomes, strict=True):
        results = list(_results(one, outcome))
        if run.memory is not None and all(result.passed for result in results):
            run.memory.remember(keys[id(one)])
        yield from results


@dataclass(slots=True)
class _Outcome:
    """`failed`: by statement the times at which it did not hold; `exact`: what fired instead, by alert and time."""

    failed: dict[int, list[int]] = field(default_factory=dict)
    exact: dict[tuple[str, int], list[tuple[dict[str, str], dict[str, str]]]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    reading: Reading = field(default_factory=Reading)
    raw: str = ""

    def moments(self, one: Prepared) -> list[tuple[str, int]]:
        """All times of the statements that failed: which of them did, promtool's verdict on a range does not say."""
        return [("", time) for index in self.failed for time in one.times[index]]


def _outcome(one: Prepared, verdict: FileVerdict, raw: str) -> _Outcome:
    outcome = _Outcome(errors=list(verdict.errors), raw=raw)
    for failure in verdict.failures:
        if failure.expr:
            number = failure.expr.rpartition("# e")[2]
            if number.isdigit():
                outcome.failed.setdefault(int(number), []).append(failure.time)
            else:
                outcome.errors.append(failure.expr)
            continue
        outcome.exact[failure.alert, failure.time] = failure.alerts("got")
        for index, statement in enumerate(one.scenario.statements):
            if statement.state == EXACTLY and statement.alert == failure.alert and failure.time in one.times[index]:
                outcome.failed.setdefault(index, []).append(failure.time)
    if not verdict.passed and not outcome.failed and not outcome.errors:
        outcome.errors.append("it failed without saying why")
    return outcome


def _results(one: Prepared, outcome: _Outcome, cached: bool = False) -> Iterator[Result]:
    scenario = one.scenario
    for index, (statement, times) in enumerate(zip(scenario.statements, one.times, strict=True)):
        lines = [f"promtool could not evaluate it: {error}" for error in outcome.errors]
        if not lines and not cached:
            lines = _details(one, outcome, index, statement)
        yield Result(
            scenario.system, "", "", _case(scenario, statement), not lines, statement.span,
            len(times), tuple(lines), outcome.raw if lines else "", cached,
        )  # fmt: skip


def _details(one: Prepared, outcome: _Outcome, index: int, statement: Statement) -> list[str]:
    times = one.times[index]
    failed = sorted(set(outcome.failed.get(index, [])))
    if failed and statement.state == EXACTLY:
        same = [other for other in _beside(one, failed[0], EXACTLY) if other.alert == statement.alert]
        return wrong_exactly(same, outcome.exact[statement.alert, failed[0]], failed[0])
    if failed:
        states = outcome.reading.states
        at = [t for t in times if not held(statement, states.get(t, []), _beside(one, t, FIRES, EXACTLY))] or failed
        return wrong_state(statement, at, len(times), outcome.reading, _beside(one, at[0], FIRES, EXACTLY))
    if statement.annotations and statement.state != EXACTLY:
        for time in times:
            lines = wrong_texts(statement, time, outcome.reading)
            if lines:
                return lines
    return []


def _beside(one: Prepared, time: int, *states: str) -> list[Statement]:
    """The statements of these states at a time."""
    pairs = zip(one.scenario.statements, one.times, strict=True)
    return [statement for statement, times in pairs if statement.state in states and time in times]


def _run(files: Sequence[tuple[Prepared, str]], run: Run, problems: Problems) -> list[tuple[FileVerdict, str]]:
    """The verdict on each test file, and the name of the file that keeps promtool's words; [] after a problem."""
    if not files:
        return []
    with open_scratch(problems) as scratch:
        if scratch is None:
            return []
        names = []
        for index, (one, tests) in enumerate(files):
            scratch.path.joinpath(f"s{index}.rules.yml").write_text(one.rules, encoding="utf-8")
            text = tests.replace(f'"{RULES}"', f"s{index}.rules.yml")
            scratch.path.joinpath(f"s{index}.test.yml").write_text(text, encoding="utf-8")
            names.append(scratch.path / f"s{index}.test.yml")
        cores = min(run.jobs or usable_cores(), len(files))
        shares = [list(range(core, len(files), cores)) for core in range(cores)]
        found: dict[int, tuple[FileVerdict, str]] = {}
        while shares:
            commands: list[list[str | Path]] = [
                [run.promtool.path, "test", "rules", *(names[i] for i in share)] for share in shares
            ]
            finished = run_many(commands, problems, jobs=run.jobs or None, timeout=TIMEOUT, scratch=scratch)
            if len(finished) < len(commands) or None in finished:
                return []
            alone: list[list[int]] = []
            for share, done in zip(shares, finished, strict=True):
                if done is None:
                    return []
                verdicts = None if done.crashed else read_output(done.text, len(share))
                if verdicts is not None:
                    for index, verdict in zip(share, verdicts, strict=True):
                        found[index] = (verdict, _keep(run, files[index][0], done.text) if not verdict.passed else "")
                elif len(share) > 1:
                    alone += [[index] for index in share]
                elif done.crashed:
                    first = done.text.strip().split("\n")[0]
                    found[share[0]] = (FileVerdict(False, [], [first]), _keep(run, files[share[0]][0], done.text))
                else:
                    _unreadable(done, problems)
                    return []
            shares = alone
        return [found[index] for index in range(len(files))]


def _unreadable(done: Finished, problems: Problems) -> None:
    first = done.text.strip().splitlines()[0] if done.text.strip() else "-"
    problems.add(
        "AK620", "promtool printed what alertkit cannot read", None, f"exit code {done.code}; its first line: {first}"
    )


def _keep(run: Run, one: Prepared, text: str) -> str:
    """Keep promtool's own words; the name of the file, or nothing when it cannot be written."""
    place = run.keep / f"scenarios-{one.scenario.system}.txt"
    try:
        run.keep.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    except OSError:
        return ""
    return str(place)
