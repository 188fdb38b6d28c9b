"""Whether an environment runs what was applied, evaluates it in time, and can tell people.

Each check gives rows: `ok`, `warn` (look at it) or `bad` (alerts may be lost); alerts that are active give rows
`firing` and `pending`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alertkit.deploy.alertmanager import Alertmanager
from alertkit.deploy.build import Build, expected_groups
from alertkit.deploy.compare import canonical, same_query
from alertkit.deploy.loaded import LoadedGroup
from alertkit.deploy.loaded_routing import read_config
from alertkit.deploy.plan import RULES_MANIFEST, config_hash, edited_files, owned_names
from alertkit.deploy.prometheus import Prometheus
from alertkit.deploy.state import State
from alertkit.deploy.target import Target
from alertkit.deploy.verify import differences
from alertkit.source import Problems
from alertkit.spec.duration import format_duration

OK, WARN, BAD, FIRING, PENDING = "ok", "warn", "bad", "firing", "pending"
_AFTER_RELOAD = 120.0  # after a reload Prometheus knows no Alertmanager for up to 5 s, and resends after a minute
_STALE = 600.0  # seconds after which a heartbeat that Alertmanager has not heard of anew is dead


@dataclass(frozen=True, slots=True)
class Row:
    """One finding: `check` is what was looked at, `where` the server or file, `state` ok, warn, bad, firing, pending.

    `details` are the parts of the text: of a group `group`, `rules`, `took_ms` and `interval_ms`; of an alert `alert`,
    `severity`, `group` and `count`, the number of its active instances.
    """

    check: str
    where: str
    state: str
    text: str
    details: dict[str, Any] = field(default_factory=dict)


def status(target: Target) -> Iterator[Row]:
    """All findings, server by server. Servers that cannot be asked are findings too."""
    state = State(target.state) if target.state else None
    yield from _applied(target, state)
    build = state.build(state.current, Problems()) if state and state.current else None
    wanted = expected_groups(build, Problems()) if build else None
    for server, folder in zip(target.prometheus, target.folders, strict=True):
        yield from _prometheus(target, server, folder, wanted)
    if target.alertmanager is not None:
        yield from _alertmanager(target, target.alertmanager, build)


def _applied(target: Target, state: State | None) -> Iterator[Row]:
    if state is None:
        return
    if state.read_journal(Problems()) is not None:
        yield Row("journal", str(state.journal), BAD, "an apply did not end; the next one finishes or undoes it")
    current = next((kept for kept in state.kept() if kept.number == state.current), None)
    if current is None:
        yield Row("applied", target.name, WARN, "alertkit has not applied anything here yet")
    else:
        by = current.by.partition(",")[0]
        yield Row("applied", target.name, OK, f"build {current.number}, {current.applied}, {by}")
    for path in edited_files(target, Problems()):
        yield Row("files", str(path), BAD, "changed by hand since the last apply")


def _prometheus(
    target: Target, server: Prometheus, folder: Path | None, wanted: tuple[LoadedGroup, ...] | None
) -> Iterator[Row]:
    loaded = server.rules(problems := Problems())
    if loaded is None:
        yield Row("prometheus", server.shown, BAD, problems[0].message)
        return
    if wanted is not None:
        drift = differences(wanted, loaded, rules_dir=folder, same_query=same_query,
                            removed=[n for n in owned_names(folder, RULES_MANIFEST) if n.endswith(".yml")])  # fmt: skip
        for text in drift[:10]:
            yield Row("rules", server.shown, BAD, f"not what was applied: {text}")
        if not drift:
            yield Row("rules", server.shown, OK, f"{sum(len(g.rules) for g in wanted)} rules as applied")
    state = server.reload_state(Problems())
    if state is not None and not state[0]:
        yield Row("reload", server.shown, BAD, "its last reload failed: it runs older files than are on disk")
    yield from _groups(server, loaded)
    yield from _sends(target, server, loaded)


def _groups(server: Prometheus, loaded: tuple[LoadedGroup, ...]) -> Iterator[Row]:
    active: dict[tuple[str, str, str, str], int] = {}
    for group in loaded:
        errors = [rule for rule in group.rules if rule.health == "err"]
        for rule in errors[:5]:
            said = " ".join(rule.last_error.split())[:200]
            yield Row("evaluation", server.shown, BAD, f"{rule.name} of {group.name} fails: {said}")
        took = group.took * 1000
        share = took / group.interval if group.interval else 0.0
        word = BAD if errors or share >= 1 else WARN if share >= 0.5 else OK
        details = {"group": group.name, "rules": len(group.rules), "took_ms": took, "interval_ms": group.interval}
        yield Row(
            "group", server.shown, word, group_text(group.name, len(group.rules), [took], group.interval), details
        )
        for rule in group.rules:
            for alert in rule.active:
                if canonical(rule.query) != "vector(1)":
                    key = (alert.state, rule.name, alert.labels.get("severity", ""), group.name)
                    active[key] = active.get(key, 0) + 1
    for (state, name, severity, place), count in sorted(active.items()):
        times = f", {count} times" if count > 1 else ""
        text = f"{name}{f' ({severity})' if severity else ''} in {place}{times}"
        details = {"alert": name, "severity": severity, "group": place, "count": count}
        yield Row("alert", server.shown, FIRING if state == "firing" else PENDING, text, details)


def group_text(name: str, rules: int, took: Sequence[float], interval: int) -> str:
    """How long a group takes against its interval; times in milliseconds, one of each server."""
    shown = list(dict.fromkeys(f"{value:.1f}" for value in (min(took), max(took))))
    return f"{name}: {rules} rule{'s' * (rules != 1)} in {' to '.join(shown)} ms of {format_duration(interval)}"


def _sends(target: Target, server: Prometheus, loaded: tuple[LoadedGroup, ...]) -> Iterator[Row]:
    ours = target.alertmanager
    if ours is None:
        return
    found = server.alertmanagers(problems := Problems())
    if found is None:
        yield Row("sends to", server.shown, BAD, problems[0].message)
    elif not found:
        yield Row("sends to", server.shown, BAD, "it knows no Alertmanager: nobody is told of anything")
    elif any(urlsplit(url).netloc == urlsplit(ours.url).netloc for url in found):
        yield Row("sends to", server.shown, OK, ours.shown)
    else:
        names = ", ".join(sorted(urlsplit(url).netloc for url in found))
        yield Row("sends to", server.shown, WARN, f"{names}, which may be {ours.shown} under another name")
    beats = [(g, r) for g in loaded for r in g.rules if r.kind == "alerting" and canonical(r.query) == "vector(1)"]
    for group, rule in beats:
        if not any(alert.state == "firing" for alert in rule.active):
            yield Row("heartbeat", server.shown, BAD, f"{rule.name} of {group.name} does not fire, as it always must")
    if not beats:
        yield Row("heartbeat", server.shown, WARN, "no dead man's switch: if alerting dies, nobody notices")
    for _, rule in beats:
        row = _heard(ours, rule.name)
        state = server.reload_state(Problems())
        if row.state == BAD and state is not None and time.time() - state[1] < _AFTER_RELOAD:
            said = f"{row.text} yet: Prometheus was reloaded lately and sends again after a minute"
            row = Row(row.check, row.where, WARN, said)
        yield row


def _heard(server: Alertmanager, name: str) -> Row:
    alerts = server.alerts(problems := Problems(), f'alertname="{name}"')
    if alerts is None:
        return Row("heartbeat", server.shown, BAD, problems[0].message)
    from alertkit.deploy.loaded import moment

    latest = max((moment(alert.get("updatedAt")) for alert in alerts), default=0.0)
    if not latest or time.time() - latest > _STALE:
        return Row("heartbeat", server.shown, BAD, f"Alertmanager does not hear {name}")
    receivers = sorted({r["name"] for alert in alerts for r in alert.get("receivers") or ()})
    return Row("heartbeat", server.shown, OK, f"{name} is heard, and sent to {', '.join(receivers)}")


def _alertmanager(target: Target, server: Alertmanager, build: Build | None) -> Iterator[Row]:
    found = server.status(problems := Problems())
    metrics = server.metrics(problems) if found else None
    if found is None or metrics is None:
        yield Row("alertmanager", server.shown, BAD, problems[0].message)
        return
    if build is not None and build.alertmanager is not None:
        same = metrics.get("alertmanager_config_hash") == config_hash(build.alertmanager)
        text = "configuration as applied" if same else "its configuration is not what was applied"
        yield Row("routing", server.shown, OK if same else BAD, text)
    yield from _notifications(server, metrics)
    if target.alertmanager_file is not None:
        yield from _secrets(target.alertmanager_file, found.config)


def _notifications(server: Alertmanager, metrics: Mapping[str, float]) -> Iterator[Row]:
    """Integrations whose notifications failed; bad where none ever arrived."""

    def by_kind(name: str) -> dict[str, float]:
        # Newer versions count by reason or receiver too: all of them are sums by integration.
        found: dict[str, float] = {}
        for key, value in metrics.items():
            if key.startswith(f"{name}{{"):
                kind = key.partition('integration="')[2].partition('"')[0]
                found[kind] = found.get(kind, 0.0) + value
        return found

    sent = by_kind("alertmanager_notifications_total")
    for kind, failed in sorted(by_kind("alertmanager_notifications_failed_total").items()):
        if failed > 0:
            none = failed >= sent.get(kind, 0.0)
            text = f"{kind}: {failed:g} of {sent.get(kind, 0.0):g} failed since it started"
            yield Row("notifications", server.shown, BAD if none else WARN, f"{text}{', none arrived' if none else ''}")


def _secrets(file: Path, text: str) -> Iterator[Row]:
    """The files of secrets that the loaded configuration names, where they are on this machine."""
    config = read_config(text)
    for path in sorted(set(_files(config.data if config else {}))):
        place = file.parent / path
        if not place.exists():
            yield Row("secret", str(place), BAD, "the file is missing: what needs it cannot be sent")
        elif not os.access(place, os.R_OK):
            yield Row("secret", str(place), WARN, "you may not read it; make sure that Alertmanager may")
        elif not place.is_file() or not place.stat().st_size:
            yield Row("secret", str(place), BAD, "the file is empty")
        else:
            yield Row("secret", str(place), OK, "readable")


def _files(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            if str(key).endswith("_file") and isinstance(value, str) and value:
                yield value
            else:
                yield from _files(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _files(value)
