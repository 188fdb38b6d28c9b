"""Whatever alert compiles passes its own proofs: a few of those that `random_specs` makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from alertkit.toolchain.tools import inspect
from tests.prove.random_specs import KINDS, alert, failing, valid
from tests.servers import versions

SEEDS = range(100)


@pytest.mark.parametrize("promtool", versions("promtool")[:1])
def test_alerts_by_chance_pass_their_own_proofs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promtool: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # where it is left for another folder
    alerts = valid(SEEDS)
    assert len(alerts) > len(SEEDS) / 2, "most of what it makes is refused"
    assert [result.id for result in failing(tmp_path / "project", alerts, inspect("promtool", promtool, "test"))] == []


def test_all_kinds_are_made_and_the_same_ones_again() -> None:
    made = [alert(seed) for seed in range(200)]
    assert {one["kind"] for one in made} == set(KINDS)
    assert made == [alert(seed) for seed in range(200)]
