"""A scenario as plain promtool files: the rules it needs, its series, and each expectation as an expression.

promtool compares alerts exactly, with every label and annotation. A partial expectation therefore becomes a question
about `ALERTS` that has one answer: `count(ALERTS{alertname="X",alertstate="firing",l="v"}) > bool 0` is 1, or a
selection of `ALERTS` is empty; over a range of time, the same of a subquery with a step for each evaluation. So
promtool itself gives the verdict. `exactly` is promtool's own `alert_rule_test`.

Annotations are no part of `ALERTS`. For them, and to say what happened instead of what was expected, a second file
reads what promtool got: its expectations cannot be met, so that promtool prints all that fires.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from alertkit.compile.ruleset import Alert, Record
from alertkit.emit.promtool import AlertTest, ExpectedAlert, ExprTest, InputSeries, TestGroup, gathered, test_file
from alertkit.emit.rules import group_text
from alertkit.prove.scenarios.scenario import Scenario
from alertkit.prove.scenarios.statement import (
    EXACTLY,
    FIRES,
    INACTIVE,
    NOTHING,
    NOTHING_ELSE,
    PENDING,
    SILENT,
    Statement,
)
from alertkit.spec.duration import format_duration
from alertkit.spec.selector import quoted

RULES = "{rules}"
# promtool's engine loads at most 10,000 samples for one question.
PIECE = 500
# No alert has this name, so no expectation of it is met.
UNMET = "alertkit_reading"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scenario with its slice of the rules; `times[i]` are the evaluations (ms) of its i-th statement."""

    scenario: Scenario
    records: tuple[Record, ...]
    alerts: tuple[Alert, ...]
    times: tuple[tuple[int, ...], ...]

    @property
    def rules(self) -> str:
        """The text of the rule file."""
        rules = tuple(rule for alert in self.alerts for rule in alert.rules)
        return "groups:\n" + group_text("scenario", "", None, self.records, rules)

    @property
    def reads(self) -> list[tuple[str, int]]:
        """The alerts and times whose annotations are compared."""
        return [
            (statement.alert, time)
            for statement, times in zip(self.scenario.statements, self.times, strict=True)
            if statement.annotations and statement.state != EXACTLY
            for time in times
        ]

    def files(self) -> tuple[str, str]:
        """Rule file and test file, which names `{rules}`: this is also what a passed scenario is remembered by."""
        alerts, exprs = [], []
        exact: dict[tuple[str, int], list[Statement]] = {}
        for index, (statement, times) in enumerate(zip(self.scenario.statements, self.times, strict=True)):
            if statement.state == EXACTLY:
                for time in times:
                    exact.setdefault((statement.alert, time), []).append(statement)
            else:
                exprs += self._exprs(index, statement, times)
        for (name, time), statements in exact.items():
            expected = tuple(ExpectedAlert(s.labels, s.annotations) for s in statements)
            alerts.append(AlertTest(time, name, expected))
        rules, tests = self.rules, self._file(tuple(alerts), tuple(exprs))
        texts = [f"{s.alert} {s.annotations}" for s in self.scenario.statements if s.annotations]
        return rules, "".join(f"# {text}\n".replace("\n", " ").strip() + "\n" for text in texts) + tests

    def reading(self, moments: Iterable[tuple[str, int]]) -> str:
        """A test file that fails on purpose, and so tells all states, and the annotations of some alerts, at times."""
        wanted = sorted(set(moments))
        unmet = ExpectedAlert((("alertkit", "reading"),), ())
        alerts = tuple(AlertTest(time, name, (unmet,)) for name, time in wanted if name)
        times = sorted({time for _, time in wanted})
        exprs = tuple(ExprTest(time, f"ALERTS # t{time}", ((UNMET, 1.0),)) for time in times)
        return self._file(alerts, exprs)

    def asking(self, exprs: tuple[ExprTest, ...], last: str) -> str:
        """A test file that asks for expressions over the scenario's series; the rule group `last` comes last."""
        return self._file((), exprs, last)

    def _file(self, alerts: tuple[AlertTest, ...], exprs: tuple[ExprTest, ...], *last: str) -> str:
        scenario = self.scenario
        series = tuple(
            InputSeries(_name(labels), notation)
            for line in scenario.lines
            for labels, notation in zip(line.labels, line.notations, strict=True)
            if notation
        )
        group = TestGroup("scenario", scenario.step, series, gathered(alerts), exprs)
        return test_file("", [RULES], ["scenario", *last], scenario.evaluation, [group])

    def _exprs(self, index: int, statement: Statement, times: Sequence[int]) -> list[ExprTest]:
        """The questions of a partial expectation; their comment says whose they are."""
        found = []
        every = self.scenario.evaluation
        for (selection, wanted), group in groupby(times, lambda time: self._selection(statement, time)):
            same = list(group)
            for at in range(0, len(same), PIECE):
                piece = same[at : at + PIECE]
                end = piece[-1]
                if len(piece) == 1 and wanted:
                    found.append(ExprTest(end, f"count({selection}) > bool 0 # e{index}", (("{}", 1.0),)))
                elif len(piece) == 1:
                    found.append(ExprTest(end, f"{selection} # e{index}", ()))
                else:  # one question for many evaluations: the fewest (or the most) alerts at any of them
                    span = f"{format_duration(end - piece[0] + every // 2)}:{format_duration(every)}"
                    counts = f"(count({selection}) or vector(0))[{span}]"
                    expr = f"{'min' if wanted else 'max'}_over_time({counts}) > bool 0 # e{index}"
                    found.append(ExprTest(end, expr, (("{}", 1.0 if wanted else 0.0),)))
        return found

    def _selection(self, statement: Statement, time: int) -> tuple[str, bool]:
        """What selects the alerts that a statement is about, and whether there must be some or none."""
        if statement.state == NOTHING:
            return 'ALERTS{alertstate="firing"}', False
        if statement.state == NOTHING_ELSE:
            said = [
                _states(other, "firing")
                for other, times in zip(self.scenario.statements, self.times, strict=True)
                if other.state in (FIRES, EXACTLY) and time in times
            ]
            rest = f" unless ({' or '.join(dict.fromkeys(said))})" if said else ""
            return f'ALERTS{{alertstate="firing"}}{rest}', False
        if statement.state in (FIRES, PENDING):
            return _states(statement, "firing" if statement.state == FIRES else "pending"), True
        assert statement.state in (SILENT, INACTIVE)
        return _states(statement, "firing" if statement.state == SILENT else ""), False


def _states(statement: Statement, state: str) -> str:
    """The selector of a statement's alerts in a state (empty: any)."""
    matchers = [f"alertname={quoted(statement.alert)}"]
    matchers += [f"alertstate={quoted(state)}"] if state else []
    matchers += [str(matcher) for matcher in statement.matchers]
    return f"ALERTS{{{','.join(matchers)}}}"


def _name(labels: dict[str, str]) -> str:
    rest = ",".join(f"{name}={quoted(value)}" for name, value in sorted(labels.items()) if name != "__name__")
    return labels["__name__"] + (f"{{{rest}}}" if rest else "")


def evaluations(statements: Sequence[Statement], evaluation: int) -> tuple[tuple[int, ...], ...]:
    """The times at which each statement is checked: every evaluation of its range."""
    return tuple(
        tuple(range(-(-s.begin // evaluation) * evaluation, s.end + 1, evaluation)) or (s.begin,) for s in statements
    )
