"""Routing files and alerts -> the routing tree.

The tree, from its first child on: heartbeats alone; receivers that alerts name themselves (`notify:`), going on to
the rest; alerts with a calendar of their own (`active:`), each under a copy of the files' routes that keeps its times;
the files' routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from alertkit.compile import inhibition
from alertkit.compile.circles import check_circles
from alertkit.compile.intervals import Intervals, Times
from alertkit.compile.reach import check_reach, holds
from alertkit.compile.receivers import compile_receiver
from alertkit.compile.routing import NO_OTHERS, OLDEST, Matcher, Others, Receiver, Routable, Route, Routing, Version
from alertkit.compile.routing_names import NameCheck
from alertkit.source import Problems
from alertkit.spec.receivers import Defaults
from alertkit.spec.routing import Loaded, Timing, all_names, conflicts, name_problems
from alertkit.spec.routing import Route as RouteSpec

MINUTE = 60_000


class Pace(NamedTuple):
    """When a group is told, in ms; None where it inherits."""

    group_wait: int | None = None
    group_interval: int | None = None
    repeat: int | None = None


# Sane times by severity, in ms: a page goes out at once and is repeated each hour, a note may wait.
BY_SEVERITY = {
    "critical": Pace(10_000, MINUTE, 60 * MINUTE),
    "warning": Pace(30_000, 5 * MINUTE, 240 * MINUTE),
    "info": Pace(MINUTE, 10 * MINUTE, 1440 * MINUTE),
}
GROUP_BY = ("system", "alertname")
DEFAULT_TEMPLATES = "alertkit.tmpl"


def compile_routing(
    files: Sequence[Loaded],
    alerts: Iterable[Routable],
    problems: Problems,
    version: Version = OLDEST,
    templates: Iterable[str] = (DEFAULT_TEMPLATES,),
) -> Routing | None:
    """The whole routing of a project; None when there is no routing file, or on mistakes, which are in `problems`.

    `templates` are names of template files, which are put into the folder `templates` beside `alertmanager.yml`.
    """
    if not files:
        return None
    before = len(problems)
    routing = draft_routing(files, alerts, problems, version, templates)
    return routing if len(problems) == before else None


def draft_routing(
    files: Sequence[Loaded],
    alerts: Iterable[Routable],
    problems: Problems,
    version: Version = OLDEST,
    templates: Iterable[str] = (DEFAULT_TEMPLATES,),
    others: Others | None = NO_OTHERS,
) -> Routing:
    """The same of a project with mistakes: what can be made of what could be read, for checking it.

    `others` are the alerts that could not be compiled; None where not all of them are known.
    """
    tree = _Compiler(files, tuple(alerts), problems, version, others)
    return replace(tree.compiled(), templates=tuple(f"templates/{name}" for name in templates))


class _Compiler:
    def __init__(
        self, files: Sequence[Loaded], alerts: tuple[Routable, ...], problems: Problems, version: Version,
        others: Others | None,
    ) -> None:  # fmt: skip
        self.files, self.alerts, self.problems, self.version, self.others = files, alerts, problems, version, others
        self.receivers = {name: (spec, loaded) for loaded in files for name, spec in loaded.file.receivers.items()}
        # Of a calendar with mistakes it is not known when it is open.
        self.intervals = Intervals({
            name: spec for loaded in files for name, spec in loaded.file.calendars.items()
            if loaded.sound("calendars", name)
        })  # fmt: skip
        self.severities = {**BY_SEVERITY}
        for loaded in files:
            for name, timing in loaded.file.severities.items():
                self.severities[name] = _over(timing, self.severities.get(name))

    def compiled(self) -> Routing:
        conflicts(self.files, self.problems)
        name_problems(self.files, self.problems)
        severities = self._known_severities()
        NameCheck(self.files, self.alerts, self.receivers, severities, self.version, self.problems).run()
        if all(loaded.sound("routes") for loaded in self.files):
            check_reach(self.files, self.problems)
        root = self._root()
        people = self._told(root)
        receivers = tuple(self._receiver(name, name not in people) for name in self.receivers)
        own = inhibition.from_files(self.files, self.alerts, self.others, self.problems)
        check_circles(self.alerts, own, self.problems)
        rules = (*inhibition.by_severity(self.alerts), *inhibition.by_unless(self.alerts), *own)
        sources = tuple(loaded.path for loaded in self.files)
        return Routing(root, receivers, rules, self.intervals.compiled(), sources, version=self.version)

    def _receiver(self, name: str, ping: bool) -> Receiver:
        """One receiver; of one with mistakes, only what has nothing to do with them is a problem."""
        spec, loaded = self.receivers[name]
        found = Problems()
        receiver = compile_receiver(name, spec, loaded, self._defaults(loaded), self.version, ping, found)
        doubts = [loaded.doubted_settings("receivers", name), *(f.doubted_settings("defaults") for f in self.files)]
        for problem in found:
            if all(keys is not None and not any(f"`{key}`" in problem.message for key in keys) for keys in doubts):
                self.problems.append(problem)
        return receiver

    def _known_severities(self) -> frozenset[str] | None:
        """Those that any alert has or a file speaks of; None where not all are known."""
        given = all_names(self.files, "severities")
        if given is None or self.others is None:
            return None
        own = {level.get("severity", "") for alert in self.alerts for level in alert.levels} - {""}
        return given | own | BY_SEVERITY.keys() | self.others.severities

    def _defaults(self, loaded: Loaded) -> list[Defaults]:
        """What the integrations of a file's receivers have, the nearest first: its team's own, then everybody's."""
        shared = [other.file.defaults for other in self.files if other.file.team is None]
        given = [defaults for defaults in shared if defaults.model_fields_set][:1]
        return [loaded.file.defaults, *given] if loaded.file.team is not None else given

    def _told(self, root: Route) -> set[str]:
        """Receivers that anything but a heartbeat reaches."""
        found: set[str] = set()

        def visit(route: Route) -> None:
            if route.origin != HEARTBEAT:
                found.update([route.receiver] if route.receiver else [])
                for child in route.routes:
                    visit(child)

        visit(root)
        return found

    # The tree

    def _root(self) -> Route:
        default = next((loaded for loaded in self.files if loaded.file.default is not None), None)
        if default is None and all(loaded.sound("default") for loaded in self.files):
            first = self.files[0]
            self.problems.add(
                "AK502", "there is no default receiver, so what no route matches would be lost",
                first.key("receivers"), "add `default: NAME` with one of the receivers",
            )  # fmt: skip
        name = default.file.default if default else None
        timing = Pace()
        for loaded in self.files:
            timing = _over(timing, _over(loaded.file, None))
        timing = _over(timing, BY_SEVERITY["warning"])
        grouped = next((loaded.file.group_by for loaded in self.files if loaded.file.group_by is not None), None)
        group_by = GROUP_BY if grouped is None else tuple(grouped)
        own = self._own(Times(), None)
        notify, branches = self._notify(), self._branches(name)
        if notify:  # an alert that names a receiver is told to the default one too if no route takes it
            own = [Route(name, routes=tuple(own), origin="everything, also what was told above")]
        children = (*self._heartbeats(), *notify, *branches, *own)
        return Route(
            name, (), children, False, group_by, timing.group_wait, timing.group_interval, timing.repeat,
            span=default.value("default") if default else None,
        )  # fmt: skip

    def _heartbeats(self) -> list[Route]:
        groups: dict[tuple[str, str], list[str]] = {}
        for alert in self.alerts:
            if alert.heartbeat_receiver:
                groups.setdefault((alert.system, alert.heartbeat_receiver), []).append(alert.name)
        # Sent at each group_interval: repeat must be a little shorter, or every second one is skipped.
        return [
            Route(receiver, (Matcher("system", "=", system), inhibition.alert_matcher(names)), (), False, GROUP_BY,
                  0, MINUTE, 50_000, origin=HEARTBEAT)
            for (system, receiver), names in groups.items()
        ]  # fmt: skip

    def _notify(self) -> list[Route]:
        groups: dict[tuple[str, str, Times], list[Routable]] = {}
        for alert in self.alerts:
            for name in dict.fromkeys(alert.notify):
                groups.setdefault((alert.system, name, _own_times(alert)), []).append(alert)
        found = []
        for (system, receiver, times), members in groups.items():
            active, mute = self.intervals.of(times, members[0].span, self.problems)
            matchers = (Matcher("system", "=", system), inhibition.alert_matcher(a.name for a in members))
            found.append(Route(
                receiver, matchers, continue_=True, active=active, mute=mute,
                origin="the alerts' own `notify:`", span=members[0].span,
            ))  # fmt: skip
        return found

    def _branches(self, default: str | None) -> list[Route]:
        groups: dict[tuple[str, Times], list[Routable]] = {}
        for alert in self.alerts:
            if (alert.active or alert.mute) and not alert.heartbeat_receiver:
                groups.setdefault((alert.system, _own_times(alert)), []).append(alert)
        found = []
        for (system, times), members in groups.items():
            self.intervals.check(times, members[0].span, self.problems)
            active, mute = self.intervals.of(times, members[0].span, self.problems)
            if not active and not mute:  # a market that never closes
                continue
            matchers = (Matcher("system", "=", system), inhibition.alert_matcher(a.name for a in members))
            levels = [level for member in members for level in member.levels]
            found.append(Route(
                default, matchers, tuple(self._own(times, levels)), active=active, mute=mute,
                origin=OWN_TIMES, span=members[0].span,
            ))  # fmt: skip
        return found

    def _own(self, times: Times, levels: Sequence[Mapping[str, str]] | None) -> list[Route]:
        """The files' routes within `times`; with `levels`, without those that none of these label sets can match."""
        return [
            node
            for loaded in self.files
            for index, route in enumerate(loaded.file.routes)
            for node in self._nodes(_At(loaded, ("routes", index), times, None), route, levels)
        ]

    def _nodes(self, at: _At, spec: RouteSpec, levels: Sequence[Mapping[str, str]] | None) -> list[Route]:
        if levels is not None:
            levels = [level for level in levels if _possible(spec.match, level)]
            if not levels:
                return []
        span = at.loaded.key(*at.path)
        severity = next((m.value for m in spec.match if m.label == "severity" and m.op == "="), at.severity)
        fixed = severity if severity != at.severity else None
        timing = _over(spec, self.severities.get(fixed) if fixed else None)
        inner = _At(at.loaded, at.path, at.times.narrowed(spec.active, spec.mute), severity)
        if levels is None:
            self.intervals.check(inner.times, span, self.problems)
        nested = [
            node
            for index, child in enumerate(spec.routes)
            for node in self._nodes(replace(inner, path=(*at.path, "routes", index)), child, levels)
        ]
        active, mute = self.intervals.of(inner.times, span, self.problems)
        receivers = list(dict.fromkeys(spec.to))
        node = Route(
            receivers[0] if receivers else None, spec.match, tuple(nested), spec.continue_,
            tuple(spec.group_by) if spec.group_by is not None else None,
            timing.group_wait, timing.group_interval, timing.repeat, active, mute, "", span,
        )  # fmt: skip
        if len(receivers) < 2:
            return [node]
        if not spec.routes:
            last = len(receivers) - 1
            return [
                replace(node, receiver=name, continue_=index < last or spec.continue_)
                for index, name in enumerate(receivers)
            ]
        for index, child in enumerate(spec.routes):
            if child.continue_:
                self.problems.add(
                    "AK518", "a nested route with `continue` under a route with several receivers",
                    at.loaded.key(*at.path, "routes", index, "continue"),
                    "name all its receivers in its own `to:` instead of `continue`",
                )  # fmt: skip
        told = [Route(name, continue_=i < len(receivers) - 1, active=active, mute=mute, span=span)
                for i, name in enumerate(receivers)]  # fmt: skip
        return [replace(node, routes=(*nested, *told))]


HEARTBEAT = "heartbeats, which never reach people"
OWN_TIMES = "the alerts' own `active:` or `mute:`"


def _own_times(alert: Routable) -> Times:
    return Times().narrowed([alert.active] if alert.active else [], [alert.mute] if alert.mute else [])


@dataclass(frozen=True, slots=True)
class _At:
    """Where in the files a route stands, and what it has from the routes around it."""

    loaded: Loaded
    path: tuple[str | int, ...]
    times: Times
    severity: str | None


def _over(own: Timing | Pace, below: Pace | None) -> Pace:
    """`own` with what it leaves open taken from `below`."""
    under = below or Pace()
    return Pace(
        own.group_wait if own.group_wait is not None else under.group_wait,
        own.group_interval if own.group_interval is not None else under.group_interval,
        own.repeat if own.repeat is not None else under.repeat,
    )


def _possible(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether an alert with these static labels, and maybe others, can fit the matchers."""
    return all(
        matcher.label not in labels or "{{" in labels[matcher.label] or holds(matcher, labels[matcher.label])
        for matcher in matchers
    )
