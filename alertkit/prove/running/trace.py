"""The signal around a failure as promtool itself sees it, for pictures.

One further run of promtool over the failed alerts alone. It asks for the signal and for the alert's state at some
forty evaluations and expects a sample that never comes, so that promtool prints what is there instead. Whatever goes
wrong here means that there is no picture; it is never an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alertkit.compile.ruleset import System
from alertkit.emit.promtool import ExprTest, TestGroup, test_file
from alertkit.prove.derived.cases import proofs_of
from alertkit.prove.running.batch import Batch, Job, jobs_of
from alertkit.prove.running.output import Failure, read_output
from alertkit.prove.running.results import Moment, Result, Trace
from alertkit.prove.running.runner import Run
from alertkit.source import Problems
from alertkit.spec.selector import quoted
from alertkit.toolchain import open_scratch, run

POINTS = 40
# Where nearly everything fails, pictures of all of it help nobody.
MOST = 50
TIMEOUT = 60.0

_SAMPLE = re.compile(r"(\{(?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*\}) ([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf)|NaN)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_SIGNAL, _STATE = "# signal", "# state"
# No series has this name, so no expectation of it is met.
_UNMET = (("alertkit_picture", 1.0),)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A failed case with the timeline that proves it and the evaluations to look at."""

    result: Result
    job: Job
    times: tuple[int, ...]


Samples = Mapping[int, list[tuple[str, float]]]


def traces_of(systems: Sequence[System], results: Sequence[Result], settings: Run) -> dict[str, Trace]:
    """Traces of the failed generated cases among `results`, by their id; what cannot be had is left out."""
    wanted = _wanted(systems, [r for r in results if not r.passed and r.alert and r.failed_at][:MOST])
    jobs = list({id(one.job): one.job for one in wanted}.values())
    problems = Problems()
    with open_scratch(problems) as scratch:
        if scratch is None or not jobs:
            return {}
        paths = []
        for index, job in enumerate(jobs):
            times = sorted({time for one in wanted if one.job is job for time in one.times})
            rules, _ = Batch((job,)).files()
            scratch.path.joinpath(f"p{index}.rules.yml").write_text(rules, encoding="utf-8")
            path = scratch.path / f"p{index}.test.yml"
            path.write_text(_questions(job, times, f"p{index}.rules.yml"), encoding="utf-8")
            paths.append(path)
        done = run([settings.promtool.path, "test", "rules", *paths], problems, timeout=TIMEOUT, scratch=scratch)
    verdicts = None if done is None or done.crashed else read_output(done.text, len(jobs))
    if verdicts is None:
        return {}
    seen = {id(job): verdict.failures for job, verdict in zip(jobs, verdicts, strict=True)}
    traces = {one.result.id: _trace(one, seen[id(one.job)]) for one in wanted}
    return {name: trace for name, trace in traces.items() if trace is not None}


def _wanted(systems: Sequence[System], failed: Sequence[Result]) -> list[_Wanted]:
    names = {(result.system, result.alert) for result in failed}
    jobs: dict[tuple[str, str], list[Job]] = {}
    for system in systems:
        if any(name == system.name for name, _ in names):
            for job in jobs_of(system, proofs_of(system)):
                jobs.setdefault((system.name, job.proof.alert.name), []).append(job)
    found = []
    for result in failed:
        for job in jobs.get((result.system, result.alert), ()):
            times = [c.time for c in job.proof.checks if (c.severity, c.case) == (result.severity, result.case)]
            if set(times) & set(result.failed_at) and job.proof.alert.claim is not None:
                found.append(_Wanted(result, job, _window(job, times, result.failed_at)))
                break
    return found


def _window(job: Job, times: Sequence[int], failed_at: Sequence[int]) -> tuple[int, ...]:
    """The evaluations of a case with some before and after, thinned out to `POINTS`."""
    step = job.proof.grid.evaluation
    begin, end = min(times), max(times)
    if begin == end:
        begin = max((c.time for c in job.proof.checks if c.time < begin), default=0)
    room = max((end - begin) // 4 // step, 3) * step
    begin, end = max(0, begin - room), min(job.length, end + room)
    stride = step * max(1, math.ceil(((end - begin) // step + 1) / POINTS))
    inside = {time for time in failed_at[:1] if begin <= time <= end}
    return tuple(sorted({*range(begin, end + 1, stride), *inside}))


def _questions(job: Job, times: Sequence[int], rules: str) -> str:
    claim, group = job.proof.alert.claim, job.proof.group
    assert claim is not None
    states = f"ALERTS{{alertname={quoted(job.proof.alert.name)}}} {_STATE}"
    exprs = [ExprTest(time, expr, _UNMET) for time in times for expr in (f"{claim.signal} {_SIGNAL}", states)]
    asked = TestGroup("picture", group.interval, group.series, (), tuple(exprs))
    return test_file("", [rules], ["batch"], job.proof.grid.evaluation, [asked])


def _trace(one: _Wanted, failures: Sequence[Failure]) -> Trace | None:
    signal = _worst({f.time: _samples(f) for f in failures if f.expr.endswith(_SIGNAL)})
    states = {f.time: _samples(f) for f in failures if f.expr.endswith(_STATE)}
    claim = one.job.proof.alert.claim
    if claim is None or not signal:
        return None
    levels = [b for b in claim.boundaries if one.result.severity in ("", b.severity)]
    moments = tuple(
        Moment(time, signal.get(time), _state(states.get(time, []), one.result.severity))
        for time in one.times
        if time in states
    )
    if not moments or not levels:
        return None
    return Trace(moments, tuple((b.severity, b.comparison) for b in levels), one.result.failed_at[0])


def _samples(failure: Failure) -> list[tuple[str, float]]:
    """(labels, value) of everything that promtool got."""
    got = next((line.strip() for line in failure.lines if line.strip().startswith("got:")), "")
    return [(labels, float(value)) for labels, value in _SAMPLE.findall(got)]


def _worst(samples: Samples) -> dict[int, float]:
    """Of several series the one that moves most: the others stay at rest."""
    series: dict[str, dict[int, float]] = {}
    for time, found in samples.items():
        for labels, value in found:
            if not math.isnan(value):
                series.setdefault(labels, {})[time] = value
    return max(series.values(), key=lambda s: (max(s.values()) - min(s.values()), len(s)), default={})


def _state(alerts: Sequence[tuple[str, float]], severity: str) -> str:
    """`firing` if any alert of the severity (empty: any) fires, else `pending` if one is, else empty."""
    labels = [dict(_PAIR.findall(text)) for text, _ in alerts]
    found = {one.get("alertstate", "") for one in labels if severity in ("", one.get("severity"))}
    return next((state for state in ("firing", "pending") if state in found), "")
