"""A running Alertmanager notifies exactly whom the router said, with inhibition and calendars."""

from __future__ import annotations

import datetime
import random
import time
import zoneinfo
from pathlib import Path

import pytest

from alertkit.compile.route_tree import compile_routing
from alertkit.emit.alertmanager import alertmanager_yaml
from alertkit.emit.notifications import default_template
from alertkit.routing.answer import Oracle
from alertkit.source import Problems, load
from alertkit.source.problem import draw_all
from alertkit.spec.routing import load_routing
from tests.routing.amtools import Tools, found
from tests.routing.helpers import alert, routing_of
from tests.routing.scratch import Sink, alertmanager

SERVERS = [tool for tool in found() if tool.alertmanager]

ROUTING = """
defaults:
  slack: {{webhook_file: {secrets}/slack}}
  pagerduty: {{routing_key_file: {secrets}/key, url: "{url}/enqueue"}}
receivers:
  default: {{webhook: {{url: "{url}/default"}}}}
  web: {{webhook: {{url: "{url}/web"}}}}
  web-oncall: {{webhook: {{url: "{url}/web-oncall"}}, slack: {{channel: "#web"}}, pagerduty: {{}}}}
  db: {{webhook: {{url: "{url}/db"}}}}
  audit: {{webhook: {{url: "{url}/audit"}}}}
  own: {{webhook: {{url: "{url}/own"}}}}
  beat: {{webhook: {{url: "{url}/beat"}}}}
default: default
group_by: ["..."]
group_wait: 3s
severities: {{critical: {{group_wait: 3s}}, warning: {{group_wait: 3s}}, info: {{group_wait: 3s}}}}
calendars:
  all_day: {{times: 00:00-24:00, months: {months}}}
  never: {{months: {other_month}}}
routes:
  - {{match: {{severity: "=~ critical|warning", n: "!~ 1.*"}}, to: audit, continue: true}}
  - match: {{team: web}}
    to: web
    routes:
      - {{match: {{severity: critical}}, to: [web-oncall, audit]}}
      - {{match: {{severity: info}}, to: web, mute: all_day}}
  - {{match: {{team: [db, cache]}}, to: [db, audit], active: all_day}}
  - {{match: {{team: night}}, to: db, active: never}}
inhibit:
  - {{when: NodeDown, mutes: {{instance: same}}}}
"""

ALERTS = (
    alert("Slow", "info", "warning", "critical", team="web", identity=("instance",)),
    alert("Errors", "warning", "critical", team="web", identity=("instance", "job"), unless=("Deploying",)),
    alert("Deploying", "info", team="web", identity=("job",)),
    alert("NodeDown", "critical", team="db", identity=("instance",)),
    alert("Lag", "warning", team="cache", identity=("topic",), notify=("own",)),
    alert("Batch", "warning", team="night", identity=()),
    alert("Odd", "critical", team="nobody", identity=("job",), notify=("own", "audit")),
    alert("Sleepy", "warning", "critical", team="web", identity=("instance",), active="never"),
    alert("Lunch", "warning", team="web", identity=(), active="all_day", mute="never"),
    alert("Quiet", "warning", team="web", identity=(), mute="all_day", notify=("own",)),
    alert("Watchdog", "info", team="web", heartbeat_receiver="beat"),
)


def firing(count: int, rng: random.Random) -> list[dict[str, str]]:
    """Mixed alerts, each with a label `n` of its own that tells it apart."""
    values = {
        "instance": [*map("i{}".format, range(30)), ""],
        "job": [*map("job{}".format, range(30))],
        "topic": ["orders", "fills"],
    }  # fmt: skip
    alerts = []
    for index in range(count):
        # The heartbeats are one group, whose first message does not wait for the others: one of them is enough.
        chosen = ALERTS[index % len(ALERTS)] if index < len(ALERTS) else ALERTS[index % (len(ALERTS) - 1)]
        labels = dict(chosen.levels[int(rng.random() * len(chosen.levels))])
        for name in chosen.identity or ():
            value = values[name][int(rng.random() * len(values[name]))]
            if value:
                labels[name] = value
        alerts.append({**labels, "n": str(index)})
    return alerts


@pytest.mark.parametrize("tool", SERVERS, ids=str)
def test_told_as_predicted(tool: Tools, tmp_path: Path) -> None:
    with Sink() as sink:
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "slack").write_text(f"{sink.url}/slack")
        (secrets / "key").write_text("0123456789")
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates" / "alertkit.tmpl").write_text(default_template())
        now = datetime.datetime.now(datetime.UTC)
        other = (now + datetime.timedelta(days=70)).strftime("%B").lower()
        months = ":".join(f"{now + datetime.timedelta(days):%B}".lower() for days in (0, 1))
        problems = Problems()
        text = ROUTING.format(url=sink.url, secrets=secrets, other_month=other, months=months)
        document = load(text, "routing.yaml", problems)
        loaded = document and load_routing(document, problems)
        routing = compile_routing([loaded], ALERTS, problems) if loaded else None
        assert routing, draw_all(problems)
        oracle = Oracle(routing)
        alerts = firing(90, random.Random(11))
        expected = {
            labels["n"]: sorted(oracle.answer(labels, now, [a for a in alerts if a is not labels]).messages)
            for labels in alerts
        }
        inhibited = {a["n"] for a in alerts if oracle.answer(a, now, [b for b in alerts if b is not a]).muted}
        assert len(inhibited) > 5 and len([names for names in expected.values() if names]) > 30
        with alertmanager(tool, tmp_path, alertmanager_yaml(routing)) as server:
            server.post(alerts, {"summary": "It is slow"})
            total = sum(map(len, expected.values()))
            deadline = time.monotonic() + 30
            while len(_webhooks(sink)) < total and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(1.5)  # nothing more may come
            muted = {n for n, by in server.muted().items() if by}
        got: dict[str, list[str]] = {labels["n"]: [] for labels in alerts}
        for receiver, n in _webhooks(sink):
            got[n].append(receiver)
        assert {n: sorted(names) for n, names in got.items()} == expected
        assert inhibited == muted
        oncall = sum("web-oncall" in names for names in expected.values())
        slack = [body for path, body in sink.got if path == "/slack"]
        pages = [body for path, body in sink.got if path == "/enqueue"]
        assert oncall == len(slack) == len(pages) > 0
        assert slack[0]["attachments"][0]["title"].startswith("[CRITICAL] ")
        assert slack[0]["channel"] == "#web" and slack[0]["attachments"][0]["color"] == "danger"
        assert pages[0]["payload"]["severity"] == "critical" and pages[0]["routing_key"] == "0123456789"
        assert pages[0]["payload"]["custom_details"]["team"] == "\tweb" and len(pages[0]["links"]) >= 1


CALENDARS = """
receivers:
  people: {{webhook: {{url: "{url}/people"}}}}
default: people
group_by: ["..."]
group_wait: 1s
severities: {{warning: {{group_wait: 1s}}}}
calendars:
  now: {{weekdays: {day}, times: {now}, timezone: {zone}}}
  around: {{times: {now}, timezone: {zone}}}
  later: {{weekdays: {day}, times: {later}, timezone: {zone}}}
  other_day: {{weekdays: {other_day}, times: {now}, timezone: {zone}}}
  elsewhere: {{times: {now}}}
routes:
  - {{match: {{n: active-now}}, active: now}}
  - {{match: {{n: active-later}}, active: later}}
  - {{match: {{n: active-other-day}}, active: other_day}}
  - {{match: {{n: active-elsewhere}}, active: elsewhere}}
  - {{match: {{n: mute-now}}, mute: now}}
  - {{match: {{n: mute-later}}, mute: later}}
  - {{match: {{n: both}}, active: now, mute: around}}
  - {{match: {{n: within}}, active: now, mute: later}}
"""
TOLD_NOW = {"active-now", "mute-later", "within", "own-active-now", "own-mute-later"}
MINUTES = datetime.timedelta(minutes=5)


def zones() -> list[str]:
    """Two zones other than UTC where midnight is not near, so that a window around now lies within one day."""
    found = []
    for zone in ("Asia/Kolkata", "America/St_Johns", "Asia/Tokyo", "America/Los_Angeles"):
        local = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
        if datetime.time(0, 30) < local.time() < datetime.time(23, 0):
            found.append(zone)
    return found[:2]


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("tool", SERVERS, ids=str)
def test_windows_around_now_in_another_zone(tool: Tools, index: int, tmp_path: Path) -> None:
    """A few minutes either side of now in a place's own time; by the clock of UTC it would be another time."""
    zone = zones()[index]
    local = datetime.datetime.now(zoneinfo.ZoneInfo(zone))

    def times(middle: datetime.datetime) -> str:
        return f"{middle - MINUTES:%H:%M}-{middle + MINUTES:%H:%M}"

    alerts = [
        *({"alertname": "A", "severity": "warning", "n": n} for n in (
            "active-now", "active-later", "active-other-day", "active-elsewhere", "mute-now", "mute-later", "both",
            "within")),
        {"alertname": "OwnActive", "severity": "warning", "system": "shop", "team": "web", "n": "own-active-now"},
        {"alertname": "OwnMute", "severity": "warning", "system": "shop", "team": "web", "n": "own-mute-later"},
        {"alertname": "OwnMuted", "severity": "warning", "system": "shop", "team": "web", "n": "own-mute-now"},
    ]  # fmt: skip
    project = [alert("OwnActive", active="now"), alert("OwnMute", mute="later"), alert("OwnMuted", mute="now")]
    with Sink() as sink:
        text = CALENDARS.format(
            url=sink.url, zone=zone, day=f"{local:%A}".lower(), other_day=f"{local + datetime.timedelta(2):%A}".lower(),
            now=times(local), later=times(local + 4 * MINUTES),
        )  # fmt: skip
        routing = routing_of(text, project)
        oracle = Oracle(routing)
        moment = local.astimezone(datetime.UTC)
        assert {labels["n"] for labels in alerts if oracle.answer(labels, moment).notified} == TOLD_NOW
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates" / "alertkit.tmpl").write_text(default_template())
        with alertmanager(tool, tmp_path, alertmanager_yaml(routing)) as server:
            server.post(alerts)
            deadline = time.monotonic() + 30
            while len(_webhooks(sink)) < len(TOLD_NOW) and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(2)  # nothing more may come
        assert sorted(n for _, n in _webhooks(sink)) == sorted(TOLD_NOW)


def _webhooks(sink: Sink) -> list[tuple[str, str]]:
    return [
        (path.strip("/"), entry["labels"]["n"])
        for path, body in list(sink.got)
        if path not in ("/slack", "/enqueue")
        for entry in body["alerts"]
    ]
