"""The scenarios of a project, checked against its compiled rules and routing, ready to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from alertkit.build.inputs import Inputs
from alertkit.build.overlooked import overlooked
from alertkit.build.systems import Systems
from alertkit.prove.plain.folder import is_test, scenario_files
from alertkit.prove.running.results import Event
from alertkit.source import Problems
from alertkit.spec.project import Project
from alertkit.spec.version import Version

if TYPE_CHECKING:
    from alertkit.build.broken import Named
    from alertkit.compile.routing import Routable
    from alertkit.prove.running.runner import Run
    from alertkit.prove.scenarios.file import Prepared
    from alertkit.prove.scenarios.scenario import Scenario
    from alertkit.routing.answer import Oracle
    from alertkit.routing.check import Expectation
    from alertkit.routing.situations import Situation
    from alertkit.spec.routing import Loaded


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Scenarios that can be run; `notified` are their expectations of the routing, with what answers them.

    `files` are the routing files; without any, the rest of the routing is empty.
    """

    prepared: Sequence[Prepared]
    notified: Sequence[tuple[Scenario, Expectation]]
    oracle: Oracle | None
    alerts: Sequence[Situation]
    files: Sequence[Loaded] = ()

    def prove(self, run: Run, problems: Problems) -> Iterator[Event]:
        """All of them, and what is to be said of the routing as a whole, as events."""
        if self.prepared:
            from alertkit.prove.scenarios.run import prove_scenarios

            yield from prove_scenarios(self.prepared, run, problems)
        if self.oracle is not None and not problems:
            from alertkit.prove.scenarios.notified import notified_id, prove_notified, routing_notes

            wanted = [pair for pair in self.notified if run.wants(notified_id(*pair))]
            yield from prove_notified(wanted, self.oracle, self.alerts)
            yield from routing_notes(self.oracle, self.alerts, self.files)


def read_project_scenarios(
    project: Project, inputs: Inputs, systems: Systems, problems: Problems, version: Version | None = None,
    alerts: Sequence[Routable] | None = None, broken: Mapping[str, Named] | None = MappingProxyType({}),
) -> Scenarios:  # fmt: skip
    """Read all scenario files; mistakes in them, and what they would prove of nothing, are problems.

    `version` is the Alertmanager that the routing is written for (None: the one that the project names), `alerts` what
    is routed (None: found in the systems, of which only those that scenarios are about are looked at otherwise).
    `broken` are systems that could not be compiled, and may hold those that could (None: not all are known).
    """
    scenarios: Sequence[Scenario] = ()
    prepared: Sequence[Prepared] = ()
    overlooked(project, project.tests, problems, is_test)
    if scenario_files(project.tests):
        from alertkit.prove.scenarios.read import read_files, read_scenarios
        from alertkit.prove.scenarios.run import prepare
        from alertkit.prove.scenarios.scenario import Clock

        files = read_files(project.tests, None if broken is None else {*systems.names, *broken}, problems)
        told = systems.kept({one.file.system for one in files} & systems.names)
        intervals = {name: one.interval for name, one in (broken or {}).items()}
        intervals |= {system.name: system.interval for system in told}
        sure = not project.doubts & {"scrape_interval", "evaluation_interval"}
        clock = Clock(project.file.scrape_interval, project.file.evaluation_interval, intervals if sure else {})
        scenarios = read_scenarios(files, clock, problems)
        compiled = {system.name for system in told}
        prepared = prepare([one for one in scenarios if one.system in compiled], told, problems)
        for one in scenarios:
            if broken and one.system not in compiled:
                _check_names(one, broken[one.system], problems)
    if inputs.routing:
        from alertkit.routing.situations import routables

        alerts = routables(systems) if alerts is None else alerts
        return _routed(prepared, scenarios, inputs, alerts, version or inputs.alertmanager_version, problems)
    for scenario in scenarios if inputs.whole else ():
        for key in list(scenario.notified)[:1]:
            problems.add(
                "AK522", "the project has no routing", scenario.place("expect", key),
                "write `alertmanager/routing.yaml`: receivers, a default and routes",
            )  # fmt: skip
    return Scenarios(prepared, (), None, ())


def _check_names(scenario: Scenario, named: Named, problems: Problems) -> None:
    """Of a scenario whose system could not be compiled: alerts that its spec surely does not have."""
    from alertkit.prove.scenarios.fit import unknown_alert

    for statement in scenario.statements:
        if statement.alert and not named.may_have(statement.alert):
            unknown_alert(scenario, statement, named.alerts, problems)


def _routed(
    prepared: Sequence[Prepared], scenarios: Sequence[Scenario], inputs: Inputs, alerts: Sequence[Routable],
    version: Version, problems: Problems,
) -> Scenarios:  # fmt: skip
    from alertkit.compile.route_tree import compile_routing
    from alertkit.prove.scenarios.notified import read_notified
    from alertkit.routing.answer import Oracle
    from alertkit.routing.situations import situations

    notified = read_notified(scenarios, problems)
    # Whatever is wrong with the routing has been said when it was compiled.
    routing = compile_routing(inputs.routing, alerts, Problems(), version, templates=inputs.templates)
    oracle = None if routing is None else Oracle(routing)
    return Scenarios(prepared, notified, oracle, situations(alerts), inputs.routing)
