"""`notified at TIME` and `notified while ALERT`: what calendars and inhibition do to who is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.cli import main
from alertkit.routing.expectations import expectations_of
from alertkit.source import Problems, load
from tests.projects import written
from tests.prove.scenario_support import versions

SPEC = """
system: shop
team: web
alerts:
  QueueLong:
    kind: threshold
    metric: shop_queue_length
    by: [queue]
    above: {warning: 10, critical: 100}
    for: 0s
    active: nyse
    unless: BrokerDown
  BrokerDown: {kind: threshold, metric: shop_broker_up, by: [queue], equals: 0, for: 0s, severity: critical}
  Errors: {kind: threshold, metric: shop_errors, above: 5, for: 0s, severity: warning, mute: night}
"""
OTHER = "system: net\nalerts:\n  LinkDown: {kind: threshold, metric: link_up, equals: 0, for: 0s, severity: critical}\n"
ROUTING = """
defaults: {slack: {webhook_file: /s/slack}}
receivers:
  web: {slack: {channel: "#web"}}
  oncall: {pagerduty: {routing_key_file: /s/pd}}
default: web
routes: [{match: {severity: critical}, to: oncall}]
calendars:
  nyse: {exchange: XNYS}
  night: {times: [22:00-24:00, 00:00-06:00], timezone: Europe/Berlin}
inhibit: [{when: LinkDown, mutes: {alertname: Errors}}]
"""
HEAD = """
system: shop
scenarios:
  one:
    series:
      shop_queue_length{queue="a"}: 200 for 10m
      shop_errors: 9 for 10m
    expect:
      at 6m: [QueueLong fires, Errors fires]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path, {
        "rules_src/shop.yaml": SPEC, "rules_src/net.yaml": OTHER, "alertmanager/routing.yaml": ROUTING,
        "promtool_tests/one.yaml": HEAD,
    })  # fmt: skip


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def expect(project: Path, *lines: str) -> None:
    text = HEAD.lstrip() + "".join(f"      {line}\n" for line in lines)
    (project / "promtool_tests" / "one.yaml").write_text(text)


HOLDS = (
    "notified: {'QueueLong{severity=\"critical\"}': oncall, 'QueueLong{severity=\"warning\"}': web, Errors: web}",
    "notified at 2026-12-24T12:59-05:00: {'QueueLong{severity=\"critical\"}': [oncall]}",
    "notified at 2026-12-24T13:00-05:00: {QueueLong: nobody}",
    "notified at 2026-12-25T15:00-05:00: {QueueLong: [], Errors: web}",
    "notified at 2026-06-01T23:00 Europe/Berlin: {Errors: nobody}",
    "notified at 2026-06-01 20:30: {Errors: nobody}",
    "notified at 2026-06-01T19:30Z: {Errors: web}",
    "notified while BrokerDown: {QueueLong: nobody, Errors: web}",
    'notified while BrokerDown{queue="a"}: {\'QueueLong{queue="a"}\': nobody}',
    'notified while BrokerDown{queue="b"}: {\'QueueLong{queue="a", severity="critical"}\': oncall}',
    'notified while QueueLong{severity="critical"}: {\'QueueLong{severity="warning"}\': nobody}',
    "notified while net/LinkDown: {Errors: nobody}",
    "notified while BrokerDown and net/LinkDown: {Errors: nobody, QueueLong: nobody}",
    "notified at 2026-12-24T12:00-05:00 while BrokerDown: {QueueLong: nobody}",
)


def test_what_holds_passes(project: Path) -> None:
    expect(project, *HOLDS)
    result = run("route", "--check")
    assert result.exit_code == 0, result.stdout
    assert "19 expectations: 0 failed" in result.stdout


FAILS = (
    ("notified at 2026-12-25T15:00-05:00: {Errors: oncall}", "Errors (warning) reaches web, not oncall"),
    ('notified at 2026-12-25T15:00-05:00: {\'QueueLong{severity="critical"}\': oncall}',
     "QueueLong (critical) reaches nobody (oncall outside nyse), not oncall"),
    ("notified at 2026-06-01T23:00 Europe/Berlin: {Errors: web}",
     "Errors (warning) reaches nobody (web in night), not web"),
    ("notified while net/LinkDown: {Errors: web}",
     'Errors (warning) reaches nobody (muted by LinkDown{severity="critical", system="net"}), not web'),
    ("notified while BrokerDown: {Errors: nobody}", "Errors (warning) reaches web, not nobody"),
    ("notified while BrokrDown: {Errors: web}", "shop has no alert `BrokrDown`; did you mean `BrokerDown`?"),
    ("notified while nett/LinkDown: {Errors: web}", "no system `nett` has alerts; did you mean `net`?"),
    ('notified while BrokerDown{job="a"}: {Errors: web}', 'no BrokerDown can have job="a"'),
    ('notified: {\'Errors{queue="a"}\': web}', 'no Errors can have queue="a"'),
    ("notified: {Errors: wep}", "there is no receiver `wep`; did you mean `web`?"),
)  # fmt: skip


@pytest.mark.parametrize(("line", "said"), FAILS, ids=[said for _, said in FAILS])
def test_what_does_not_hold_fails_with_its_reason(project: Path, line: str, said: str) -> None:
    expect(project, line)
    result = run("route", "--check")
    assert result.exit_code == 1
    assert f"promtool_tests/one.yaml:9:{len(line.split(': {')[0]) + 10}: FAILED: {said}" in result.stdout


BAD = (
    ("notified at: {Errors: web}", 7, 11, "`notified at` does not say when"),
    ("notified whiel BrokerDown: {Errors: web}", 7, 25, "`notified whiel BrokerDown` does not say when"),
    ("notified at noon: {Errors: web}", 19, 4, "`noon` is not a time"),
    ("notified at 2026-13-01: {Errors: web}", 19, 10, "`2026-13-01` is not a time"),
    ("notified at 2026-12-01T10:00 Mars/Base: {Errors: web}", 19, 26, "`Mars/Base` is not a time zone"),
    ("notified at 2026-12-01T10:00+01:00 Europe/Paris: {Errors: web}", 19, 35,
     "`2026-12-01T10:00+01:00 Europe/Paris` has both an offset and a zone"),
    ("notified while 9x: {Errors: web}", 22, 2, "`9x` is not an alert"),
    ("notified while BrokerDown and Broker-Down: {Errors: web}", 37, 11, "`Broker-Down` is not an alert"),
    ('"notified while BrokerDown and Broker!": {Errors: web}', 38, 7, "`Broker!` is not an alert"),
    ("notified while Errors: web", 30, 3, "`notified while Errors` must be a mapping of alert to receivers"),
    ("notified: {Errors: {web: 1}}", 18, 6, "`Errors` is not an expectation of who is notified"),
    ('notified: {\'Errors{severity=~"a"}\': web}', 18, 23,
     '`Errors{severity=~"a"}` is not an expectation of who is notified'),
)  # fmt: skip


@pytest.mark.parametrize(("line", "column", "length", "said"), BAD, ids=[said for *_, said in BAD])
def test_what_cannot_be_read_is_said_at_its_place(
    project: Path, line: str, column: int, length: int, said: str
) -> None:  # fmt: skip
    expect(project, line)
    for command in (["route", "--check"], ["test", "--no-cache"]):
        result = run(*command)
        assert result.exit_code == 2
        head, source, carets, *_ = result.stderr.split("\n")
        assert head == f"promtool_tests/one.yaml:9:{column}: error[AK524]: {said}"
        assert source == f"    9 |       {line}" and carets.split("| ")[1] == " " * (column - 1) + "^" * length


@pytest.mark.skipif(not versions(), reason="no promtool on PATH")
def test_alertkit_test_runs_them(project: Path) -> None:
    expect(project, *HOLDS, "notified while  BrokerDown: {Errors: nobody}")
    result = run("test", "--no-cache", "-v")
    assert result.exit_code == 1, result.stderr
    assert "one, notified at 2026-12-25T15:00-05:00: QueueLong: nobody" in result.stdout
    assert "one, notified while BrokerDown: Errors: nobody" in result.stdout
    assert 'one, notified while BrokerDown{queue="a"}: QueueLong{queue="a"}: nobody' in result.stdout
    assert "Errors (warning) reaches web, not nobody" in result.stdout and "1 case failed" in result.stdout


def test_only_what_fires_can_be_notified(project: Path) -> None:
    expect(project, "notified at 2026-06-01T12:00Z: {BrokerDown: oncall}")
    result = run("test", "--no-cache")
    assert result.exit_code == 2
    assert "one.yaml:9:39: error[AK816]: BrokerDown is never expected to fire here" in result.stderr


def test_the_command_takes_zones_too(project: Path) -> None:
    out = run("route", "Errors", "--at", "2026-06-01T23:00 Europe/Berlin").stdout
    assert "not told at 2026-06-01T23:00+02:00: in night, until 2026-06-02T06:00+02:00" in out
    bad = run("route", "Errors", "--at", "2026-06-01T23:00 Berlin")
    assert bad.exit_code == 2 and "`Berlin` is not a time zone; write it like" in bad.stderr


def test_what_would_be_muted_is_said(project: Path) -> None:
    path = project / "rules_src" / "shop.yaml"
    before, after = "metric: shop_broker_up,", "metric: shop_broker_up, for_each: {queue: [a, b]},"
    path.write_text(path.read_text().replace(before, after))
    expect(project, "notified while BrokerDown: {QueueLong: nobody}")
    said = 'QueueLong{queue="a"} would be muted'
    assert f"QueueLong (critical) reaches oncall, not nobody; {said}" in run("route", "--check").stdout
    assert f"told: oncall\n  note: {said}" in run("route", "QueueLong", "--while", "BrokerDown").stdout
    assert "note:" not in run("route", "QueueLong", "queue=b", "--while", "BrokerDown").stdout


WORDS = st.sampled_from([
    " at ", " while ", " and ", "2026-12-25", "T10:00", "Z", "+01:00", " Europe/Berlin", " America", " ../x", "Errors",
    "net/", "{", "}", '"', "\\", "queue", "=", "=~", "a", ",", " ", "\n", "\t", "é", "9", ":", "{}",
    '{queue="a and b"}',
])  # fmt: skip


@settings(max_examples=400)
@given(st.lists(WORDS, max_size=12).map("".join), st.sampled_from(["web", ["web"], [], "nobody", None, {"a": 1}, 5]))
def test_any_key_is_read_or_refused(text: str, told: object) -> None:
    key = f"notified {text}".rstrip()
    data = {"system": "shop", "scenarios": {"one": {"expect": {key: {"Errors": told}}}}}
    problems = Problems()
    document = load(yaml.safe_dump(data, allow_unicode=True), "one.yaml", problems)
    assert document is not None
    found = list(expectations_of(document, problems))
    assert bool(found) != bool(problems)
    assert all(problem.span and problem.code == "AK524" for problem in problems)
