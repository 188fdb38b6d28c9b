"""`alertkit route` and `alertkit render` on a small project: their exact output."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.toolchain import find
from tests.projects import written
from tests.routing.amtools import found

SPEC = """
system: shop
team: web
defaults: {for: 5m, severity: warning}
alerts:
  QueueLong:
    kind: threshold
    metric: shop_queue_length
    by: [queue]
    above: {warning: 10, critical: 100}
    summary: Queue {{ $labels.queue }} has {{ $value }} entries
    active: nyse
  Errors:
    kind: threshold
    metric: shop_errors
    above: 5
    unless: QueueLong
    notify: [dev]
"""
ROUTING = """
defaults: {slack: {webhook_file: /s/slack}}
receivers:
  ops: {slack: {channel: "#ops"}}
  web: {slack: {channel: "#web"}}
  oncall: {pagerduty: {routing_key_file: /s/pd}}
  dev: {slack: {channel: "#dev"}}
  dba: {slack: {channel: "#dba"}}
default: ops
routes:
  - match: {team: web}
    to: web
    routes:
      - {match: {severity: critical}, to: [oncall, web]}
  - {match: {team: db}, to: dba}
calendars:
  nyse: {exchange: XNYS}
  office: {times: 09:00-18:00}
"""
SCENARIO = """
system: shop
scenarios:
  one:
    expect:
      at 5m: nothing fires
      notified:
        QueueLong{severity="critical"}: [web, oncall]
        Errors: [web]
        Nope: web
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path, {"rules_src/shop.yaml": SPEC, "alertmanager/routing.yaml": ROUTING})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def shown(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def test_an_alert(project: Path) -> None:
    assert run("route", "QueueLong", "--at", "2026-12-25T15:00-05:00").stdout == shown("""
        QueueLong{queue=?, severity="warning", system="shop", team="web"}
          default  alertmanager/routing.yaml:8
            system="shop", alertname="QueueLong"  the alerts' own `active:` or `mute:`  rules_src/shop.yaml:5
              team="web"  alertmanager/routing.yaml:10  -> web
              after 30s, news every 5m, again every 4h; grouped by system, alertname
              not told at 2026-12-25T15:00-05:00: outside nyse, until 2026-12-28T09:30-05:00
          muted while system="shop", alertname="QueueLong", severity="critical", queue!="" fires with the same alertname, system, queue (critical mutes warning)
          told at 2026-12-25T15:00-05:00: nobody

        QueueLong{queue=?, severity="critical", system="shop", team="web"}
          default  alertmanager/routing.yaml:8
            system="shop", alertname="QueueLong"  the alerts' own `active:` or `mute:`  rules_src/shop.yaml:5
              team="web"  alertmanager/routing.yaml:10
                severity="critical"  alertmanager/routing.yaml:13  -> oncall
              after 10s, news every 1m, again every 1h; grouped by system, alertname
              not told at 2026-12-25T15:00-05:00: outside nyse, until 2026-12-28T09:30-05:00
          default  alertmanager/routing.yaml:8
            system="shop", alertname="QueueLong"  the alerts' own `active:` or `mute:`  rules_src/shop.yaml:5
              team="web"  alertmanager/routing.yaml:10
                severity="critical"  alertmanager/routing.yaml:13  -> web
              after 10s, news every 1m, again every 1h; grouped by system, alertname
              not told at 2026-12-25T15:00-05:00: outside nyse, until 2026-12-28T09:30-05:00
          told at 2026-12-25T15:00-05:00: nobody
    """)  # noqa: E501


def test_muted_by_what_fires(project: Path) -> None:
    out = run("route", "Errors", "--while", "QueueLong").stdout
    assert "muted by QueueLong{" in out and out.endswith("told: nobody\n")
    assert "told: dev, web\n" in run("route", "Errors").stdout


def test_the_matrix(project: Path) -> None:
    assert run("route", "--all").stdout == shown("""
        system  alert      severity  web  oncall  dev
        shop    QueueLong  warning   (x)
        shop    QueueLong  critical  (x)  (x)
        shop    Errors     warning   x            x
    """)
    assert run("route", "--all", "--format", "markdown").stdout.splitlines()[1] == "|" + " --- |" * 6


def test_check_reports(project: Path) -> None:
    result = run("route", "--check")
    assert result.exit_code == 0
    assert result.stdout == shown("""
        alertmanager/routing.yaml:14:5: note: no alert reaches the route team="db": none has team="db"; known here: web
        alertmanager/routing.yaml:7:3: note: nothing reaches the receiver `dba`
        alertmanager/routing.yaml:17:3: note: nothing uses the calendar `office`
        3 alert levels, 0 expectations: 0 failed, 3 notes
    """)
    assert run("route", "--check", "--strict").exit_code == 1


def test_check_expectations(project: Path) -> None:
    (project / "promtool_tests").mkdir()
    (project / "promtool_tests" / "one.yaml").write_text(SCENARIO.lstrip())
    result = run("route", "--check")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == [
        "promtool_tests/one.yaml:8:9: FAILED: Errors (warning) reaches dev, web, not web",
        "promtool_tests/one.yaml:9:9: FAILED: shop has no alert `Nope`; known here: Errors, QueueLong",
    ]


def test_alertkit_test_verifies_who_is_notified(project: Path) -> None:
    scenario = """
system: shop
scenarios:
  one:
    series:
      shop_errors: 9 for 10m
    expect:
      at 6m: Errors fires
      notified: {Errors: [web]}
"""
    (project / "promtool_tests").mkdir()
    (project / "promtool_tests" / "one.yaml").write_text(scenario.lstrip())
    result = run("test", "--no-cache")
    assert result.exit_code == 1
    assert "one, notified: Errors: web" in result.stdout
    assert "Errors (warning) reaches dev, web, not web" in result.stdout and "1 case failed" in result.stdout
    for note in (
        'note: no alert reaches the route team="db": none has team="db"; known here: web   '
        "alertmanager/routing.yaml:14:5",
        "note: nothing reaches the receiver `dba`   alertmanager/routing.yaml:7:3",
        "note: nothing uses the calendar `office`   alertmanager/routing.yaml:17:3",
    ):
        assert note in result.stdout.splitlines()
    (project / "promtool_tests" / "one.yaml").write_text(scenario.lstrip().replace("[web]", "[web, dev]"))
    result = run("test", "--no-cache")
    assert result.exit_code == 0 and "note: nothing uses the calendar `office`" in result.stdout


def test_alertmanager_version_of_the_project_and_of_the_command(project: Path) -> None:
    routing = ROUTING.replace('dba: {slack: {channel: "#dba"}}', "dba: {msteams: {webhook_file: /s/teams}}")
    (project / "alertmanager" / "routing.yaml").write_text(routing.lstrip())
    for command in (["compile"], ["route", "--all"], ["test"]):
        result = run(*command)
        assert result.exit_code == 2 and "msteams works from Alertmanager 0.28 on" in result.stderr
        assert run(*command, "--alertmanager-version", "0.28").exit_code == 0
    (project / "alertkit.yaml").write_text('alertmanager_version: "0.28"\n')
    assert run("compile").exit_code == 0 and run("route", "--check").exit_code == 0


def test_bad_arguments(project: Path) -> None:
    assert run("route", "QueueLng").exit_code == 2
    assert "did you mean `QueueLong`?" in run("route", "QueueLng").stderr
    assert run("route").exit_code == 2
    assert run("route", "a=b", "nope").exit_code == 2
    assert run("route", "QueueLong", "--at", "noon").exit_code == 2


def test_an_alert_with_labels_of_its_own(project: Path) -> None:
    out = run("route", "QueueLong", "queue=orders", "severity=warning").stdout
    assert out.startswith('QueueLong{queue="orders", severity="warning"') and out.count("told: ") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["QueueLong", "severity=critcal"], "`QueueLong` never has severity=critcal\n  help: did you mean `critical`?"),
        (["QueueLong", "quee=a"], "`QueueLong` has no label `quee`\n  help: did you mean `queue`?"),
        (["QueueLong", "Errors"], "`Errors` is not label=value"),
        (["severity=~critical"], "`severity=~critical` is a matcher, and an alert's label has one value"),
        (["team!=web"], "`team!=web` is a matcher, and an alert's label has one value"),
        (['team="web'], 'the quote in `team="web` is not closed'),
        (["a=b", "a=c"], "the label `a` is given twice"),
        (["--short", "a=b"], "--short goes with --all"),
        (["--all", "--strict"], "--strict goes with --check"),
        (["--check", "--at", "2026-12-25"], "--at goes with an alert, labels or --all"),
    ],
)
def test_a_question_that_means_nothing(project: Path, words: list[str], said: str) -> None:
    result = run("route", *words)
    assert result.exit_code == 2 and said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["team=web", "system=shop", "severity=critical"], None),
        (["team=web"], "3 alert levels of this project with these labels also have system, and reach web, oncall, dev"),
        (["severity=critical"], "one alert level of this project with these labels also has"),
        (["severity=critcal"], "no alert of this project has severity=critcal; did you mean `critical`?"),
    ],
)
def test_labels_are_compared_with_the_alerts_there_are(project: Path, words: list[str], said: str | None) -> None:
    out = run("route", *words).stdout
    assert ("note: " in out) is (said is not None) and (said or "") in out


def test_only_the_levels_that_reach_the_default_are_named(project: Path) -> None:
    routing = ROUTING.replace("match: {team: web}", "match: {team: web, severity: critical}").replace(
        "      - {match: {severity: critical}, to: [oncall, web]}", "      - {match: {system: shop}, to: oncall}"
    )
    (project / "alertmanager" / "routing.yaml").write_text(routing.lstrip())
    assert "shop/QueueLong (warning) reaches only the default receiver `ops`" in run("route", "--check").stdout


@pytest.mark.skipif(not found(), reason="no amtool on PATH or in ALERTKIT_TEST_VERSIONS")
def test_render(project: Path) -> None:
    out = run("render", "QueueLong", "--count", "2").stdout
    assert "--- oncall, pagerduty, firing" in out and "--- web, slack, resolved" in out
    assert "title: [CRITICAL x2] QueueLong on shop" in out and "title: [RESOLVED x2] QueueLong on shop" in out
    assert "`queue=queue-2`" in out


@pytest.mark.skipif(not found(), reason="no amtool on PATH or in ALERTKIT_TEST_VERSIONS")
def test_render_shows_each_text_once(project: Path) -> None:
    blocks = run("render", "QueueLong").stdout.strip().split("\n\n")
    slack = next(block for block in blocks if block.startswith("--- web, slack, firing")).split("\n")
    title = "[CRITICAL] QueueLong on shop"
    assert f"title: {title}" in slack and f"fallback: {title}: Queue queue-1 has 100.1 entries" in slack
    assert [row for row in slack if row.startswith("field")] == [
        "field Severity: CRITICAL", "field Team: web", "field Now: 100.1", "field Since: 2026-01-05 14:30 UTC",
    ]  # fmt: skip


@pytest.mark.skipif(not found(), reason="no amtool on PATH or in ALERTKIT_TEST_VERSIONS")
def test_render_shows_several_only_of_what_can_be_several(project: Path) -> None:
    path = project / "rules_src" / "shop.yaml"
    path.write_text(
        path.read_text()
        + "  Shelf:\n    kind: threshold\n    for_each: {zone: [north, south]}\n    metric: shop_shelf\n"
        + "    by: [zone]\n    above: 3\n    summary: Shelf in {{ $labels.zone }}\n"
    )
    alone = run("render", "Errors", "--count", "3")
    assert alone.exit_code == 2 and "`Errors` can fire only once at a time" in alone.stderr
    assert "`Shelf` can fire only 2 times at a time" in run("render", "Shelf", "--count", "3").stderr
    both = run("render", "Shelf", "--count", "2").stdout
    assert "*Shelf in north*" in both and "*Shelf in south*" in both
    assert "zone%3D%22north%22" in both and "zone%3D%22south%22" in both  # each with its own expression
    many = run("render", "QueueLong", "--count", "3").stdout
    assert all(f"*Queue queue-{number} has 100.1 entries* (now 100.1)" in many for number in (1, 2, 3))


def test_render_asks_which_of_two_systems(project: Path) -> None:
    (project / "rules_src" / "mall.yaml").write_text((project / "rules_src" / "shop.yaml").read_text().replace(
        "system: shop", "system: mall").replace("shop_", "mall_"))  # fmt: skip
    result = run("render", "QueueLong")
    assert result.exit_code == 2 and not result.stdout
    assert "2 systems have an alert `QueueLong`" in result.stderr
    assert "say which: mall/QueueLong or shop/QueueLong" in result.stderr
    if found():
        assert "title: [CRITICAL] QueueLong on mall" in run("render", "mall/QueueLong").stdout


@pytest.mark.skipif(not found(), reason="no amtool on PATH or in ALERTKIT_TEST_VERSIONS")
def test_render_reports_what_is_blank_for_this_alert(project: Path) -> None:
    folder = project / "alertmanager" / "templates"
    folder.mkdir()
    (folder / "own.tmpl").write_text('{{ define "alertkit.title" }}{{ .CommonLabels.host }}{{ end }}')
    result = run("render", "Errors", "--receiver", "web")
    assert result.exit_code == 2 and not (project / "build").exists()
    assert result.stderr == shown("""
        alertmanager/routing.yaml:4:3: error[AK521]: `title` of slack in `web` renders to nothing
            4 |   web: {slack: {channel: "#web"}}
              |   ^^^
          help: the template is {{ template "alertkit.title" . }}; give it a text for every alert

        1 error in 1 file
    """)


def test_render_reports_a_bad_template(project: Path) -> None:
    folder = project / "alertmanager" / "templates"
    folder.mkdir()
    (folder / "own.tmpl").write_text('{{ define "alertkit.title" }}{{ .Nope }}{{ end }}')
    result = run("render", "Errors")
    assert result.exit_code == 2 and "AK520" in result.stderr


@pytest.mark.skipif(not found(), reason="no amtool on PATH or in ALERTKIT_TEST_VERSIONS")
def test_what_is_too_new_says_which_key_and_what_is_here(project: Path) -> None:
    path = project / "alertmanager" / "routing.yaml"
    path.write_text(path.read_text().replace('{slack: {channel: "#dba"}}', "{msteams: {webhook_file: /s/t}}"))
    for command in (["compile"], ["route", "--all"], ["test"], ["render", "Errors"]):
        result = run(*command)
        assert result.exit_code == 2 and not (project / "build").exists()
        assert "error[AK512]: msteams works from Alertmanager 0.28 on, and this is compiled for 0.25" in result.stderr
        (help,) = (line for line in result.stderr.splitlines() if "help:" in line)
        assert 'write `alertmanager_version: "0.28"` into alertkit.yaml' in help
        assert "`--alertmanager-version 0.28`" in help
        here = find("alertmanager") or find("amtool")
        assert here and here.version and help.endswith(f"; here is {here.version[0]}.{here.version[1]}")
    (project / "alertkit.yaml").write_text('alertmanager_version: "0.28"\n')
    assert run("route", "--all").exit_code == 0


def test_a_time_after_the_known_holidays_is_said(project: Path) -> None:
    said = "market holidays are known until 2029; later ones count as trading days"
    assert said in run("route", "QueueLong", "--at", "2030-12-25T12:00-05:00").stdout
    assert said not in run("route", "QueueLong", "--at", "2029-12-25T12:00-05:00").stdout


def test_what_nothing_fits_is_told_with_what_was_perhaps_meant(project: Path) -> None:
    routing = ROUTING.replace("default: ops", "default: ops\ngroup_by: [sytem, alertname]").replace(
        "  - {match: {team: db}, to: dba}",
        "  - {match: {sevrity: critical}, to: dba}\n  - {match: {team: wbe}, to: dba, group_by: [queue, quue]}",
    )
    (project / "alertmanager" / "routing.yaml").write_text(routing.lstrip())
    out = run("route", "--check").stdout
    for said in (
        '15:5: note: no alert reaches the route sevrity="critical": none has the label `sevrity`; '
        "did you mean `severity`?",
        '16:5: note: no alert reaches the route team="wbe": none has team="wbe"; did you mean `web`?',
        "9:11: note: no alert has the label `sytem` to group by; did you mean `system`?",
        "16:45: note: no alert has the label `quue` to group by; did you mean `queue`?",
    ):
        assert f"alertmanager/routing.yaml:{said}" in out
    assert "label `queue`" not in out and "label `alertname`" not in out
