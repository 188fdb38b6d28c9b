"""Proving: 1,000 alerts cold, against promtool at its best and against tests as people lay them out; mutants a second.

`python -m bench.proving` prints the figures. Seconds in ratios are CPU seconds (user and system, all processes) divided
by the cores: what wall time comes to when nothing else runs.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from alertkit.build import read_systems
from alertkit.compile.ruleset import System
from alertkit.emit.promtool import AlertTest, TestGroup, gathered, test_file
from alertkit.prove.derived.cases import proofs_of
from alertkit.prove.running.batch import Batch, Job, jobs_of, pack
from alertkit.source import Problems
from alertkit.spec.project import read_project
from alertkit.toolchain import find
from bench.figure import Figure, against
from bench.processes import environment, family, resident
from bench.specs import write_specs

ALERTS, FILES, MUTATED = 1_000, 20, 40
MANY, FILES_OF_MANY, MEGABYTES = 10_000, 100, 300
# Of the batches, to measure what promtool needs for one evaluation of one rule; of the cases, laid out plainly.
BATCHES, PLAIN = 24, 4
CORES = os.cpu_count() or 1


AGREEING = """\
#!/bin/sh
[ "$1" = test ] || exec {} "$@"
shift 2
for file; do printf 'Unit Testing:  %s\\n  SUCCESS\\n\\n' "$file"; done
"""


class Bench:
    """Projects in a temporary folder, with a cache of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(folder)
        promtool = find("promtool")
        if promtool is None:
            sys.exit("bench.proving needs promtool")
        self.promtool = promtool.path
        # The cache of tools that alertkit installed is elsewhere then.
        self.env["ALERTKIT_TOOLS"] = str(self.promtool.parent)

    def alertkit(self, root: Path, *arguments: str, **variables: str) -> tuple[str, float, float, float]:
        """What it printed, wall seconds, CPU seconds of it and all below, megabytes of its largest process."""
        command = [sys.executable, "-m", "alertkit", *arguments]
        before, begin = _used(), time.perf_counter()
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            process = subprocess.Popen(command, cwd=root, env=self.env | variables, stdout=output)
            largest, waiting = 0.0, threading.Event()
            while process.poll() is None:
                own = [pid for pid in family(process.pid) if _is_python(pid)]
                largest = max([largest, *map(resident, own)])
                waiting.wait(0.02)
            wall, cpu = time.perf_counter() - begin, _used() - before
            output.seek(0)
            text = output.read()
        if process.returncode not in (0, 1):  # a case that fails is told among the figures
            sys.exit(f"alertkit {' '.join(arguments)} failed:\n{text[-2000:]}")
        return text, wall, cpu, largest

    def agreeing(self) -> dict[str, str]:
        """The environment in which alertkit finds a promtool that says at once that all is well."""
        place = self.folder / "agreeing" / "promtool"
        place.parent.mkdir()
        place.write_text(AGREEING.format(self.promtool), encoding="utf-8")
        place.chmod(0o755)
        return {"ALERTKIT_TOOLS": str(place.parent)}

    def promtool_on(self, files: Sequence[Path]) -> float:
        """CPU seconds of one promtool over some test files; whether they pass does not matter."""
        before = _used()
        subprocess.run([self.promtool, "test", "rules", *files], capture_output=True, check=False)
        return _used() - before


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _is_python(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("python")
    except OSError:
        return False


def _systems(root: Path) -> list[System]:
    here = Path.cwd()
    os.chdir(root)
    try:
        problems = Problems()
        project = read_project(root, problems)
        assert project is not None
        return read_systems(project, problems)[1]
    finally:
        os.chdir(here)


def _evaluations(job: Job) -> int:
    return job.length // job.proof.grid.evaluation + 1


def _rules(jobs: Sequence[Job]) -> int:
    rules = {id(rule) for job in jobs for rule in job.rules}
    return len(rules) + len({record.name for job in jobs for record in job.records})


def _work(batch: Batch) -> int:
    """Rules times evaluations of a batch."""
    return _rules(batch.jobs) * max(map(_evaluations, batch.jobs))


def cost_of_evaluation(bench: Bench, batches: Sequence[Batch]) -> float:
    """CPU seconds of one evaluation of one rule, at the margin.

    The same files run twice, once with nothing to expect after the start: what starting, reading, and setting up a
    group cost is in both.
    """
    sample = batches[:: max(1, len(batches) // BATCHES)]
    whole, short = [], []
    place = bench.folder / "cost"
    place.mkdir()
    for index, batch in enumerate(sample):
        rules, tests = batch.files()
        (place / f"{index}.rules.yml").write_text(rules, encoding="utf-8")
        whole.append(place / f"{index}.test.yml")
        whole[-1].write_text(tests.replace('"{rules}"', f"{index}.rules.yml"), encoding="utf-8")
        grid = batch.jobs[0].proof.grid
        series = tuple(s for job in batch.jobs for s in job.proof.group.series)
        group = TestGroup("short", grid.step, series, gathered([AlertTest(0, "Nothing", ())]))
        text = test_file("", [f"{index}.rules.yml"], ["batch"], grid.evaluation, [group])
        short.append(place / f"{index}.short.yml")
        short[-1].write_text(text, encoding="utf-8")
    spent = [bench.promtool_on(whole) - bench.promtool_on(short) for _ in range(3)]
    return statistics.median(spent) / sum(map(_work, sample))


def plain_layout(bench: Bench, root: Path, jobs: Sequence[Job]) -> tuple[float, int]:
    """(CPU seconds for all cases laid out plainly, number of cases).

    Plainly means: all rule files of the project, one test group a case, one promtool. A few cases run so; what they
    need for each evaluation stands for all others, which differ in how many they have.
    """
    rules = [str(path) for path in sorted((root / "build" / "rules").glob("*.yml"))]
    groups = [path.rpartition("/")[2].removesuffix(".yml") for path in rules]
    cases: list[tuple[Job, TestGroup, int]] = []
    for job in jobs:
        for case in dict.fromkeys((check.severity, check.case) for check in job.proof.checks):
            times = {check.time for check in job.proof.checks if (check.severity, check.case) == case}
            alerts = gathered(test for test in job.proof.group.alert_tests if test.time in times)
            group = replace(job.proof.group, alerts=alerts, exprs=())
            cases.append((job, group, max(times) // job.proof.grid.evaluation + 1))
    sample = cases[len(cases) // PLAIN // 2 :: len(cases) // PLAIN][:PLAIN]
    place = bench.folder / "plain"
    place.mkdir()
    cpu = 0.0
    for index, (job, group, _) in enumerate(sample):
        path = place / f"{index}.test.yml"
        path.write_text(test_file("", rules, groups, job.proof.grid.evaluation, [group]), encoding="utf-8")
        cpu += bench.promtool_on([path])
    each = cpu / sum(count for _, _, count in sample)
    return each * sum(count for _, _, count in cases), len(cases)


def figures() -> Iterator[Figure]:
    """What was measured, its figure, its target and how the two compare, each as soon as it is known."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        root, small, large = (bench.folder / name for name in ("project", "few", "many"))
        specs = write_specs(root, ALERTS, FILES)
        write_specs(small, MUTATED, 2)
        text, wall, cpu, memory = bench.alertkit(root, "test")
        found = re.search(r"([0-9,]+) cases, ([0-9,]+) expectations", text)
        assert found is not None, text
        broken = re.search(r"([0-9,]+) cases? failed", text)
        yield Figure(f"the input: {ALERTS:,} alerts, {FILES} systems", f"{found[1]} cases", f"{found[2]} expectations")
        yield Figure("cases that fail", broken[1] if broken else "0")
        cases = int(found[1].replace(",", ""))
        yield Figure("test, cold, wall", f"{wall:.1f} s", f"{cases / wall:.0f} cases a second")
        _, again, again_cpu, _ = bench.alertkit(root, "test")
        yield against("test, nothing changed, wall", again, 0.5, "s", "limit")
        yield Figure("test, nothing changed, CPU time", f"{again_cpu:.2f} s")
        changed = specs[3].read_text(encoding="utf-8").replace("critical: 32GiB", "critical: 33GiB", 1)
        specs[3].write_text(changed, encoding="utf-8")
        _, one, one_cpu, _ = bench.alertkit(root, "test")
        yield against("test, one alert changed, wall", one, 1.0, "s", "limit")
        yield Figure("test, one alert changed, CPU time", f"{one_cpu:.2f} s")
        write_specs(large, MANY, FILES_OF_MANY)
        _, _, _, memory = bench.alertkit(large, "test", **bench.agreeing())
        yield against(
            f"peak memory at {MANY:,} alerts, largest process of Python", memory, MEGABYTES, "MB",
            "limit; promtool is a stand-in that agrees at once",
        )  # fmt: skip
        shutil.rmtree(large)
        jobs = [job for system in _systems(root) for job in jobs_of(system, proofs_of(system))]
        batches = pack(jobs)
        work = sum(map(_work, batches))
        cost = cost_of_evaluation(bench, batches)
        yield Figure("one evaluation of one rule in promtool", f"{cost * 1e6:.1f} us", f"{work:,} are needed")
        yield against(
            f"test, cold, CPU time a core (of {CORES})", cpu / CORES, 1.5 * work * cost / CORES, "s",
            "1.5 x promtool at best",
        )  # fmt: skip
        mutation, hunting, hunting_cpu, _ = bench.alertkit(small, "test", "--mutate", "--generated", "--format", "json")
        mutants = json.loads(mutation)["mutants"]
        yield Figure(
            f"mutants of {MUTATED} alerts", f"{mutants / hunting:.0f} a second",
            f"{mutants:,} in {hunting:.1f} s, {1000 * hunting_cpu / mutants:.1f} ms of CPU each",
        )  # fmt: skip
        plain, plain_cases = plain_layout(bench, root, jobs)
        yield against(
            "the plain layout, the same cases, CPU time", cpu, plain / 100, "s",
            f"1/100 of {plain:,.0f} s, from {PLAIN} of {plain_cases:,}",
        )  # fmt: skip


if __name__ == "__main__":
    for figure in figures():
        print(f"{figure.what:50} {figure.value:>20} {figure.target:>50} {figure.ratio:>6}")
