"""The branches of an expression - what stands beside `or`, `and`, `unless` - and whether any case saw them decide.

A branch is true where it has a result. promtool itself says so: along the very series of a case each branch is
recorded at every evaluation, and at the end promtool is asked how many records there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alertkit.compile.ruleset import Record, Rule
from alertkit.emit.promtool import ExprTest
from alertkit.emit.rules import group_text
from alertkit.promql import PromqlError, metric_names, parse, selectors, to_text, walk
from alertkit.promql.tree import SETS, Binary, Expr
from alertkit.promql.walk import unwrap
from alertkit.prove.running.output import read_output
from alertkit.prove.running.pool import Unit, outputs
from alertkit.source import Problems, Span
from alertkit.spec.duration import format_duration
from alertkit.toolchain import Tool

_GOT = re.compile(r"got: \{\} (\S+)")


class Branch(NamedTuple):
    """One operand of a set operator: its text, and the question that has a result exactly where it is true."""

    text: str
    question: str


def branches_of(rules: Iterable[Rule], records: Iterable[Record]) -> list[Branch]:
    """The branches of some rules and of the records that they read, each once, in the order of the text."""
    known = {record.name: record.expr for record in records}
    found: dict[str, Branch] = {}
    done: set[str] = set()
    queue = [rule.expr for rule in rules]
    while queue:
        text = queue.pop(0)
        if text in done:
            continue
        done.add(text)
        try:
            tree = parse(text)
        except PromqlError:
            continue
        for leaf in _leaves(tree):
            found.setdefault(to_text(leaf), Branch(to_text(leaf), _question(leaf)))
        queue += [known[name] for name in sorted(metric_names(tree)) if name in known]
    return list(found.values())


def _leaves(tree: Expr) -> Iterator[Expr]:
    """Operands that are no set operation themselves; one without any series is true always, so it decides nothing."""
    for node in walk(tree):
        if isinstance(node, Binary) and node.op in SETS:
            for side in map(unwrap, (node.left, node.right)):
                if not (isinstance(side, Binary) and side.op in SETS) and any(selectors(side)):
                    yield side


def _question(leaf: Expr) -> str:
    """`bool` makes a comparison 0 where it is false."""
    text = to_text(leaf)
    return f"group(({text}) != 0)" if isinstance(leaf, Binary) and leaf.bool else f"group({text})"


Asked = tuple[tuple[str, str], Branch]
"""An alert (system, name) and one of its branches."""

# The rule group that follows a branch along a timeline, and the names of its records.
GROUP = RECORD = "alertkit_branch"
# promtool's engine loads at most 10,000 samples for one question.
PIECE = 5000


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Branches that can be followed along the timeline of a case from `source`.

    Watched are the evaluations, `every` so many milliseconds, from `first` to `last`: before the first expectation
    there may be no data yet. `unit` makes the files of a run from the text of a rule group (named `GROUP`, to be
    evaluated last) and questions.
    """

    source: str
    asked: Sequence[Asked]
    every: int
    first: int
    last: int
    unit: Callable[[str, tuple[ExprTest, ...]], Unit]

    @property
    def evaluations(self) -> int:
        return (self.last - self.first) // self.every + 1

    def files(self, asked: Sequence[Asked]) -> Unit:
        """Each branch is recorded; how often it had a result, promtool says because none is expected."""
        span = Span("", 1, 1)
        records = [Record(f"{RECORD}_{i}", branch.question, span) for i, (_, branch) in enumerate(asked)]
        exprs = []
        for begin in range(0, self.evaluations, PIECE):
            count = min(PIECE, self.evaluations - begin)
            end = self.first + (begin + count - 1) * self.every
            window = format_duration((count - 1) * self.every + self.every // 2)
            exprs += [
                ExprTest(end, f"count_over_time({record.name}[{window}]) # b{i}", ())
                for i, record in enumerate(records)
            ]
        return self.unit(group_text(GROUP, "", None, tuple(records), ()), tuple(exprs))


@dataclass(slots=True)
class Seen:
    """The branches that were seen true, and false, each with the source of the first case that showed it."""

    true: dict[Asked, str] = field(default_factory=dict)
    false: dict[Asked, str] = field(default_factory=dict)

    def whole(self, asked: Asked) -> bool:
        return asked in self.true and asked in self.false

    def learn(self, inquiry: Inquiry, asked: Sequence[Asked], text: str) -> None:
        """Take in promtool's words on one timeline; one that it cannot evaluate shows nothing."""
        verdicts = read_output(text, 1)
        if verdicts is None or verdicts[0].errors:
            return
        counts = [0] * len(asked)
        for failure in verdicts[0].failures:
            got = _GOT.search("\n".join(failure.lines))
            if got is None:
                return
            counts[int(failure.expr.rpartition("# b")[2])] += int(float(got[1]))
        for one, count in zip(asked, counts, strict=True):
            if count:
                self.true.setdefault(one, inquiry.source)
            if count < inquiry.evaluations:
                self.false.setdefault(one, inquiry.source)


def ask(
    inquiries: Sequence[Inquiry], promtool: Tool, cores: int, problems: Problems,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Seen:  # fmt: skip
    """Ask promtool, in rounds: of each branch only until it was seen true and false. A tool that breaks is a problem.

    Earlier inquiries are asked first.
    """
    seen = Seen()
    waiting = list(inquiries)
    while waiting and not problems:
        progress(len(inquiries) - len(waiting), len(inquiries))
        taken: set[Asked] = set()
        now: list[tuple[Inquiry, list[Asked]]] = []
        later: list[Inquiry] = []
        for inquiry in waiting:
            open_ = [one for one in inquiry.asked if not seen.whole(one)]
            if open_ and not taken & set(open_):
                taken |= set(open_)
                now.append((inquiry, open_))
            elif open_:
                later.append(inquiry)
        waiting = later
        units = [inquiry.files(asked) for inquiry, asked in now]
        costs = [500.0 + inquiry.evaluations * len(asked) for inquiry, asked in now]
        for index, text in outputs(units, costs, promtool, cores, problems):
            seen.learn(*now[index], text)
    progress(len(inquiries), len(inquiries))
    return seen
