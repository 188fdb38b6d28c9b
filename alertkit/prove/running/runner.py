"""Running batches through the real promtool and telling which case of which alert failed.

Batches are spread over all cores, a few processes of many files each. A batch that ends in an error rather than in
failed expectations is split until the culprit is alone. What passed is remembered by content and promtool version,
every job as if it had run alone: that is what merging promises.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertkit.compile.ruleset import System
from alertkit.prove.derived.cases import proofs_of
from alertkit.prove.derived.content import contents_of
from alertkit.prove.derived.inapplicable import TOO_LONG, inapplicable
from alertkit.prove.derived.script import Check
from alertkit.prove.running.batch import Batch, Job, jobs_of, pack
from alertkit.prove.running.memory import Memory
from alertkit.prove.running.output import Failure, FileVerdict, read_output
from alertkit.prove.running.pool import TIMEOUT, shares_of
from alertkit.prove.running.results import Event, Planned, Result, Skipped, id_of
from alertkit.prove.running.select import Wants, everything, selected
from alertkit.prove.running.words import details_of
from alertkit.source import Problems
from alertkit.spec.duration import format_duration
from alertkit.toolchain import Finished, Tool, run_many, usable_cores


@dataclass(slots=True)
class Run:
    """How to run: which promtool, on how many cores, whether every alert is alone, and what is remembered.

    `wants` says which ids are wanted; with `fail_fast` promtool is started on little at a time, so that whoever takes
    the events can stop at a failure.
    """

    promtool: Tool
    keep: Path
    jobs: int = 0
    isolate: bool = False
    memory: Memory | None = None
    progress: Callable[[int, int], None] = lambda done, total: None
    wants: Wants = everything
    fail_fast: bool = False


def prove(systems: Sequence[System], run: Run, problems: Problems) -> Iterator[Event]:
    """All wanted generated cases of all systems, as events; a tool that breaks is a problem and ends the stream."""
    yield from selected(_prove(systems, run, problems), run.wants)


def _prove(systems: Sequence[System], run: Run, problems: Problems) -> Iterator[Event]:
    known = {system.name: _known(system, run.memory) for system in systems}
    for alerts in known.values():
        yield Planned(sum(e.expectations for events in alerts.values() for e in events if isinstance(e, Result)))
        for events in alerts.values():
            yield from events
    derived = [job for system in systems for job in _jobs(system, known[system.name])]
    jobs = [job for job in derived if _wanted(job, run)]
    yield Planned(sum(len(job.proof.checks) for job in jobs))
    yield from _skipped(systems, known, derived)
    keys = {} if run.memory is None else {id(job): run.memory.key(job.files()) for job in jobs}
    waiting = []
    for job in jobs:
        if run.memory is not None and run.memory.passed(keys[id(job)]):
            yield from _results(job, [], "", cached=True)
        else:
            waiting.append(job)
    batches = [Batch((job,)) for job in waiting] if run.isolate else pack(waiting)
    yield from _run(batches, keys, run, problems)


def _known(system: System, memory: Memory | None) -> dict[str, list[Result | Skipped]]:
    """What is remembered of alerts that have not changed since they passed, by name."""
    if memory is None or not memory.has(system.name):
        return {}
    spans = {alert.name: alert.span for alert, _ in system.with_companions()}
    return memory.of_alerts(system.name, contents_of(system, memory.program), spans)


def _jobs(system: System, known: Container[str]) -> list[Job]:
    """What is to be proven of a system beside the alerts of which all is known."""
    names = {alert.name for alert in system.alerts if alert.name not in known}
    return jobs_of(system, proofs_of(system, names)) if names else []


def _wanted(job: Job, run: Run) -> bool:
    name = job.proof.alert.name
    if run.wants is everything:
        return True
    cases = {(check.severity, check.case) for check in job.proof.checks}
    return any(run.wants(id_of(job.system, name, severity, case)) for severity, case in cases)


def _skipped(systems: Sequence[System], known: Mapping[str, Container[str]], jobs: Sequence[Job]) -> Iterator[Skipped]:
    """The cases, or all cases, that alerts cannot have, but for those of which all is known."""
    cases: dict[int, set[tuple[str, str]]] = {}
    for job in jobs:
        cases.setdefault(id(job.proof.alert), set()).update((c.severity, c.case) for c in job.proof.checks)
    for system in systems:
        for alert, companion in system.with_companions():
            if alert.name in known[system.name]:
                continue
            reasons = [("", alert.unproven if alert.claim is None else TOO_LONG)]
            if alert.claim is not None and id(alert) in cases:
                reasons = inapplicable(alert, alert.claim, companion, cases[id(alert)])
            for case, reason in reasons:
                yield Skipped(system.name, alert.name, case, reason, alert.span)


def _run(batches: list[Batch], keys: Mapping[int, str], run: Run, problems: Problems) -> Iterator[Event]:
    """Run batches; those that error are split and run again. `keys`: what each job is remembered by, by its `id`."""
    while batches and not problems:
        again: list[Batch] = []
        for batch, verdict, raw in _verdicts(batches, run, problems):
            errors = [f"promtool could not evaluate it: {line}" for line in verdict.errors]
            errors += _strays(batch, verdict)
            if errors and len(batch.jobs) > 1:
                again += batch.halves()
                continue
            for job in batch.jobs:
                mine = [failure for failure in verdict.failures if _is_of(failure, job)]
                yield from _results(job, mine, raw, errors=errors)
                if run.memory is not None and not mine and not errors:
                    run.memory.remember(keys[id(job)])
        batches = again


def _is_of(failure: Failure, job: Job) -> bool:
    """Whether a failure is of one of a job's cases."""
    claim = job.proof.alert.claim
    if claim is not None and failure.alert == claim.missing:
        return any(check.case == "no-data" for check in job.proof.checks)
    named = any(rule.alert == failure.alert for rule in job.rules)
    return named and any(check.time == failure.time for check in job.proof.checks)


def _strays(batch: Batch, verdict: FileVerdict) -> Iterator[str]:
    """Failures that no case would show: nobody may take them for a success."""
    for failure in verdict.failures:
        if not any(_is_of(failure, job) for job in batch.jobs):
            yield f"{failure.alert or failure.expr} at {format_duration(failure.time)} is not as expected"


def _verdicts(batches: list[Batch], run: Run, problems: Problems) -> Iterator[tuple[Batch, FileVerdict, str]]:
    """Write the files of the batches, run promtool over them, read what it says."""
    from alertkit.toolchain import open_scratch

    with open_scratch(problems) as scratch:
        if scratch is None:
            return
        names = []
        for index, batch in enumerate(batches):
            rules, tests = batch.files()
            scratch.path.joinpath(f"b{index}.rules.yml").write_text(rules, encoding="utf-8")
            scratch.path.joinpath(f"b{index}.test.yml").write_text(
                tests.replace('"{rules}"', f"b{index}.rules.yml"), encoding="utf-8"
            )
            names.append(f"b{index}.test.yml")
        shares = shares_of([batch.cost for batch in batches], run.jobs or usable_cores())

        def commands(shares: list[list[int]]) -> list[list[str | Path]]:
            return [[run.promtool.path, "test", "rules", *(scratch.path / names[i] for i in share)] for share in shares]

        weights = [sum(len(job.proof.checks) for i in share for job in batches[i].jobs) for share in shares]
        done_so_far = 0

        def on_done(index: int, _: Finished | None) -> None:
            nonlocal done_so_far
            done_so_far += weights[index]
            run.progress(done_so_far, sum(weights))

        run.progress(0, sum(weights))
        cores = run.jobs or usable_cores()
        wave = cores if run.fail_fast else len(shares)
        for first in range(0, len(shares), wave):
            now = shares[first : first + wave]
            finished = run_many(
                commands(now), problems, jobs=run.jobs or None, timeout=TIMEOUT, scratch=scratch,
                on_done=lambda index, done, first=first: on_done(first + index, done),  # type: ignore[misc]
            )  # fmt: skip
            # Where promtool itself gave up, each file alone tells which one it was.
            alone = [[i] for share, done in zip(now, finished, strict=False) if _gave_up(share, done) for i in share]
            if alone:
                kept = [(share, done) for share, done in zip(now, finished, strict=False) if not _gave_up(share, done)]
                again = run_many(commands(alone), problems, jobs=run.jobs or None, timeout=TIMEOUT, scratch=scratch)
                now, finished = [share for share, _ in kept] + alone, [done for _, done in kept] + again
            for share, done in zip(now, finished, strict=False):
                if done is None:
                    return
                yield from _read(share, batches, done, run, problems)


def _gave_up(share: list[int], done: Finished | None) -> bool:
    return done is not None and done.crashed and len(share) > 1


def _read(
    share: list[int], batches: list[Batch], done: Finished, run: Run, problems: Problems
) -> Iterator[tuple[Batch, FileVerdict, str]]:
    verdicts = None if done.crashed else read_output(done.text, len(share))
    if verdicts is None:
        if len(share) == 1 and done.crashed:
            yield batches[share[0]], FileVerdict(False, [], [done.text.strip().split("\n")[0]]), ""
            return
        problems.add(
            "AK620", "promtool printed what alertkit cannot read", None,
            f"exit code {done.code}; its first line: {done.text.strip().splitlines()[0] if done.text.strip() else '-'}",
        )  # fmt: skip
        return
    raw = ""
    if any(not verdict.passed for verdict in verdicts):
        raw = _keep(run.keep, done.text, share[0])
    for index, verdict in zip(share, verdicts, strict=True):
        yield batches[index], verdict, raw


def _keep(folder: Path, text: str, number: int) -> str:
    """Keep promtool's own words; the name of the file, or nothing when it cannot be written."""
    place = folder / f"promtool-{number}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    except OSError:
        return ""
    return str(place)


def _results(
    job: Job, failures: list[Failure], raw: str, errors: Sequence[str] = (), cached: bool = False
) -> Iterator[Result]:
    """One result for each case of a job."""
    cases: dict[tuple[str, str], list[Check]] = {}
    for check in job.proof.checks:
        cases.setdefault((check.severity, check.case), []).append(check)
    companion = job.proof.alert.claim.missing if job.proof.alert.claim else None
    span = job.proof.alert.span
    for (severity, case), checks in cases.items():
        times = {check.time for check in checks}
        mine = [f for f in failures if f.time in times or (f.alert == companion and case == "no-data")]
        lines = list(errors)
        for failure in sorted(mine, key=lambda f: f.time):
            lines += details_of(failure, job, checks)
        yield Result(
            job.system, job.proof.alert.name, severity, case, not lines, span, len(checks), tuple(lines),
            raw, cached, tuple(sorted({failure.time for failure in mine})),
        )  # fmt: skip
