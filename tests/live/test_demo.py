"""What the demo shows of a message, and what it says when something does not happen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alertkit.live.demo import message_lines
from alertkit.live.sink import Received
from alertkit.live.slack_text import as_shown
from tests.servers import binaries

ROOT = Path(__file__).parents[2]
LONG = "http://127.0.0.1:9093/#/silences/new?filter=%7Balertname%3D%22CircuitBreakerOpen%22%2Cname%3D%22orders%22%7D"
SLACK = Received(
    "slack",
    {
        "channel": "#trading",
        "attachments": [{
            "title": "[CRITICAL] Open on peak_trade", "color": "danger",
            "text": "*Errors &gt; 5% &amp; rising*\nsince 10:00 | <https://runbooks.example.com/x|Runbook> | "
            f"<{LONG}|Silence>",
            "fields": [{"title": "Severity", "value": "CRITICAL", "short": True}],
        }],
    },
    0.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown", "links"),
    [
        ("see <https://a.example.com/x|Run book> now", "see [Run book] now", {"Run book": "https://a.example.com/x"}),
        ("<https://a.example.com/x?a=1&amp;b=2>", "https://a.example.com/x?a=1&b=2", {}),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d", {}),
        ("*all bold* and 2*3*4", "all bold and 2*3*4", {}),
        ("<@U12345> <!here> <not a link|x>", "<@U12345> <!here> <not a link|x>", {}),
    ],
)
def test_slack_text(text: str, shown: str, links: dict[str, str]) -> None:
    assert as_shown(text) == (shown, links)


def test_a_message_fits_the_terminal_and_keeps_its_links_otherwise() -> None:
    whole = message_lines(SLACK)
    assert whole == [
        "[CRITICAL] Open on peak_trade   (danger)",
        "Errors > 5% & rising",
        "since 10:00 | [Runbook] | [Silence]",
        "Severity: CRITICAL",
        "Runbook: https://runbooks.example.com/x",
        f"Silence: {LONG}",
    ]
    narrow = message_lines(SLACK, 40)
    assert all(len(line) <= 40 for line in narrow)
    assert "Runbook: https://runbooks.example.com/x" in narrow
    assert narrow[-1] == "Silence: http://127.0.0.1:9093/#/sile..."
    assert 'alertname="CircuitBreakerOpen"' in message_lines(SLACK, 90)[-1]


@pytest.mark.skipif(not binaries("prometheus"), reason="prometheus is not on PATH")
def test_giving_up_says_what_did_not_happen_and_shows_the_logs() -> None:
    """The folder with the logs is gone at the end, so they are printed."""
    words = [
        "-m",
        "alertkit",
        "-C",
        str(ROOT),
        "demo",
        "--fault",
        "spark_stacker/LogMetricsStale",
        "--patience",
        "500ms",
    ]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert "After 0.5 s: Prometheus says nothing of it, not firing." in done.stderr
    assert "prometheus's last" in done.stderr and "alertmanager's last" in done.stderr
    assert "Completed loading of configuration file" in done.stderr and "Traceback" not in done.stderr
