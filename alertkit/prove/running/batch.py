"""Packing proofs into few promtool test groups, each with exactly the rules that it needs.

promtool evaluates every rule of a test's rule files at every step, and each test group has a fixed price. So a batch
holds exactly its alerts' rules, with the records those read, and alerts whose inputs and names are disjoint share one
test group: none can see the others' series. Alerts that read a common metric go into different batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alertkit.compile.ruleset import Alert, Record, Rule, System
from alertkit.emit.promtool import TestGroup, test_file
from alertkit.emit.rules import group_text
from alertkit.promql import PromqlError, metric_names, parse
from alertkit.prove.derived.cases import Proof
from alertkit.prove.running.pool import MOST_COST

# A merged group is evaluated until its longest member ends, so only timelines of a like length are merged.
LENGTHS = 2.0
MOST = 250


@dataclass(frozen=True, slots=True)
class Job:
    """One proof with the rules it needs: its alert's, its companion's, and the records that those read."""

    system: str
    proof: Proof
    rules: tuple[Rule, ...]
    records: tuple[Record, ...]
    metrics: frozenset[str]
    alone: bool

    @property
    def length(self) -> int:
        """The last time at which anything is expected, in milliseconds."""
        group = self.proof.group
        times = [test.time for test in group.alert_tests] + [test.time for test in group.exprs]
        return max(times, default=0)

    @property
    def cost(self) -> float:
        """Evaluations of its rules."""
        return self.length / self.proof.grid.evaluation * (len(self.rules) + len(self.records))

    def files(self) -> tuple[str, str]:
        """The files of the job alone, as those of a batch."""
        return Batch((self,)).files()


# A test group costs as much as so many evaluations of one rule, before it has evaluated any.
GROUP = 100.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that share one test group."""

    jobs: tuple[Job, ...]

    @property
    def cost(self) -> float:
        """Evaluations of its rules, and as many more as a test group costs by itself."""
        return GROUP + sum(job.cost for job in self.jobs)

    def files(self) -> tuple[str, str]:
        """The texts of its rule file (to be named `<name>.rules.yml`) and its test file, which names `{rules}`."""
        records = {record.name: record for job in self.jobs for record in job.records}
        rules = {id(rule): rule for job in self.jobs for rule in job.rules}
        text = "groups:\n" + group_text("batch", "", None, tuple(records.values()), tuple(rules.values()))
        proofs = [job.proof for job in self.jobs]
        group = TestGroup(
            "batch", proofs[0].grid.step, tuple(s for p in proofs for s in p.group.series),
            tuple(t for p in proofs for t in p.group.alerts), tuple(t for p in proofs for t in p.group.exprs),
        )  # fmt: skip
        return text, test_file("", ["{rules}"], ["batch"], proofs[0].grid.evaluation, [group])

    def halves(self) -> tuple[Batch, Batch]:
        middle = len(self.jobs) // 2
        return Batch(self.jobs[:middle]), Batch(self.jobs[middle:])


def jobs_of(system: System, proofs: Iterable[Proof]) -> list[Job]:
    """What each proof of a system needs."""
    companions = {id(alert): companion for alert, companion in system.with_companions()}
    records = {record.name: record for record in system.records}
    needs: dict[int, tuple[tuple[Rule, ...], tuple[Record, ...], frozenset[str], bool]] = {}
    found = []
    for proof in proofs:
        key = id(proof.alert)
        if key not in needs:
            needs[key] = needs_of(proof.alert, companions[key], records)
        rules, read, metrics, alone = needs[key]
        found.append(Job(system.name, proof, rules, read, metrics, alone))
    return found


def needs_of(
    alert: Alert, companion: Alert | None, records: dict[str, Record]
) -> tuple[tuple[Rule, ...], tuple[Record, ...], frozenset[str], bool]:
    """The rules of an alert and its companion, the records and the metrics that they read, and whether that is all."""
    rules = list(alert.rules)
    if companion is not None:
        rules += companion.rules
    metrics: set[str] = set()
    read: dict[str, Record] = {}
    try:
        queue = [rule.expr for rule in rules]
        while queue:
            for name in sorted(metric_names(parse(queue.pop()))):
                if name in records:
                    if name not in read:
                        read[name] = records[name]
                        queue.append(records[name].expr)
                elif name != "ALERTS":
                    metrics.add(name)
    except PromqlError:
        return tuple(rules), tuple(records.values()), frozenset(), True
    order = {name: index for index, name in enumerate(records)}
    wanted = tuple(sorted(read.values(), key=lambda record: order[record.name]))
    return tuple(rules), wanted, frozenset(metrics), False


def pack(jobs: Sequence[Job]) -> list[Batch]:
    """Batches of jobs that may share a test group, in a stable order."""
    shelves: dict[tuple[int, int], list[Job]] = {}
    for job in jobs:
        shelves.setdefault((job.proof.grid.evaluation, job.proof.grid.step), []).append(job)
    batches = []
    for key in sorted(shelves):
        batches += _merged(sorted(shelves[key], key=lambda job: job.length))
    return batches


@dataclass(slots=True)
class _Open:
    jobs: list[Job]
    metrics: set[str]
    names: set[str]
    heeded: set[str]
    shortest: int
    cost: float


def _merged(jobs: list[Job]) -> list[Batch]:
    done: list[_Open] = []
    for job in jobs:
        names = {rule.alert for rule in job.rules}
        # An alert may be silent while another one fires, so those two are kept apart.
        heeded = set(job.proof.alert.unless)
        for batch in done:
            fits = not job.alone and len(batch.jobs) < MOST and job.length <= LENGTHS * max(batch.shortest, 1)
            fits = fits and batch.cost + job.cost <= MOST_COST
            if (
                fits
                and not (batch.metrics & job.metrics)
                and not (batch.names & (names | heeded) or batch.heeded & names)
            ):
                batch.jobs.append(job)
                batch.metrics |= job.metrics
                batch.names |= names
                batch.heeded |= heeded
                batch.cost += job.cost
                break
        else:
            limit = MOST if job.alone else 0
            done.append(_Open([job], set(job.metrics), names, heeded, job.length if not limit else 0, job.cost))
    return [Batch(tuple(batch.jobs)) for batch in done]
