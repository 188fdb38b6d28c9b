"""Texts that are only filled in, against test groups that are written one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from alertkit.compile.ruleset import System
from alertkit.emit import promtool
from alertkit.prove.derived.cases import proofs_of, texts_of
from tests.projects import shipped, small, systems_of

# By name of the alert its number of expectations, and its test groups by interval.
Told = dict[str, tuple[int, dict[int, str]]]


def added(parts: Iterable[tuple[str, int, dict[int, str]]]) -> Told:
    found: Told = {}
    for name, size, texts in parts:
        before, whole = found.get(name, (0, {}))
        for interval, text in texts.items():
            whole[interval] = whole.get(interval, "") + text
        found[name] = before + size, whole
    return found


def filled(system: System) -> Told:
    return added(texts_of(system, {alert.name for alert in system.alerts}))


def written(system: System) -> Told:
    """Each group written alone."""
    return added(
        (proof.alert.name, len(proof.checks), {proof.grid.evaluation: promtool.test_groups([proof.group])})
        for proof in proofs_of(system)
    )


def test_the_five_systems(tmp_path: Path) -> None:
    systems = systems_of(shipped(tmp_path))
    assert len(systems) == 5
    for system in systems:
        assert filled(system) == written(system) != {}


def test_names_and_texts_may_hold_what_stands_for_a_blank(tmp_path: Path) -> None:
    def odd(number: int, mark: str) -> str:
        alert = {
            "kind": "ratio", "bad": f'bad{number}{{path="/%s{mark}"}}', "total": f'all{number}{{path="/%s{mark}"}}',
            "above": {"warning": "5%", "critical": "10%"}, "window": "5m", "by": ["app"], "missing": "alert",
            "labels": {"note": f"100%s{mark}"}, "description": f"{mark} it's {number} %(x)s \\ \" ü\nand %d",
            "summary": "%d of {{ $labels.app }} at {{ $value | humanizePercentage }} '%%'",
        }  # fmt: skip
        if number % 2:
            alert["annotations"] = {"raw": "{{ $value }} %"}  # whose last digit is not known: states are expected
        return f"Odd{number}: {json.dumps(alert)}"

    marks = ["", "'", "é%%", "{{ $labels.app }}%s", "⟦0⟧", "%"]
    (system,) = systems_of(small(tmp_path, *[odd(number, mark) for number, mark in enumerate(marks)]))
    texts = filled(system)
    assert texts == written(system)
    for number, mark in enumerate(marks):
        whole = "".join(texts[f"Odd{number}"][1].values())
        assert "promql_expr_test" in whole
        assert f'/%s{mark}"'.replace("'", "''") in whole
        assert "100%s" in whole
