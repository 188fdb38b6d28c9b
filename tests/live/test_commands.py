"""plan, apply, status, rollback and drill as commands, against real servers and a sink."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.live.serve import SimulatorServer
from alertkit.live.simulator import Simulator
from alertkit.live.sink import Sink
from tests.servers import partner, start_alertmanager, start_prometheus, versions

# Prometheus forgets its Alertmanagers for up to 5 s at a reload, and sends again only after a minute.
ARGUMENTS = ("--web.enable-lifecycle", "--rules.alert.resend-delay=1s")
SPEC = """
system: shop
team: web
runbooks: https://runbooks.example.com
alerts:
  TooHot: {{kind: threshold, metric: shop_temperature_celsius, by: [room], above: {{warning: {limit}}}, for: {wait}}}
  Full: {{kind: threshold, metric: shop_queue_length, above: {{critical: 100}}, for: 0s}}
  Beat: {{kind: heartbeat, receiver: beat, for: 0s, severity: info}}
"""
ROUTING = """
defaults: {{slack: {{webhook_file: {root}/slack}}, pagerduty: {{routing_key_file: {root}/key, url: "{url}/pagerduty"}}}}
receivers:
  web: {{slack: {{channel: "#web"}}}}
  oncall: {{slack: {{channel: "#oncall"}}, pagerduty: {{}}}}
  beat: {{webhook: {{url: "{url}/webhook"}}}}
default: web
group_wait: 1s
group_interval: 2s
severities:
  critical: {{group_wait: 1s, group_interval: 2s}}
  warning: {{group_wait: 1s, group_interval: 2s}}
  info: {{group_wait: 1s, group_interval: 2s}}
routes:
  - {{match: {{severity: {paged}}}, to: oncall}}
"""


@dataclass
class Shop:
    root: Path
    sink: Sink

    def write(self, limit: str = "30", wait: str = "0s", paged: str = "critical") -> None:
        (self.root / "rules_src" / "shop.yaml").write_text(SPEC.format(limit=limit, wait=wait))
        (self.root / "alertmanager" / "routing.yaml").write_text(
            ROUTING.format(root=self.root, url=self.sink.url, paged=paged)
        )
        assert self.run("compile").exit_code == 0

    def run(self, *words: str) -> Result:
        result = CliRunner().invoke(main, list(words))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--format", "json").stdout)


# The oldest and the newest version; those between show nothing more here.
@pytest.fixture(params=[v for v in versions("prometheus") if getattr(v, "id", "") != "2.53"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    binary: Path = request.param
    for name in ("rules_src", "alertmanager", "rules", "am"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "hand.yml").write_text("groups: [{name: hand, rules: [{alert: ByHand, expr: up == 7}]}]")
    (tmp_path / "am" / "alertmanager.yml").write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    monkeypatch.chdir(tmp_path)

    class Room(Simulator):
        def exposition(self) -> str:
            buckets = "".join(f'shop_seconds_bucket{{le="{le}"}} 7\n' for le in ("0.5", "1.0", "2.5", "+Inf"))
            return f'shop_temperature_celsius{{room="cellar"}} 40\nshop_queue_length 3\n{buckets}'

    with (
        Sink() as sink,
        SimulatorServer(Room([])) as served,
        start_alertmanager(partner(binary, "alertmanager"), tmp_path / "am" / "alertmanager.yml") as alertmanager,
    ):
        extra = (
            f"scrape_configs: [{{job_name: x, static_configs: [{{targets: ['{served.address}']}}]}}]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager.url[7:]}']}}]}}]}}\n"
        )
        with start_prometheus(binary, tmp_path / "rules", extra=extra, arguments=ARGUMENTS) as prometheus:
            (tmp_path / "alertkit.yaml").write_text(
                f"environments:\n  prod: {{prometheus: '{prometheus.url}', rules_dir: rules,"
                f" alertmanager: '{alertmanager.url}', alertmanager_file: am/alertmanager.yml}}\n"
            )
            (tmp_path / "slack").write_text(f"{sink.url}/slack")
            (tmp_path / "key").write_text("0123456789")
            yield Shop(tmp_path, sink)


def test_a_stale_build_is_refused(shop: Shop) -> None:
    shop.write()
    assert shop.run("apply", "--env", "prod", "--yes").exit_code == 0
    spec = shop.root / "rules_src" / "shop.yaml"
    spec.write_text(spec.read_text().replace("warning: 30", "warning: 35"))
    loaded = (shop.root / "rules" / "shop.yml").read_bytes()
    for words in (["plan"], ["apply", "--yes"], ["reload"]):
        refused = shop.run(*words, "--env", "prod")
        assert refused.exit_code == 1, refused.output
        assert "AK739" in refused.output and "rules/shop.yml" in refused.output
    assert (shop.root / "rules" / "shop.yml").read_bytes() == loaded
    # Named, it is taken as it is: what was applied before, so nothing changes.
    assert shop.run("plan", "--env", "prod", "--build", "build").exit_code == 0
    spec.write_text(spec.read_text().replace("threshold", "treshold"))
    broken = shop.run("plan", "--env", "prod")
    assert broken.exit_code == 2 and "did you mean `threshold`" in broken.output, broken.output
    spec.unlink()
    spec.parent.rmdir()
    assert shop.run("plan", "--env", "prod").exit_code == 0


def test_a_threshold_above_all_buckets_of_the_server_is_said(shop: Shop) -> None:
    slow = "{{kind: latency, histogram: {0}_seconds, above: {{warning: {1}s, critical: {2}s}}}}"
    shop.write()
    spec = shop.root / "rules_src" / "shop.yaml"
    spec.write_text(
        f"{spec.read_text()}  Slow: {slow.format('shop', 1, 3)}\n  Edge: {slow.format('shop', 2, 2.5)}\n"
        f"  Unseen: {slow.format('other', 1, 100)}\n"
        "  Reached: {kind: latency, histogram: shop_seconds, quantile: 0.5, at_least: 2.5s, for: 1m}\n"
        "  Alone: {kind: latency, histogram: shop_seconds, quantile: 0.9, at_least: 2.6s, for: 1m}\n"
    )
    assert shop.run("compile").exit_code == 0
    said = ", for the highest finite bucket of shop_seconds on http://127.0.0.1"
    deadline = time.monotonic() + 30
    while not (notes := [n for n in shop.json("plan", "--env", "prod")["notes"] if "bucket" in n]):
        assert time.monotonic() < deadline  # nothing has been scraped yet
        time.sleep(0.2)
    assert [note.split(said)[0] for note in notes] == [
        "Slow (critical) in shop: `> 3` is never true",
        "Edge (critical) in shop: `> 2.5` is never true",
        "Alone (warning) in shop: `>= 2.6` is never true",
    ]
    assert all(note.endswith(" is 2.5") for note in notes)
    text = shop.run("plan", "--env", "prod").output
    assert all(text.count(note) == 1 for note in notes)


def test_a_change_from_plan_to_rollback(shop: Shop) -> None:
    shop.write()
    assert shop.run("plan", "--env", "prod").exit_code == 4
    refused = shop.run("apply", "--env", "prod")
    assert refused.exit_code == 2 and "AK738" in refused.output
    done = shop.run("apply", "--env", "prod", "--yes")
    assert done.exit_code == 0, done.output
    assert "this is build 1 of prod" in done.output and "evaluated without errors" in done.output
    calm = shop.run("plan", "--env", "prod")
    assert calm.exit_code == 0 and "no change" in calm.output and "left alone" in calm.output and "hand" in calm.output
    assert shop.sink.wait(lambda m: m.body.get("channel") == "#web" and "TooHot" in str(m.body), 30)

    shop.write(limit="50", wait="1m", paged='"=~ critical|warning"')
    text = shop.run("plan", "--env", "prod")
    assert text.exit_code == 4
    for words in (
        "~ alert TooHot (warning) in shop", "threshold: 30 -> 50", "for: 0s -> 1m",
        "shop/TooHot (warning): web -> oncall", "would resolve: the new expression is not true for it now",
        'TooHot{room="cellar"',
    ):  # fmt: skip
        assert words in text.output, text.output
    plan = shop.json("plan", "--env", "prod")
    [server] = plan["servers"]
    assert [a["effect"] for a in server["active"]] == ["resolves"]
    assert server["foreign"][0]["group"] == "hand"
    assert plan["told"] == [
        {"alert": "TooHot", "severity": "warning", "system": "shop", "old": ["web"], "new": ["oncall"]}
    ]
    assert shop.json("apply", "--env", "prod", "--yes")["build"] == 2
    assert "threshold: 50 -> 30" in shop.run("rollback", "--env", "prod", "--yes").output
    assert shop.json("rollback", "--env", "prod", "--list")["builds"][0]["current"]


def test_status_and_drift(shop: Shop) -> None:
    shop.write()
    assert shop.run("apply", "--env", "prod", "--yes").exit_code == 0
    assert shop.sink.wait(lambda m: m.kind == "webhook", 60)
    assert shop.sink.wait(lambda m: "TooHot" in str(m.body), 60)
    told = shop.run("status", "--env", "prod", "-v")
    assert told.exit_code == 0, told.output
    for words in (
        "3 rules as applied",
        "configuration as applied",
        "Beat is heard",
    ):
        assert words in told.output, told.output
    assert re.search(r"^firing +alert +http://\S+ +TooHot \(warning\) in shop$", told.output, re.MULTILINE)
    assert told.output.endswith("prod: 0 bad, 0 to look at, 1 alert firing\n")
    path = shop.root / "rules" / "shop.yml"
    path.write_text(path.read_text() + "# mine\n")
    (shop.root / "key").unlink()
    bad = shop.json("status", "--env", "prod")
    assert not bad["healthy"]
    assert {(f["check"], f["text"].split(":")[0]) for f in bad["findings"] if f["state"] == "bad"} == {
        ("files", "changed by hand since the last apply"), ("secret", "the file is missing"),
    }  # fmt: skip
    assert "0123456789" not in str(bad)
    [alert] = [f for f in bad["findings"] if f["state"] == "firing"]
    assert (alert["alert"], alert["severity"], alert["group"], alert["count"]) == ("TooHot", "warning", "shop", 1)


def test_drill(shop: Shop) -> None:
    shop.write()
    assert shop.run("apply", "--env", "prod", "--yes").exit_code == 0
    asked = shop.run("drill", "Full", "--env", "prod")
    assert asked.exit_code == 2 and "AK738" in asked.output and not any("DRILL" in str(m) for m in shop.sink.messages)
    done = shop.json("drill", "Full", "--env", "prod", "--yes")
    [drill] = done["drills"]
    assert drill["delivered"] and drill["receivers"] == ["oncall"]
    assert {(i["kind"], i["state"]) for i in drill["integrations"]} == {
        ("slack", "delivered"),
        ("pagerduty", "delivered"),
    }
    page = shop.sink.wait(lambda m: m.kind == "pagerduty", 5)
    assert page is not None and "[DRILL]" in page.body["payload"]["summary"]
    everyone = shop.run("drill", "--all-receivers", "--env", "prod", "--yes")
    assert everyone.exit_code == 0, everyone.output
    assert all(name in everyone.output for name in ("web", "oncall", "beat"))
    shop.sink.answers["slack"] = 403
    failed = shop.run("drill", "Full", "--env", "prod", "--yes")
    assert failed.exit_code == 1 and "failed" in failed.output
