"""`notified:` of scenarios: who would be told of the alerts that fire in them, answered by the compiled routing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alertkit.prove.running.results import Event, Note, Planned, Result, id_of
from alertkit.prove.scenarios.scenario import Scenario
from alertkit.routing.answer import Oracle, shown_labels
from alertkit.routing.check import Expectation, check
from alertkit.routing.expectations import NOBODY, expectations_of
from alertkit.routing.situations import Situation
from alertkit.source import Problems
from alertkit.spec.routing import Loaded


def read_notified(scenarios: Sequence[Scenario], problems: Problems) -> list[tuple[Scenario, Expectation]]:
    """The expectations of all scenarios, as the routing checks them."""
    found = []
    for scenario in scenarios:
        if scenario.notified:
            name = scenario.path[-1]
            found += [(scenario, e) for e in expectations_of(scenario.document, problems, only=str(name))]
    return found


def prove_notified(
    expectations: Sequence[tuple[Scenario, Expectation]], oracle: Oracle, alerts: Sequence[Situation]
) -> Iterator[Event]:
    """One result for each alert that a scenario says someone is notified of."""
    yield Planned(len(expectations))
    for scenario, expected in expectations:
        lines = [found.message for found in check(oracle, alerts, (), [expected]) if found.fails]
        assert expected.span is not None
        yield Result(scenario.system, "", "", _case(scenario, expected), not lines, expected.span, 1, tuple(lines))


def notified_id(scenario: Scenario, expected: Expectation) -> str:
    """The id of the result of one expectation."""
    return id_of(scenario.system, "", "", _case(scenario, expected))


def _case(scenario: Scenario, expected: Expectation) -> str:
    told = ", ".join(expected.receivers) or NOBODY
    labels = {name: value for name, value in expected.labels.items() if name != "system"}
    alert = shown_labels(labels) if len(labels) > 1 else labels["alertname"]
    return f"{scenario.name}, {expected.when}: {alert}: {told}"


def routing_notes(oracle: Oracle, alerts: Sequence[Situation], files: Sequence[Loaded]) -> Iterator[Event]:
    """What the routing as a whole leaves unused or takes twice; none of it fails."""
    for found in check(oracle, alerts, files):
        yield Note(found.message, found.span)
