# ruff: noqa: E501
"""Completion in shells, as the shells ask for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import ROOT, shipped

PROGRAM = "import sys; sys.argv[0] = 'alertkit'; from alertkit.__main__ import main; main()"


def offered(folder: Path, words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=folder,
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "_ALERTKIT_COMPLETE": "bash_complete", "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
    )  # fmt: skip
    assert done.stderr == ""
    return [row.split(",", 1)[1] for row in done.stdout.splitlines() if row.startswith("plain,")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shipped(tmp_path_factory.mktemp("shipped"))
    (folder / "alertkit.yaml").write_text("environments: {prod: {}, staging: {}}\n", "utf-8")
    return folder


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("alertkit comp", ["compile"]), ("alertkit compile --che", ["--check"]), ("alertkit kinds sta", ["stalled", "stale"]),
        ("alertkit explain-error AK30", [f"AK30{n}" for n in (1, 2, 3, 4, 5, 6, 8, 9)]),
        ("alertkit plan --env s", ["staging"]), ("alertkit route highlev", ["HighLeverage"]),
        ("alertkit render peak_trade/Low", ["peak_trade/LowCacheHitRate"]), ("alertkit drill exchange", ["ExchangeDisconnected"]),
        ("alertkit schema ro", ["routing"]),
    ],
)  # fmt: skip
def test_what_is_offered(project: Path, words: str, wanted: list[str]) -> None:
    assert offered(project, words) == wanted


@pytest.mark.parametrize("words", ["alertkit route Hi", "alertkit plan --env p", "alertkit kinds lat"])
def test_a_broken_project_offers_what_it_can(tmp_path: Path, words: str) -> None:
    (tmp_path / "alertkit.yaml").write_text("environments: [", "utf-8")
    assert offered(tmp_path, words) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(tmp_path: Path, shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "_ALERTKIT_COMPLETE": f"{shell}_source"},
    )  # fmt: skip
    assert done.returncode == 0 and f"_ALERTKIT_COMPLETE={shell}_complete" in done.stdout
