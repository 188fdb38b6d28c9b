"""Whether a scenario fits the rules: that nothing in it could pass without having proven anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alertkit.compile.ruleset import Alert
from alertkit.prove.scenarios.reads import Reads, holds
from alertkit.prove.scenarios.scenario import Line, Scenario
from alertkit.prove.scenarios.statement import EXACTLY, FIRES, INACTIVE, PENDING, SILENT, Statement
from alertkit.routing.expectations import read_alert
from alertkit.source import Problems, Span
from alertkit.spec.duration import LOOKBACK, format_duration
from alertkit.spec.validate import nearest, suggest


def check_fit(scenario: Scenario, reads: Reads, problems: Problems) -> None:
    """Add a problem for whatever would be proven of nothing."""
    _series(scenario, reads, problems)
    if not scenario.sound:
        for statement in scenario.statements:
            if statement.alert:
                _alert(scenario, reads, statement, problems)
        _notified(scenario, reads, problems)
        return
    _clock(scenario, reads, problems)
    for statement in scenario.statements:
        _times(scenario, reads, statement, problems)
        if statement.alert:
            _alert(scenario, reads, statement, problems)
    _possible(scenario, reads, problems)
    _notified(scenario, reads, problems)


def _series(scenario: Scenario, reads: Reads, problems: Problems) -> None:
    for line in scenario.lines:
        if any(reads.reads(alert, labels) for alert in reads.system.alerts for labels in line.labels):
            continue
        metric = line.labels[0]["__name__"]
        known = reads.metrics()
        if metric in known:
            help = f"{metric} is read, but only with other labels; compare the alerts' `where:` and `job:`"
        else:
            close = nearest(metric, known)
            help = f"did you mean `{close}`?" if close else f"{scenario.system} has no alert on it; remove the line"
        problems.add("AK816", f"no rule of {scenario.system} reads `{line.text}`", line.span, help)


def _clock(scenario: Scenario, reads: Reads, problems: Problems) -> None:
    """An evaluation interval of the scenario's own must not round any `for`."""
    if "evaluate" not in _keys(scenario):
        return
    _, alerts = reads.slice(scenario.series, [s.alert for s in scenario.statements if s.alert])
    for alert in alerts:
        for rule in alert.rules:
            for hold, key in ((rule.for_, "for"), (rule.keep_firing_for, "keep_firing_for")):
                if hold % scenario.evaluation:
                    problems.add(
                        "AK812", f"`{key}: {format_duration(hold)}` of {alert.name} would be rounded up",
                        scenario.value("evaluate"), f"evaluate at an interval that divides {format_duration(hold)}",
                    )  # fmt: skip
                    return


def _keys(scenario: Scenario) -> Sequence[str]:
    data = scenario.document.data
    for part in scenario.path:
        data = data[part]
    return list(data)


def _times(scenario: Scenario, reads: Reads, statement: Statement, problems: Problems) -> None:
    step, span = scenario.evaluation, scenario.document.key(statement.path[: len(scenario.path) + 2])
    for time in dict.fromkeys((statement.begin, statement.end)):
        if time % step and statement.when != "throughout":
            before = time - time % step
            after = format_duration(before + step)
            problems.add(
                "AK819", f"at {format_duration(time)} no rule is evaluated", span,
                f"rules are evaluated every {format_duration(step)}: say {format_duration(before)} or {after}",
            )  # fmt: skip
            return
    end = scenario.end
    if end is not None and statement.end > end:
        problems.add(
            "AK819", f"at {format_duration(statement.end)} there is no data any more", span,
            f"the last series ends at {format_duration(end)}: make it last, or expect it earlier",
        )  # fmt: skip
        return
    for line in _behind(scenario, reads, statement):
        if line.end is not None and statement.end > line.end + LOOKBACK:
            problems.add(
                "AK819", f"the data of `{line.text}` ended {format_duration(statement.end - line.end)} before", span,
                f"say what it does until {format_duration(statement.end)}: `freeze`, or `gap` or `stale` if it is gone",
            )  # fmt: skip
            return


def _behind(scenario: Scenario, reads: Reads, statement: Statement) -> list[Line]:
    """The lines that a statement is about."""
    if not statement.alert:
        return list(scenario.lines)
    alerts = reads.alerts.get(statement.alert, [])
    wanted = {m.label: m for m in statement.matchers if m.op == "="}
    return [
        line for line in scenario.lines
        if any(
            reads.reads(alert, labels) and all(holds("=", m.value, labels.get(n, m.value)) for n, m in wanted.items())
            for alert in alerts for labels in line.labels
        )
    ]  # fmt: skip


def unknown_alert(scenario: Scenario, statement: Statement, known: Iterable[str], problems: Problems) -> None:
    """Add that a statement is about an alert that its system does not have."""
    problems.add(
        "AK818", f"{scenario.system} has no alert `{statement.alert}`",
        _within(scenario, statement, statement.alert), suggest(statement.alert, known),
    )  # fmt: skip


def _alert(scenario: Scenario, reads: Reads, statement: Statement, problems: Problems) -> None:
    alerts = reads.alerts.get(statement.alert)
    if not alerts:
        unknown_alert(scenario, statement, reads.alerts, problems)
        return
    for matcher in statement.matchers:
        _label(scenario, reads, statement, alerts, matcher.label, matcher.op, matcher.value, problems)
    known = {name for alert in alerts for rule in alert.rules for name, _ in rule.annotations}
    for name, _ in statement.annotations:
        if name not in known:
            place = _within(scenario, statement, name, "annotations", name)
            problems.add("AK818", f"{statement.alert} has no annotation `{name}`", place, suggest(name, known))
    if (
        scenario.sound
        and statement.state in (SILENT, INACTIVE)
        and not any(reads.reads(alert, labels) for alert in alerts for labels in scenario.series)
    ):
        problems.add(
            "AK816", f"no series here is read by {statement.alert}, so it is silent whatever its rule says",
            statement.span, "add a series that it reads, or remove the expectation",
        )  # fmt: skip


def _label(
    scenario: Scenario, reads: Reads, statement: Statement, alerts: Sequence[Alert], name: str, op: str, value: str,
    problems: Problems,
) -> None:  # fmt: skip
    rules = [rule for alert in alerts for rule in alert.rules]
    if name in ("alertname", "alertstate") or not any(
        name in dict(rule.labels) or reads.labels(rule).may_have(name) for rule in rules
    ):
        known = {label for rule in rules for label in dict(rule.labels)}
        known |= {label for alert in alerts for label in alert.identity or ()}
        place = _within(scenario, statement, name, "labels", name)
        problems.add("AK818", f"{statement.alert} cannot have the label `{name}`", place, suggest(name, known))
        return
    if not scenario.sound or op not in ("=", "=~") or holds(op, value, ""):
        return
    possible: set[str] = set()
    for alert in alerts:
        values = reads.values(alert, name, scenario.series)
        if values is None:
            return
        possible |= values
    if not any(holds(op, value, one) for one in possible):
        place = _within(scenario, statement, value, "labels", name)
        problems.add(
            "AK818", f"no {statement.alert} here can have {name}{op}\"{value}\"", place,
            suggest(value, possible) if possible else f"no series here has the label `{name}`",
        )  # fmt: skip


def _within(scenario: Scenario, statement: Statement, word: str, *path: str) -> Span:
    """Where a word of a statement stands; `path` leads to it where the statement is a mapping."""
    data = scenario.document.data
    for part in statement.path:
        data = data[part]
    if isinstance(data, str):
        return scenario.document.within(statement.path, max(data.find(word), 0), len(word))
    if path and isinstance(data.get(path[0]), dict) and path[1] in data[path[0]]:
        return scenario.document.value((*statement.path, *path))
    return scenario.document.value((*statement.path, "exactly" if "exactly" in data else "alert"))


def _possible(scenario: Scenario, reads: Reads, problems: Problems) -> None:
    """Something must be able to fire."""
    if not scenario.statements and not scenario.notified:
        return
    hopes = [s for s in scenario.statements if s.state in (FIRES, PENDING, EXACTLY)]
    if hopes or any(reads.reads(alert, one) for alert in reads.system.alerts for one in scenario.series):
        return
    problems.add(
        "AK816", "nothing could ever fire in this scenario", scenario.place(),
        f"give it series that rules of {scenario.system} read",
    )  # fmt: skip


def _notified(scenario: Scenario, reads: Reads, problems: Problems) -> None:
    fires = {s.alert for s in scenario.statements if s.state in (FIRES, EXACTLY)}
    meant = {nearest(name, reads.alerts) for name in fires - reads.alerts.keys()}  # None: any may be
    for when, told in scenario.notified.items():
        for key in told if isinstance(told, dict) else ():
            labels = read_alert(str(key), scenario.system)
            if labels is None or labels["system"] != scenario.system:
                continue  # no alert, or another system's: said by the routing
            name, place = labels["alertname"], scenario.place("expect", when, key)
            if name not in reads.alerts:
                problems.add("AK818", f"{scenario.system} has no alert `{name}`", place, suggest(name, reads.alerts))
            elif scenario.sound and None not in meant and name not in fires | meant:
                problems.add(
                    "AK816", f"{name} is never expected to fire here, so nobody would be notified", place,
                    f"expect it to fire too: `at 8m: {name} fires`",
                )  # fmt: skip
