"""The corpus of expressions, and asking a real promtool whether it loads them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CORPUS = [
    line
    for line in (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on the PATH")


def refused(expressions: list[str], folder: Path) -> list[str]:
    """Those that `promtool check rules` does not load, each with what it says."""
    names = []
    for number, expression in enumerate(expressions):
        rules = {"groups": [{"name": "g", "rules": [{"record": "r", "expr": expression}]}]}
        names.append(f"{number}.yml")
        (folder / names[-1]).write_text(json.dumps(rules, ensure_ascii=False), encoding="utf-8")
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "check", "rules", *names], cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert said.count("SUCCESS") + said.count("FAILED") == len(names)
    failed = sorted({int(number) for number in re.findall(r"^\s*(\d+)\.yml: ", said, re.MULTILINE)})
    assert said.count("FAILED") == len(failed)
    return [f"{expressions[number]}: {said}" for number in failed]
