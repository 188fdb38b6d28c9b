"""Servers under a path, folders that are links, one folder for two environments, a thousand rules."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.deploy import Prometheus
from alertkit.live.sink import Sink
from alertkit.source import Problems
from tests.live.site import rules
from tests.servers import partner, start_alertmanager, start_prometheus, versions

# The oldest and the newest version; those between show nothing more here.
CHOSEN = [v for v in versions("prometheus") if getattr(v, "id", "") != "2.53"]
SPEC = """
system: a
team: web
interval: 1s
runbooks: https://runbooks.example.com
alerts:
  Hot: {kind: expr, expr: "vector(2) > 1", for: 0s, severity: warning, summary: It is hot}
"""
ROUTING = """
default: web
receivers: {web: {webhook: {url: "%s/webhook"}}}
routes: [{match: {severity: warning}, to: web, group_wait: 1s, group_interval: 2s}]
"""


@pytest.fixture(params=CHOSEN)
def binary(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("rules", "am", "build/rules"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == code, result.output
    return result


def loaded(url: str) -> dict[str, int]:
    """The rules that a server has: group -> `for` of its first rule in milliseconds."""
    return {group.name: group.rules[0].for_ for group in Prometheus(url).rules(Problems()) or ()}


def test_servers_under_a_path(binary: Path, root: Path) -> None:
    """`--web.route-prefix`, as behind a reverse proxy: plan, apply, status and drill."""
    config = root / "am" / "alertmanager.yml"
    config.write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    (root / "rules_src").mkdir()
    (root / "rules_src" / "a.yaml").write_text(SPEC)
    (root / "alertmanager").mkdir()
    with (
        Sink() as sink,
        start_alertmanager(partner(binary, "alertmanager"), config, prefix="/alerts/am") as alertmanager,
    ):
        (root / "alertmanager" / "routing.yaml").write_text(ROUTING % sink.url)
        host = alertmanager.url.removeprefix("http://").partition("/")[0]
        extra = (
            "alerting: {alertmanagers: [{path_prefix: /alerts/am, "
            f"static_configs: [{{targets: ['{host}']}}]}}]}}\n"
        )  # fmt: skip
        arguments = ("--web.enable-lifecycle", "--rules.alert.resend-delay=1s")
        with start_prometheus(
            binary, root / "rules", extra=extra, arguments=arguments, prefix="/metrics/prom"
        ) as prometheus:

            def configure(prometheus_url: str) -> None:
                (root / "alertkit.yaml").write_text(
                    f"environments:\n  prod: {{prometheus: '{prometheus_url}', rules_dir: rules,"
                    f" alertmanager: '{alertmanager.url}/', alertmanager_file: am/alertmanager.yml}}\n"
                )

            configure(prometheus.url.replace("/metrics/prom", ""))
            run("compile")
            wrong = run("plan", "--env", "prod", code=3)
            assert "AK709" in wrong.output or "AK705" in wrong.output, wrong.output
            assert "prefix" in wrong.output
            configure(prometheus.url)
            assert "+ alert Hot (warning)" in run("plan", "--env", "prod", code=4).output
            done = run("apply", "--env", "prod", "--yes")
            assert f"prometheus {prometheus.url} reloaded" in done.output
            assert f"alertmanager {alertmanager.url} reloaded, configuration verified" in done.output
            assert loaded(prometheus.url) == {"a": 0}
            assert sink.wait(lambda m: "Hot" in str(m.body), 90) is not None
            status = json.loads(run("status", "--env", "prod", "--format", "json").output)
            [sends] = [f for f in status["findings"] if f["check"] == "sends to"]
            assert sends["state"] == "ok" and status["healthy"]
            drill = json.loads(run("drill", "Hot", "--env", "prod", "--yes", "--format", "json").output)
            assert drill["drills"][0]["delivered"]


def test_folders_and_files_that_are_links(binary: Path, root: Path) -> None:
    """The links stay, what they lead to changes; rolled back likewise."""
    real = root / "mounted" / "v1"
    real.mkdir(parents=True)
    (root / "elsewhere").mkdir()
    (root / "rules").rmdir()
    (root / "rules").symlink_to(real)
    (root / "elsewhere" / "a.yml").write_text(rules("a"))
    (real / "a.yml").symlink_to(root / "elsewhere" / "a.yml")
    build = root / "build" / "rules"
    with start_prometheus(binary, root / "rules") as prometheus:
        (root / "alertkit.yaml").write_text(
            f"environments:\n  prod: {{prometheus: '{prometheus.url}', rules_dir: rules}}\n"
        )
        for wait, other in (("1m", "b"), ("2m", "c")):
            for path in build.iterdir():
                path.unlink()
            (build / "a.yml").write_text(rules("a", wait))
            (build / f"{other}.yml").write_text(rules(other))
            run("apply", "--env", "prod", "--build", "build", "--yes")
            assert loaded(prometheus.url) == {"a": int(wait[0]) * 60_000, other: 300_000}
        assert (root / "rules").is_symlink() and (real / "a.yml").is_symlink()
        assert (root / "elsewhere" / "a.yml").read_text() == rules("a", "2m")
        run("rollback", "--env", "prod", "--yes")
        assert loaded(prometheus.url) == {"a": 60_000, "b": 300_000}
        assert (real / "a.yml").is_symlink() and (root / "elsewhere" / "a.yml").read_text() == rules("a", "1m")
        assert not list(root.rglob("*.tmp"))


KILLED = """
import os, signal, sys
from pathlib import Path
from alertkit.deploy import Options, apply
from alertkit.source import Problems
from alertkit.spec.project import read_project
def checkpoint(name):
    if name == "verified":
        os.kill(os.getpid(), signal.SIGKILL)
apply(read_project(Path("."), Problems()), "blue", Problems(), Options(evaluated=False, checkpoint=checkpoint))
"""


def test_two_environments_share_a_folder(binary: Path, root: Path) -> None:
    """Each tells its own server; what a killed run of one left is undone there by the next run of either."""
    build = root / "build" / "rules"
    with start_prometheus(binary, root / "rules") as blue, start_prometheus(binary, root / "rules") as green:
        (root / "alertkit.yaml").write_text(
            f"environments:\n  blue: {{prometheus: '{blue.url}', rules_dir: rules}}\n"
            f"  green: {{prometheus: '{green.url}', rules_dir: rules}}\n"
        )
        (build / "a.yml").write_text(rules("a"))
        for name in ("blue", "green"):
            run("apply", "--env", name, "--build", "build", "--yes")
        assert loaded(blue.url) == loaded(green.url) == {"a": 300_000}
        (build / "a.yml").write_text(rules("a", "1m"))
        child = subprocess.run([sys.executable, "-c", KILLED], env={**os.environ}, timeout=60)
        assert child.returncode == -signal.SIGKILL
        assert loaded(blue.url) == {"a": 60_000}
        (build / "a.yml").write_text(rules("a", "2m"))
        alone = (root / "alertkit.yaml").read_text()
        (root / "alertkit.yaml").write_text(alone.replace("  blue:", "  navy:"))
        refused = run("apply", "--env", "green", "--build", "build", "--yes", code=3)
        assert "AK735" in refused.output and "`blue`" in refused.output
        (root / "alertkit.yaml").write_text(alone)
        done = run("apply", "--env", "green", "--build", "build", "--yes")
        assert "undoing what was left by" in done.output and blue.url in done.output
        assert loaded(green.url) == {"a": 120_000}
        # Blue was brought back to what the folder had; it has not been told of green's rules yet.
        assert loaded(blue.url) == {"a": 300_000}
        run("apply", "--env", "blue", "--build", "build", "--yes")
        assert loaded(blue.url) == {"a": 120_000}


def test_a_thousand_rules(binary: Path, root: Path) -> None:
    rows = "".join(
        f"      - {{alert: A{i}, expr: 'absent(metric_{i}) > 1', for: 5m, labels: {{severity: warning}}}}\n"
        for i in range(1000)
    )
    text = f"# Generated by alertkit\ngroups:\n  - name: many\n    interval: 5s\n    rules:\n{rows}"
    (root / "build" / "rules" / "many.yml").write_text(text)
    with start_prometheus(binary, root / "rules") as prometheus:
        (root / "alertkit.yaml").write_text(
            f"environments:\n  prod: {{prometheus: '{prometheus.url}', rules_dir: rules}}\n"
        )
        planned = run("plan", "--env", "prod", "--build", "build", code=4)
        assert "+ 1000 alerts (1000 warning) in many" in planned.output and len(planned.output.splitlines()) < 5
        done = run("apply", "--env", "prod", "--build", "build", "--yes")
        assert "no build before 1 is kept" in run("rollback", "--env", "prod", "--yes", code=2).output
        assert "1000 rules in 1 group loaded and verified, evaluated without errors" in done.output
        assert run("plan", "--env", "prod", "--build", "build").output.startswith("plan for prod: no change")
