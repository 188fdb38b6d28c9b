"""For each of the five systems one fault, through real Prometheus and Alertmanager, to the messages people get.

All faults are in one run per version, in fast motion; the specs are the project's own, unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alertkit.live.demo import is_resolved
from alertkit.live.sink import Received
from alertkit.live.stack import Stack, compiled, run_stack
from alertkit.source import Problems
from alertkit.spec.project import read_project
from tests.servers import partner, versions

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
# system, alert, severity, Slack channel, file of the PagerDuty key, words of the summary
FAULTS = [
    ("peak_trade", "CircuitBreakerOpen", "critical", "#trading-incidents", "pagerduty_trading",
     "Circuit breaker orders is open"),
    ("autonomous_trader", "HighLeverage", "critical", "#trading-incidents", "pagerduty_trading", ""),
    ("crypto_stock", "CircuitBreakerOpen", "critical", "#market-data-incidents", "pagerduty_market_data", ""),
    ("trading_platform", "KafkaConsumerLag", "critical", "#execution-incidents", "pagerduty_execution", ""),
    ("spark_stacker", "ExchangeDisconnected", "critical", "#spark-incidents", "pagerduty_spark",
     "No connection to hyperliquid, orders cannot be placed there"),
]  # fmt: skip


@pytest.fixture(scope="module", params=versions("prometheus"))
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    binary: Path = request.param
    programs = {"prometheus": binary, "alertmanager": partner(binary, "alertmanager")}
    problems = Problems()
    project = read_project(ROOT, problems)
    built = project and compiled(project, problems)
    assert built, problems
    with run_stack(*built, programs, problems, 60.0) as found:
        assert found is not None, problems
        for system, alert, *_ in FAULTS:
            actor = next(a for a in found.simulator.find(f"{system}/{alert}"))
            found.simulator.break_(actor, actor.bad())
        yield found


def about(system: str, alert: str, kind: str, resolved: bool) -> Any:
    def fits(message: Received) -> bool:
        text = str(message.body)
        return message.kind == kind and alert in text and system in text and is_resolved(message) == resolved

    return fits


def test_five_faults_arrive_and_resolve(stack: Stack) -> None:
    for fault in FAULTS:
        arrives(stack, *fault)
    assert stack.sink.wait(lambda m: "heartbeat" in str(m.body), PATIENCE) is not None
    resolves(stack)


def arrives(stack: Stack, system: str, alert: str, severity: str, channel: str, key: str, summary: str) -> None:
    slack = stack.sink.wait(about(system, alert, "slack", False), PATIENCE)
    assert slack is not None, [m.body for m in stack.sink.messages]
    assert slack.body["channel"] == channel
    assert slack.body["username"] == "Alertmanager"
    [attachment] = slack.body["attachments"]
    assert attachment["title"] == f"[{severity.upper()}] {alert} on {system}"
    assert attachment["fallback"].startswith(f"{attachment['title']}: ") and summary in attachment["fallback"]
    fields = {field["title"]: field["value"] for field in attachment["fields"]}
    assert fields["Severity"] == severity.upper() and fields["Team"] and fields["Since"].endswith(" UTC")
    assert attachment["color"] == {"critical": "danger", "warning": "warning"}[severity]
    assert attachment["title_link"].startswith(stack.alertmanager.url)
    assert summary in attachment["text"] and "|Runbook>" in attachment["text"] and "|Silence>" in attachment["text"]
    page = stack.sink.wait(about(system, alert, "pagerduty", False), PATIENCE)
    assert page is not None
    body = page.body
    assert (body["routing_key"], body["event_action"], body["client"]) == (key, "trigger", "Alertmanager")
    assert len(body["dedup_key"]) == 64
    payload = body["payload"]
    assert payload["severity"] == severity
    assert payload["summary"].startswith(f"{alert} on {system}") and summary in payload["summary"]
    assert (payload["class"], payload["group"]) == (alert, system)
    assert summary in str(payload["custom_details"]["summary"])
    assert any(link["text"] == "Runbook" for link in body["links"])


def resolves(stack: Stack) -> None:
    triggers = {m.body["payload"]["class"] + m.body["payload"]["group"]: m.body["dedup_key"]
                for m in stack.sink.messages if m.kind == "pagerduty" and not is_resolved(m)}  # fmt: skip
    stack.simulator.heal()
    for system, alert, _, channel, key, _ in FAULTS:
        over = stack.sink.wait(about(system, alert, "slack", True), PATIENCE)
        assert over is not None, (system, alert)
        assert over.body["attachments"][0]["title"] == f"[RESOLVED] {alert} on {system}"
        assert over.body["attachments"][0]["color"] == "good"
        assert over.body["channel"] == channel
        page = stack.sink.wait(
            lambda m, a=alert, s=system: (  # type: ignore[misc]
                m.kind == "pagerduty" and is_resolved(m) and m.body["dedup_key"] == triggers[a + s]
            ),
            PATIENCE,
        )
        assert page is not None and page.body["routing_key"] == key
