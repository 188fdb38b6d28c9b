"""Whole files: tests/golden/in-*.yaml compiles to out-*.yml, to the byte. ALERTKIT_UPDATE_CASES=1 writes them anew."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from alertkit.compile.settings import Settings
from alertkit.compile.system import compile_system
from alertkit.emit.rules import rules_file
from alertkit.kinds import Registry
from alertkit.kinds.registry import BUILT_IN
from alertkit.source import Problems, load
from alertkit.source.problem import draw_all

INPUTS = sorted((Path(__file__).parent / "golden").glob("in-*.yaml"))
PROMTOOL = shutil.which("promtool")


def output_of(path: Path) -> Path:
    return path.with_name(path.name.replace("in-", "out-", 1)).with_suffix(".yml")


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_a_spec_compiles_to_these_bytes(path: Path) -> None:
    problems = Problems()
    text = path.read_text("utf-8")
    document = load(text, path.name, problems)
    system = compile_system(document, path.name, Registry(), Settings(), problems) if document else None
    assert system is not None, draw_all(
        problems, line_of=lambda _, line: dict(enumerate(text.split("\n"), 1)).get(line)
    )
    rules = rules_file(system)
    if os.environ.get("ALERTKIT_UPDATE_CASES") == "1":
        output_of(path).write_text(rules, "utf-8")
    assert rules == output_of(path).read_text("utf-8")


def test_every_kind_is_among_them() -> None:
    texts = " ".join(path.read_text("utf-8") for path in INPUTS)
    assert [kind for kind in BUILT_IN if f"kind: {kind}" not in texts and kind != "expr"] == []


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_takes_them() -> None:
    assert PROMTOOL is not None
    files = [str(output_of(path)) for path in INPUTS]
    done = subprocess.run([PROMTOOL, "check", "rules", *files], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
