"""A drill: a marked synthetic alert goes through the running Alertmanager, and its own metrics say whether it arrived.

The marks: the label `alertkit_drill` and the prefix [DRILL] in the summary. It ends by itself after a few minutes, and
at once when the drill is over.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alertkit.deploy.alertmanager import Alertmanager
from alertkit.deploy.loaded_routing import AlertmanagerConfig, read_config
from alertkit.source import Problems

LABEL = "alertkit_drill"
_RETRY = 4.0
LIFE = 300.0  # seconds after which a drill's alert ends, whatever happens to the drill
_COUNTER = re.compile(r'alertmanager_notification_requests_(failed_)?total\{.*?integration="([a-z0-9]+)"')


@dataclass(frozen=True, slots=True)
class Drill:
    """An alert to send: its labels and annotations, without the marks."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a drill. `integrations` are (receiver, kind, state): delivered, failed or silent.

    `muted` says why nobody was told, if so; `interval` (ms) is how long a group that was told lately waits for more.
    """

    drill: Drill
    receivers: tuple[str, ...]
    integrations: tuple[tuple[str, str, str], ...]
    muted: str = ""
    interval: int = 0

    @property
    def good(self) -> bool:
        return bool(self.integrations) and all(state == "delivered" for *_, state in self.integrations)


def loaded_config(server: Alertmanager, problems: Problems) -> AlertmanagerConfig | None:
    """The configuration that Alertmanager runs with."""
    status = server.status(problems)
    return read_config(status.config) if status else None


def send(
    server: Alertmanager, config: AlertmanagerConfig, drill: Drill, problems: Problems, patience: float = 20.0
) -> Result | None:
    """Send one drill and wait for its messages: as long as the route waits, and `patience` seconds more.

    None and problems when Alertmanager does not take it.
    """
    mark = uuid.uuid4().hex[:8]
    alert = marked(drill, mark, LIFE)
    before = _counts(server, problems)
    if before is None or not server.post([alert], problems):
        return None
    try:
        return _watch(server, config, drill, mark, before, problems, patience)
    finally:
        server.post([marked(drill, mark, 0.0)], Problems())


def marked(drill: Drill, mark: str, life: float) -> dict[str, Any]:
    """The alert as it is posted, ending `life` seconds from now."""
    now = time.time()
    annotations = dict(drill.annotations)
    annotations["summary"] = f"[DRILL] {annotations.get('summary', drill.labels.get('alertname', ''))}"
    return {
        "labels": {**drill.labels, LABEL: mark},
        "annotations": annotations,
        "startsAt": _text(now - (0 if life else LIFE)),
        "endsAt": _text(now + life),
        "generatorURL": "http://127.0.0.1/alertkit-drill",
    }


def _watch(
    server: Alertmanager, config: AlertmanagerConfig, drill: Drill, mark: str, before: dict[str, tuple[float, float]],
    problems: Problems, patience: float,
) -> Result | None:  # fmt: skip
    nodes = config.router.routes({**drill.labels, LABEL: mark}) if config.router else []
    end = time.monotonic() + patience + max((node.group_wait for node in nodes), default=30_000) / 1000
    receivers: tuple[str, ...] = ()
    muted = ""
    found: tuple[tuple[str, str, str], ...] = ()
    decided = False
    while True:
        alerts = server.alerts(problems, f'{LABEL}="{mark}"')
        after = _counts(server, problems)
        if alerts is None or after is None:
            return None
        for alert in alerts:
            receivers = tuple(r["name"] for r in alert.get("receivers") or ())
            state = alert.get("status") or {}
            muted = "an inhibition" if state.get("inhibitedBy") else "a silence" if state.get("silencedBy") else ""
        found = tuple(_states(config, receivers, before, after))
        states = {state for *_, state in found}
        if found and "silent" not in states:  # what failed may be tried again, for a moment
            end = min(end, time.monotonic() + _RETRY) if "failed" in states and not decided else end
            decided = True
        if muted or states == {"delivered"} or time.monotonic() > end:
            interval = max((node.group_interval for node in nodes), default=0)
            return Result(drill, receivers, found, f"muted by {muted}" if muted else "", interval)
        time.sleep(0.2)


def _states(
    config: AlertmanagerConfig, receivers: Sequence[str],
    before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]],
) -> Iterator[tuple[str, str, str]]:  # fmt: skip
    """The metrics count by kind of integration: as many successes as there are entries of that kind are needed."""
    entries = [(name, kind) for name in receivers for kind in integrations(config, name)]
    for name, kind in entries:
        sent, failed = (after.get(kind, (0.0, 0.0))[i] - before.get(kind, (0.0, 0.0))[i] for i in (0, 1))
        needed = sum(other == kind for _, other in entries)
        state = "delivered" if sent - failed >= needed else "failed" if failed > 0 else "silent"
        yield name, kind, state


def integrations(config: AlertmanagerConfig, receiver: str) -> list[str]:
    """The kinds of integrations that a receiver has, as metrics name them, one for each entry."""
    for entry in config.data.get("receivers") or ():
        if entry.get("name") == receiver:
            return [k.removesuffix("_configs") for k, v in entry.items() if k.endswith("_configs") for _ in v]
    return []


def cover(config: AlertmanagerConfig, drills: Sequence[Drill]) -> tuple[list[Drill], list[str]]:
    """Few drills that reach every receiver once, and the receivers that none of the drills reaches."""
    left = {entry["name"] for entry in config.data.get("receivers") or () if integrations(config, entry["name"])}
    chosen: list[Drill] = []
    if config.router is None:
        return [], sorted(left)
    reach = [(drill, set(config.router.receivers(dict(drill.labels)))) for drill in drills]
    while left and reach:
        drill, names = max(reach, key=lambda pair: (len(pair[1] & left), -len(pair[1])))
        if not names & left:
            break
        chosen.append(drill)
        left -= names
    return chosen, sorted(left)


def _counts(server: Alertmanager, problems: Problems) -> dict[str, tuple[float, float]] | None:
    """Requests and failed requests by kind of integration."""
    metrics = server.metrics(problems)
    if metrics is None:
        return None
    found: dict[str, tuple[float, float]] = {}
    for name, value in metrics.items():
        match = _COUNTER.match(name)
        if match:
            sent, failed = found.get(match[2], (0.0, 0.0))
            found[match[2]] = (sent, failed + value) if match[1] else (sent + value, failed)
    return found


def _text(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
