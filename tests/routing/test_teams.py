"""A routing file that begins with `team:` routes and inhibits that team's alerts alone."""

from __future__ import annotations

from alertkit.routing.answer import Oracle
from tests.routing.helpers import alert, routing_of

MAIN = """
defaults: {slack: {webhook_file: /s/slack}}
receivers: {ops: {slack: {channel: "#ops"}}}
default: ops
"""
TRADING = """
team: trading
receivers:
  trading: {slack: {channel: "#trading"}}
  trading-oncall: {slack: {channel: "#trading-incidents"}}
routes:
  - match: {severity: critical}
    to: trading-oncall
    routes:
      - {match: {job: api}, to: trading}
  - {to: trading}
inhibit:
  - {when: Down, mutes: {system: same}}
"""
INFRA = """
team: infra
receivers: {infra: {slack: {channel: "#infra"}}}
routes: [{to: infra}]
"""
FILES = {"routing.yaml": MAIN, "infra.yaml": INFRA, "trading.yaml": TRADING}


def labels(team: str, severity: str, **more: str) -> dict[str, str]:
    return {"alertname": "Slow", "system": "s", "team": team, "severity": severity, **more}


def test_each_team_is_told_of_its_own() -> None:
    alerts = [alert("Slow", "warning", "critical", system="s", team="trading"), alert("Down", system="s", team="infra")]
    oracle = Oracle(routing_of(FILES, alerts))
    assert oracle.answer(labels("trading", "critical")).notified == ["trading-oncall"]
    assert oracle.answer(labels("trading", "critical", job="api")).notified == ["trading"]
    assert oracle.answer(labels("trading", "warning")).notified == ["trading"]
    assert oracle.answer(labels("infra", "critical")).notified == ["infra"]
    assert oracle.answer(labels("web", "critical")).notified == ["ops"]


def test_a_team_mutes_only_its_own() -> None:
    alerts = [alert("Slow", system="s", team="trading"), alert("Down", system="s", team="infra")]
    oracle = Oracle(routing_of(FILES, alerts))
    down = {"alertname": "Down", "system": "s", "team": "infra", "severity": "critical"}
    assert oracle.answer(labels("trading", "warning"), firing=[down]).notified == []
    assert oracle.answer(labels("infra", "warning"), firing=[down]).notified == ["infra"]


def test_a_match_on_nothing_is_the_teams_rest() -> None:
    emitted = routing_of(FILES, [alert("Slow", team="trading"), alert("Down")])
    assert [str(m) for route in emitted.root.routes for m in route.matchers][-1] == 'team="trading"'


def test_a_teams_defaults_are_for_its_own_receivers() -> None:
    own = TRADING.replace("team: trading\n", "team: trading\ndefaults: {slack: {webhook_file: /s/trading}}\n", 1)
    shared = MAIN.replace("{webhook_file: /s/slack}", "{webhook_file: /s/slack, username: Bot}")
    routing = routing_of({"routing.yaml": shared, "infra.yaml": INFRA, "trading.yaml": own})
    settings = {receiver.name: receiver.integrations[0].settings for receiver in routing.receivers}
    assert {name: (one["api_url_file"], one["username"]) for name, one in settings.items()} == {
        "ops": ("/s/slack", "Bot"), "infra": ("/s/slack", "Bot"),
        "trading": ("/s/trading", "Bot"), "trading-oncall": ("/s/trading", "Bot"),
    }  # fmt: skip


def test_defaults_without_a_team_are_for_everybody_wherever_they_stand() -> None:
    main, defaults = MAIN.strip().split("\n", 1)[1], MAIN.strip().split("\n", 1)[0]
    routing = routing_of({"routing.yaml": main, "secrets.yaml": defaults, "trading.yaml": TRADING})
    assert {receiver.integrations[0].settings["api_url_file"] for receiver in routing.receivers} == {"/s/slack"}
