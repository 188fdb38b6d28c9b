"""Messages of mixed groups, field by field, as a running Alertmanager posts them to Slack and PagerDuty."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from alertkit.emit.alertmanager import alertmanager_yaml
from alertkit.emit.notifications import default_template
from tests.routing.amtools import Tools, found
from tests.routing.helpers import routing_of
from tests.routing.scratch import Alertmanager, Sink, alertmanager

SERVERS = [tool for tool in found() if tool.alertmanager]
each = pytest.mark.parametrize("tool", SERVERS, ids=str)

ROUTING = """
insecure_inline_secrets: true
receivers:
  people:
    slack: {{channel: "#a", webhook: "{url}/slack"}}
    pagerduty: {{routing_key: abc, url: "{url}/enqueue"}}
default: people
group_wait: 1s
group_interval: 1s
severities: {{critical: {{group_wait: 1s}}, warning: {{group_wait: 1s}}, info: {{group_wait: 1s}}}}
group_by: {group_by}
"""
BEGIN = datetime.datetime(2026, 1, 5, 14, 30, tzinfo=datetime.UTC)
LINKS = "http://prometheus.example.com/graph?g0.expr="


def entry(severity: str, name: str, minute: int = 0, end: str | None = None, **more: Any) -> dict[str, Any]:
    """An alert as Prometheus posts it, which began at 14:30 and so many minutes."""
    notes = {
        "summary": f"{name} is <bad>", "runbook_url": f"https://runbooks.example.com/{name}",
        "dashboard_url": f"https://grafana.example.com/d/1?var-name={name}",
    }  # fmt: skip
    return {
        "labels": {"alertname": "Slow", "severity": severity, "system": "shop", "name": name} | more.get("labels", {}),
        "annotations": notes | more.get("annotations", {}),
        "startsAt": (BEGIN + datetime.timedelta(minutes=minute)).isoformat(),
        **({"endsAt": end} if end else {}),
        "generatorURL": LINKS + severity,
    }


def running(tool: Tools, folder: Path, sink: Sink, group_by: str) -> Any:
    (folder / "templates").mkdir()
    (folder / "templates" / "alertkit.tmpl").write_text(default_template())
    routing = routing_of(ROUTING.format(url=sink.url, group_by=group_by))
    return alertmanager(tool, folder, alertmanager_yaml(routing))


def slack(sink: Sink, title: str) -> dict[str, Any]:
    body = sink.wait(lambda path, body: path == "/slack" and body["attachments"][0]["title"].startswith(title))
    (attachment,) = body["attachments"]
    assert isinstance(attachment, dict)
    return attachment


def page(sink: Sink, action: str, firing: int = 0) -> Any:
    """The event with so many alerts; Alertmanager 0.33 makes numbers of what looks like one."""
    return sink.wait(
        lambda path, body: (
            path == "/enqueue"
            and body["event_action"] == action
            and str(body["payload"]["custom_details"]["num_firing"]) == str(firing)
        )
    )


def fields(attachment: dict[str, Any]) -> dict[str, str]:
    assert all(field["short"] is True for field in attachment["fields"])
    return {field["title"]: field["value"] for field in attachment["fields"]}


def end(server: Alertmanager, *alerts: dict[str, Any]) -> None:
    over = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    server.send([{**alert, "endsAt": over.isoformat()} for alert in alerts])


@each
def test_a_mixed_group_says_what_is_gravest_and_loses_no_link(tool: Tools, tmp_path: Path) -> None:
    mild, grave = entry("warning", "a"), entry("critical", "b", 5, annotations={"value": "9 <s>"})
    with Sink() as sink, running(tool, tmp_path, sink, "[system, alertname]") as server:
        server.send([mild, entry("info", "c", 9), grave])
        message, event = slack(sink, "[CRITICAL 1 of 3"), page(sink, "trigger", 3)
        end(server, mild, grave)
        end(server, entry("info", "c", 9))
        over = slack(sink, "[RESOLVED")
        page(sink, "resolve")
    assert message["title"] == "[CRITICAL 1 of 3] Slow on shop" and message["color"] == "danger"
    assert message["fallback"] == "[CRITICAL 1 of 3] Slow on shop: b is <bad> (and 2 more)"
    assert fields(message) == {
        "Severity": "CRITICAL 1 of 3", "Team": "-", "Firing": "3", "Since": "2026-01-05 14:30 UTC",
    }  # fmt: skip
    rows = message["text"].split("\n")
    assert "[WARNING] *a is &lt;bad&gt;*" in rows and "[CRITICAL] *b is &lt;bad&gt;* (now 9 &lt;s&gt;)" in rows
    assert (
        f"since 2026-01-05 14:35 UTC | <{LINKS}critical|Expression> | <https://runbooks.example.com/b|Runbook>"
        " | <https://grafana.example.com/d/1?var-name=b|Dashboard>" in rows
    )
    assert rows[-1].endswith("filter=%7Balertname%3D%22Slow%22%2Csystem%3D%22shop%22%7D|Silence>")
    assert rows[-1].startswith("<http")

    payload, details = event["payload"], event["payload"]["custom_details"]
    assert payload["severity"] == "critical"
    assert payload["summary"] == "Slow on shop: b is <bad> (and 2 more)"
    assert details["summary"] == "\tb is <bad> (and 2 more)" and details["time"] == "since 2026-01-05 14:30 UTC"
    assert str(details["num_resolved"]) == "0" and not details["resolved"] and details["team"] == "\t-"
    told = details["firing"].strip().split("\n")
    assert "[CRITICAL] b is <bad> (now 9 <s>) [name=b] since 2026-01-05 14:35 UTC" in told
    for name in "abc":
        assert f"  Runbook: https://runbooks.example.com/{name}" in told
        assert f"  Dashboard: https://grafana.example.com/d/1?var-name={name}" in told
    links = {link["text"]: link["href"] for link in event["links"]}
    first = next(row for row in told if "Runbook: " in row).split("Runbook: ")[1]
    assert links["Runbook of the first of 3"] == first
    expressions = [row.split("Expression: ")[1] for row in told if "Expression: " in row]
    expressions.append(links["Expression of the first of 3"])
    assert sorted(expressions) == [LINKS + "critical", LINKS + "info", LINKS + "warning"]

    assert over["title"] == "[RESOLVED x3] Slow on shop" and over["color"] == "good"
    assert fields(over)["Resolved"] == "3" and "|Runbook>" in over["text"] and "|Dashboard>" in over["text"]
    assert fields(over)["From, to"].startswith("2026-01-05 14:30 to ") and "now" not in over["text"]


@each
def test_one_alert_says_its_value_and_when_it_was_over(tool: Tools, tmp_path: Path) -> None:
    one = entry("info", "a", labels={"team": "web"}, annotations={"value": "3"})
    del one["annotations"]["runbook_url"]
    with Sink() as sink, running(tool, tmp_path, sink, "[system, alertname]") as server:
        server.send([one])
        message, event = slack(sink, "[INFO]"), page(sink, "trigger", 1)
        end(server, one)
        over = slack(sink, "[RESOLVED]")
        page(sink, "resolve")
    assert message["title"] == "[INFO] Slow on shop" and message["color"] == "#439FE0"
    assert fields(message) == {"Severity": "INFO", "Team": "web", "Now": "3", "Since": "2026-01-05 14:30 UTC"}
    assert "Runbook" not in message["text"] and message["text"].count("|Dashboard>") == 1
    details = event["payload"]["custom_details"]
    assert event["payload"]["severity"] == "info" and (details["value"], details["labels"]) == ("\t3", "\tname=a")
    assert details["team"] == "\tweb"
    assert [link["text"] for link in event["links"]] == ["Dashboard", "Expression", "Silence"]
    assert over["title"] == "[RESOLVED] Slow on shop" and "from 2026-01-05 14:30 to 20" in over["text"]


@each
def test_alerts_with_nothing_in_common_are_silenced_one_by_one(tool: Tools, tmp_path: Path) -> None:
    def odd(name: str) -> dict[str, Any]:
        return {
            "labels": {"alertname": f"Odd{name}", "severity": name, "k": f'{name} "x"'},
            "annotations": {"summary": f"odd {name}"}, "startsAt": BEGIN.isoformat(),
        }  # fmt: skip

    with Sink() as sink, running(tool, tmp_path, sink, "[]") as server:
        server.send([odd("warning"), odd("page")])
        message, event = slack(sink, "[PAGE 1 of 2"), page(sink, "trigger", 2)
    assert message["title"] == "[PAGE 1 of 2] Alerts" and message["color"] == "danger"
    assert event["payload"]["severity"] == "critical"
    assert "filter=%7B%7D" not in str(message) + str(event)
    assert message["text"].count("|Silence>") == 2
    assert "filter=%7Balertname%3D%22Oddpage%22%2Ck%3D%22page%20%5C%22x%5C%22%22%2Cseverity" in message["text"]
    assert event["payload"]["custom_details"]["firing"].count("  Silence: http") == 2
    assert [link for link in event.get("links", []) if link["text"] == "Silence" or not link["href"]] == []


@pytest.mark.parametrize("tool", [tool for tool in SERVERS if tool.version >= (0, 28)], ids=str)
def test_teams_and_opsgenie_are_told_the_same(tool: Tools, tmp_path: Path) -> None:
    receivers = """
insecure_inline_secrets: true
receivers:
  people:
    msteams: {{webhook: "{url}/teams"}}
    opsgenie: {{api_key: k, url: "{url}/", team: ops, priority: P2}}
    webhook: {{url: "{url}/hook"}}
default: people
group_wait: 1s
severities: {{warning: {{group_wait: 1s}}}}
"""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "alertkit.tmpl").write_text(default_template())
    with Sink() as sink:
        text = alertmanager_yaml(routing_of(receivers.format(url=sink.url), version=tool.version))
        with alertmanager(tool, tmp_path, text) as server:
            server.send([entry("warning", "a", labels={"team": "web"}, annotations={"value": "3"})])
            card = str(sink.wait(lambda path, _: path == "/teams"))
            opsgenie = sink.wait(lambda path, _: path.endswith("/alerts"))
            hook = sink.wait(lambda path, _: path == "/hook")
    assert "[WARNING] Slow on shop" in card and "a is <bad> (now 3) [name=a] since 2026-01-05 14:30 UTC" in card
    assert opsgenie["message"] == "[WARNING] Slow on shop" and opsgenie["priority"] == "P2"
    assert opsgenie["description"].startswith("a is <bad> (now 3) [name=a] since 2026-01-05 14:30 UTC\nRunbook: http")
    assert opsgenie["details"]["team"] == "web" and opsgenie["responders"] == [{"name": "ops", "type": "team"}]
    assert hook["alerts"][0]["labels"]["name"] == "a" and hook["commonAnnotations"]["value"] == "3"


@each
@pytest.mark.parametrize(
    "text", ["Queue: long", "#5 is down", "[5] of {6}", "a: {{ .Nope", 'a: "{{ .Nope"', "- x", "", "7"]
)
def test_texts_of_a_page_stay_text(tool: Tools, text: str, tmp_path: Path) -> None:
    one = entry("critical", text or "x", annotations={"summary": text, "description": text, "value": text})
    with Sink() as sink, running(tool, tmp_path, sink, "[system, alertname]") as server:
        server.send([one])
        details = page(sink, "trigger", 1)["payload"]["custom_details"]
    summary = text or "Slow on shop"
    assert details["summary"] == f"\t{summary}"
    assert (details["description"] or "", details["value"] or "") == (f"\t{text}" if text else "",) * 2
    assert details["labels"] == f"\tname={text or 'x'}"
    now = f" (now {text})" if text else ""
    assert details["firing"] == f"\t{text}{now} [name={text or 'x'}] since 2026-01-05 14:30 UTC"
