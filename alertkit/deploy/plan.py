"""What an apply would change: rules, routing, files, alerts that fire now, and who would be told differently."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alertkit.deploy.buckets import out_of_reach
from alertkit.deploy.build import Build, expected_groups
from alertkit.deploy.compare import Comparison, Difference, compare
from alertkit.deploy.effects import Effect, effects
from alertkit.deploy.files import Change, edited, manifest_names, plan_folder
from alertkit.deploy.loaded import LoadedGroup, LoadedRule
from alertkit.deploy.loaded_routing import AlertmanagerConfig, differences, read_config
from alertkit.deploy.target import Target
from alertkit.source import Problems

RULES_MANIFEST = ".alertkit-rules.yml"
ALERTMANAGER_MANIFEST = ".alertkit-alertmanager.yml"


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """One Prometheus: what differs from the build, and what that does to its active alerts."""

    url: str
    comparison: Comparison
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of one alert: names of receivers, before and after."""

    alert: str
    severity: str
    system: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`routing` are the differences of Alertmanager's configuration outside the routes; `edited` are files that
    somebody changed by hand since alertkit wrote them; `changes` the files that an apply writes (None: it cannot).
    """

    environment: str
    build: Build
    wanted: tuple[LoadedGroup, ...]
    servers: tuple[ServerPlan, ...]
    told: tuple[Told, ...]
    routing: tuple[Difference, ...]
    edited: tuple[Path, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def empty(self) -> bool:
        """Whether nothing changes in meaning; files may still differ in their comments."""
        return not self.told and not self.routing and all(server.comparison.empty for server in self.servers)


def make_plan(target: Target, build: Build, problems: Problems, overwrite: bool = True) -> Plan | None:
    """Ask the servers and the folders; None and problems when one cannot be asked. Nothing is changed.

    Not `overwrite`: files that were changed by hand since the last apply are problems (AK731).
    """
    before = len(problems)
    wanted = expected_groups(build, problems)
    changes = plan_files(target, build, problems)
    touched = edited_files(target, problems)
    if not overwrite and changes is not None:
        written = {change.path for change in changes}
        for path in touched:
            if path in written:
                problems.add(
                    "AK731", f"{path} was changed by hand since the last apply",
                    help="bring the change into the spec, or give --overwrite: it is copied first",
                )  # fmt: skip
    if wanted is None or changes is None:
        return None
    servers: list[ServerPlan] = []
    for server, folder in zip(target.prometheus, target.folders, strict=True):
        loaded = server.rules(problems)
        if loaded is None:
            continue
        comparison = Comparison((), (), tuple(loaded), 0)
        if build.rules:
            comparison = compare(wanted, loaded, folder, owned_names(folder, RULES_MANIFEST))
        servers.append(ServerPlan(server.shown, comparison, tuple(effects(comparison, server, loaded))))
    pairs = servers[0].comparison.pairs if servers else [(rule, rule) for group in wanted for rule in group.rules]
    told, routing, notes = _routing(target, build, pairs, problems)
    # What one of a pair says of its histograms, the other would say again.
    beyond = next((said for server in target.prometheus if (said := tuple(out_of_reach(server, wanted)))), ())
    if len(problems) > before:
        return None
    return Plan(
        target.name, build, wanted, tuple(servers), told, routing, tuple(touched), tuple(changes), (*notes, *beyond)
    )


def plan_files(target: Target, build: Build, problems: Problems) -> list[Change] | None:
    """All files that must change; none yet does."""
    changes: list[Change] = []
    before = len(problems)
    for folder in target.rules_dirs if build.rules else ():
        changes += plan_folder(folder, build.rules, RULES_MANIFEST, problems, span=target.places.get(folder)) or []
    file = target.alertmanager_file
    if file is not None and build.alertmanager is not None:
        wanted = {file.name: build.alertmanager, **{f"templates/{n}": raw for n, raw in build.templates.items()}}
        place = target.places.get(file.parent)
        changes += plan_folder(file.parent, wanted, ALERTMANAGER_MANIFEST, problems, file.name, place) or []
    return changes if len(problems) == before else None


def edited_files(target: Target, problems: Problems) -> list[Path]:
    """Files whose content is no longer what alertkit wrote."""
    found: list[Path] = []
    for folder in target.rules_dirs:
        found += edited(folder, RULES_MANIFEST)
    if target.alertmanager_file is not None:
        found += edited(target.alertmanager_file.parent, ALERTMANAGER_MANIFEST)
    return found


def owned_names(folder: Path | None, manifest: str) -> list[str]:
    """The names of the files that alertkit wrote into a folder."""
    try:
        return manifest_names((folder / manifest).read_bytes()) if folder else []
    except OSError:
        return []


def config_hash(content: bytes) -> float:
    """What Alertmanager's metric `alertmanager_config_hash` is for a file with this content."""
    return float(int.from_bytes(hashlib.md5(content, usedforsecurity=False).digest()[:6], "little"))


_Pairs = Sequence[tuple[LoadedRule | None, LoadedRule | None]]


def _routing(
    target: Target, build: Build, pairs: _Pairs, problems: Problems
) -> tuple[tuple[Told, ...], tuple[Difference, ...], tuple[str, ...]]:
    server = target.alertmanager
    if server is None or build.alertmanager is None:
        return (), (), ()
    loaded = server.config_hash(problems)
    status = server.status(problems) if loaded is not None else None
    if loaded is None or status is None:
        return (), (), ()
    if loaded == config_hash(build.alertmanager):
        same = read_config(build.alertmanager)
        return tuple(_told(pairs, same, same)) if same else (), (), ()
    exact = _on_disk(target.alertmanager_file, loaded)
    old = read_config(exact if exact is not None else status.config)
    new = read_config(build.alertmanager)
    if old is None or new is None:
        return (), (Difference("alertmanager.yml", "another configuration", "the build's"),), ()
    notes: tuple[str, ...] = ()
    if old.router is None or new.router is None:
        notes = ("the loaded routes cannot be read here, so it is not known who would be told differently",)
    found = differences(old.data, new.data, exact is not None)
    return tuple(_told(pairs, old, new)), (*found, *_routes(old, new)), notes


def _routes(old: AlertmanagerConfig, new: AlertmanagerConfig) -> list[Difference]:
    """Routes as lines, each with its path: what was added, removed or changed in the tree."""
    if old.router is None or new.router is None:
        return []
    ones, others = ({_route_path(n): n for n in config.router.nodes} for config in (old, new) if config.router)
    found = [
        Difference("route", f"{path} -> {ones[path].receiver}", "", "removed") for path in ones if path not in others
    ]
    found += [
        Difference("route", "", f"{path} -> {others[path].receiver}", "added") for path in others if path not in ones
    ]
    from alertkit.spec.duration import format_duration

    for path, node in others.items():
        there = ones.get(path)
        if there is None:
            continue
        for word in ("receiver", "group_by", "group_wait", "group_interval", "repeat"):
            was, will = getattr(there, word), getattr(node, word)
            if was != will:
                texts = [format_duration(v) if isinstance(v, int) else v if isinstance(v, str) else ", ".join(v)
                         for v in (was, will)]  # fmt: skip
                found.append(Difference(f"{word} of route {path}", *texts))
        for word in ("active", "mute"):
            was, will = getattr(there.route, word), getattr(node.route, word)
            if was != will:
                found.append(Difference(f"{word} of route {path}", ", ".join(was), ", ".join(will)))
    return found


def _route_path(node: object) -> str:
    steps = [", ".join(sorted(map(str, step.route.matchers))) for step in node.path[1:]]  # type: ignore[attr-defined]
    return " / ".join(step or "everything" for step in steps) or "default"


def _on_disk(file: Path | None, loaded: float) -> bytes | None:
    """The file that Alertmanager has loaded, if it still stands there."""
    try:
        content = file.read_bytes() if file else None
    except OSError:
        return None
    return content if content is not None and config_hash(content) == loaded else None


def _told(pairs: _Pairs, old: AlertmanagerConfig, new: AlertmanagerConfig) -> Iterable[Told]:
    if old.router is None or new.router is None:
        return
    seen: set[tuple[str, ...]] = set()
    for before, after in pairs:
        rule = after or before
        if rule is None or rule.kind != "alerting":
            continue
        was = tuple(dict.fromkeys(old.router.receivers(_labels(before)))) if before else ()
        will = tuple(dict.fromkeys(new.router.receivers(_labels(after)))) if after else ()
        labels = _labels(rule)
        key = (rule.name, labels.get("severity", ""), labels.get("system", ""), *was, "", *will)
        if was != will and key not in seen:
            seen.add(key)
            yield Told(rule.name, labels.get("severity", ""), labels.get("system", ""), was, will)


def _labels(rule: LoadedRule) -> dict[str, str]:
    """The labels that are known of a rule's alerts."""
    return {name: value for name, value in rule.labels.items() if "{{" not in value} | {"alertname": rule.name}
