"""Notifications rendered by each version's amtool: a person finds what they need, and nothing renders blank."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from alertkit.emit.notifications import default_template, template_files
from alertkit.routing.render import Message, Sample, group_data, render
from alertkit.source import Problems
from alertkit.source.problem import draw_all
from tests.routing.amtools import Tools, found, ids
from tests.routing.helpers import routing_of

ROOT = Path(__file__).parents[2]
EVERYTHING = """
receivers:
  all:
    slack: {channel: "#a", webhook_file: /s/slack}
    pagerduty: {routing_key_file: /s/pd}
    email: {to: a@example.com, from: b@example.com, smarthost: "mail.example.com:25"}
    opsgenie: {api_key_file: /s/og}
default: all
"""


def sample(index: int = 0, **annotations: str) -> Sample:
    labels = {
        "alertname": "CircuitBreakerOpen", "severity": "critical", "system": "peak_trade", "team": "trading",
        "name": f"broker <{index}> & \"co\"",
    }  # fmt: skip
    texts = {
        "summary": f"Circuit breaker {index} is <open>", "value": "2",
        "runbook_url": "https://runbooks.example.com/CircuitBreakerOpen",
        "dashboard_url": "https://grafana.example.com/d/1",
    }  # fmt: skip
    return Sample(labels, {**texts, **annotations})


def rendered(
    tool: Tools, samples: Sequence[Sample], status: str, folder: Path, template: str = ""
) -> tuple[dict[str, Message], str]:
    templates = folder / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "alertkit.tmpl").write_text(default_template())
    if template:
        (templates / "own.tmpl").write_text(template)

    def run(arguments: Sequence[str]) -> tuple[int, str, str]:
        done = subprocess.run([tool.amtool, *arguments], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    receiver = routing_of(EVERYTHING).receivers[0]
    data = group_data(samples, status, receiver.name, ["system", "alertname"], "http://am.example.com:9093")
    problems = Problems()
    messages = render(receiver, data, templates, folder, run, problems)
    return {message.kind: message for message in messages}, draw_all(problems) if problems else ""


@pytest.mark.parametrize("tool", found(), ids=ids())
def test_slack_says_what_is_needed(tool: Tools, tmp_path: Path) -> None:
    messages, problems = rendered(tool, [sample(1), sample(2)], "firing", tmp_path)
    assert not problems
    slack = messages["slack_configs"]
    assert slack.text("title") == "[CRITICAL x2] CircuitBreakerOpen on peak_trade"
    assert slack.text("color") == "danger"
    text = slack.text("text")
    assert "*Circuit breaker 1 is &lt;open&gt;* (now 2)" in text
    assert '`name=broker &lt;1&gt; &amp; "co"`' in text
    assert "since 2026-01-05 14:30 UTC" in text
    for link in ("|Expression>", "|Runbook>", "|Dashboard>", "|Silence>"):
        assert link in text
    assert "silences/new?filter=%7Balertname%3D%22CircuitBreakerOpen%22%2C" in text


@pytest.mark.parametrize("tool", found(), ids=ids())
def test_resolved_looks_resolved(tool: Tools, tmp_path: Path) -> None:
    messages, problems = rendered(tool, [sample(1)], "resolved", tmp_path)
    assert not problems
    slack = messages["slack_configs"]
    assert slack.text("title") == "[RESOLVED] CircuitBreakerOpen on peak_trade" and slack.text("color") == "good"
    assert "from 2026-01-05 14:30 to 2026-01-05 15:10 UTC" in slack.text("text") and "now" not in slack.text("text")


@pytest.mark.parametrize("tool", found(), ids=ids())
def test_pagerduty_has_fields(tool: Tools, tmp_path: Path) -> None:
    messages, problems = rendered(tool, [sample(1)], "firing", tmp_path)
    assert not problems
    page = messages["pagerduty_configs"]
    assert page.text("description") == "CircuitBreakerOpen on peak_trade: Circuit breaker 1 is <open>"
    assert page.text("severity") == "critical"
    assert page.text("details", "labels") == '\tname=broker <1> & "co"'
    assert page.text("details", "value") == "\t2" and page.text("details", "num_firing") == "1"
    assert page.text("links", "0", "href") == "https://runbooks.example.com/CircuitBreakerOpen"


@pytest.mark.parametrize("tool", found(), ids=ids())
def test_long_groups_are_cut_with_a_count(tool: Tools, tmp_path: Path) -> None:
    messages, problems = rendered(tool, [sample(i) for i in range(25)], "firing", tmp_path)
    assert not problems
    text = messages["slack_configs"].text("text")
    assert text.count("Circuit breaker") == 10 and "... the first 10 of 25 that fire" in text
    assert messages["pagerduty_configs"].text("details", "firing").endswith("... the first 20 of 25")


@pytest.mark.parametrize("tool", found(), ids=ids())
@pytest.mark.parametrize(
    ("template", "said"),
    [
        ('{{ define "alertkit.title" }}{{ .Nope }}{{ end }}', "AK520"),
        ('{{ define "alertkit.title" }}{{ if }}{{ end }}', "AK520"),
        ('{{ define "alertkit.title" }}{{ humanise 3 }}{{ end }}', "AK520"),
        ('{{ define "alertkit.title" }}{{ .CommonLabels.nope }}{{ end }}', "AK521"),
    ],
    ids=["field", "syntax", "function", "blank"],
)
def test_bad_templates_are_problems(tool: Tools, template: str, said: str, tmp_path: Path) -> None:
    _, problems = rendered(tool, [sample()], "firing", tmp_path, template)
    assert said in problems and ("own.tmpl:1" in problems or said == "AK521")


def test_the_project_has_alertkits_templates() -> None:
    assert (ROOT / "alertmanager" / "templates" / "alertkit.tmpl").read_text() == default_template()
    assert list(template_files(ROOT / "alertmanager", Problems())) == ["alertkit.tmpl"]
