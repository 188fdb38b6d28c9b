"""Both forms of `unless`: what is compiled, and that promtool agrees; copies of `for_each` leave one another alone."""

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


COPIES = """
system: shop
defaults: {for: 1m}
alerts:
  Full: {kind: threshold, metric: q, by: [job], above: {warning: 10, critical: 20}, clear: 5, for_each: {hall: [a, b]}}
  Late:
    {kind: threshold, metric: z, by: [job], above: 3, for_each: {hall: [a, b]}, unless: {alert: Full, pending: false}}
  Odd: {kind: expr, expr: 'o{hall="<< hall >>"} > 1', for_each: {hall: [a, b]}}
  Even: {kind: expr, expr: 'e{hall="<< hall >>"} > 1', for_each: {hall: [a, b]}, unless: Odd}
"""
COPIES_SCENARIO = """
system: shop
scenarios:
  only one hall is full:
    step: 15s
    series:
      q{hall="a",job="j"}: 7 for 10m
      q{hall="b",job="j"}: 15 for 10m
      z{hall="a",job="j"}: 9 for 10m
      z{hall="b",job="j"}: 9 for 10m
    expect:
      at 8m:
        - Full{hall="b"} fires
        - Full{hall="a"} is inactive
        - Late{hall="a"} fires
        - Late{hall="b"} is inactive
"""
ROUTING = """
receivers: {all: {webhook: {url: https://hooks.example.com/}}}
default: all
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


def copies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in {"rules_src/shop.yaml": COPIES, "promtool_tests/one.yaml": COPIES_SCENARIO,
                       "alertmanager/routing.yaml": ROUTING}.items():  # fmt: skip
        (folder / path).parent.mkdir()
        (folder / path).write_text(text.lstrip())
    monkeypatch.chdir(folder)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
def test_a_copy_neither_keeps_another_one_firing_nor_explains_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies(tmp_path, monkeypatch)
    result = run("test", "--no-cache")
    assert result.exit_code == 0, result.output


def test_a_copy_mutes_no_other_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies(tmp_path, monkeypatch)
    for asked, cause in {"Full": "Full,severity=critical,job=j", "Even": "Odd,severity=warning"}.items():
        labels = ["severity=warning", *(["job=j"] if asked == "Full" else [])]
        for hall, told in {"a": False, "b": True}.items():
            result = run("route", f"shop/{asked}", "hall=a", *labels, "--while",
                         f"alertname={cause},system=shop,hall={hall}")  # fmt: skip
            assert ("told: nobody" not in result.output) == told, (asked, hall, result.output)


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
