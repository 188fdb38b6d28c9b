"""Both forms of `unless`: what is compiled, and that promtool agrees."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main

SPEC = """
system: shop
defaults: {for: 1m}
alerts:
  DatabaseDown: {kind: threshold, metric: db_down, by: [host], above: 0, for: 0s}
  Slow:
    kind: threshold
    metric: shop_seconds
    by: [host]
    above: {warning: 1s, critical: 3s}
    clear: 800ms
    unless: UNLESS
  Odd:
    kind: expr
    expr: shop_odd > 1 or shop_strange > 1
    unless: {alert: DatabaseDown, pending: false}
"""
LONG = "[{alert: DatabaseDown, pending: false}]"
SCENARIO = """
system: shop
scenarios:
  the database explains it:
    step: 15s
    series:
      db_down{host="a"}: 0 for 2m, 1 for 4m, 0 for 4m
      db_down{host="b"}: 0 for 10m
      shop_seconds{host="a"}: 0.5 for 2m, 4 for 8m
      shop_seconds{host="b"}: 0.5 for 2m, 4 for 8m
      shop_odd{host="a"}: 0 for 2m, 4 for 8m
    expect:
      at 4m:
        - DatabaseDown{host="a"} fires
        - Slow{host="a"} is STATE
        - Slow{host="b", severity="critical"} fires
        - Odd is inactive
      at 8m:
        - Slow{host="a", severity="critical"} fires
        - Odd fires
"""


def project(folder: Path, monkeypatch: pytest.MonkeyPatch, unless: str, state: str = "inactive") -> None:
    for path, text in {"rules_src/shop.yaml": SPEC.replace("UNLESS", unless),
                       "promtool_tests/one.yaml": SCENARIO.replace("STATE", state)}.items():  # fmt: skip
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text.lstrip())
    monkeypatch.chdir(folder)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def test_the_long_form_is_part_of_every_levels_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, LONG)
    assert run("compile").exit_code == 0
    rules = (tmp_path / "build/rules/shop.yml").read_text()
    clause = 'unless on (host)\nALERTS{alertname="DatabaseDown",alertstate="firing",system="shop",host!=""}'
    assert " ".join(rules.split()).count(" ".join(clause.split())) == 3
    project(tmp_path, monkeypatch, "DatabaseDown")
    assert run("compile").exit_code == 0
    assert (tmp_path / "build/rules/shop.yml").read_text().count("unless on (host)") == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
def test_it_is_not_even_pending_and_its_own_proofs_still_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, LONG)
    result = run("test", "--no-cache")
    assert result.exit_code == 0, result.output
    # The short form leaves the rule alone: there it fires, and only the message is held back.
    project(tmp_path, monkeypatch, "DatabaseDown")
    assert run("test", "--no-cache").exit_code == 1


@pytest.mark.parametrize(
    ("unless", "said"),
    [
        ("{alert: DatabaseDwn, pending: false}", "21: error[AK407]: unknown alert `DatabaseDwn`"),
        ("{alert: Slow, pending: false}", "21: error[AK408]: `Slow` cannot explain itself away"),
        ("{alert: DatabaseDown, pending: maybe}", "44: error[AK203]: expected true or false, found `maybe`"),
        ("{alert: DatabaseDown, pendin: false}", "35: error[AK201]: unknown key `pendin`"),
        ("[DatabaseDown, {alert: 4}]", "36: error[AK203]: expected the name of an alert, found `4`"),
        ("{pending: false}", "13: error[AK202]: the key `alert` is missing"),
        ("[DatabaseDown, 3]", "28: error[AK203]: expected the name of an alert, found `3`"),
    ],
)
def test_mistakes(unless: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, monkeypatch, unless)
    result = run("compile")
    assert result.exit_code == 2 and f"rules_src/shop.yaml:11:{said}" in result.stderr
