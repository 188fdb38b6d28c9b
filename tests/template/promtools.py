"""What the real promtool says of templates: many in one run, on every version that can be found."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


def versions() -> list[str]:
    """Paths of all promtools: the one on PATH, and those in the folders of ALERTKIT_TEST_VERSIONS."""
    folders = [f for f in os.environ.get("ALERTKIT_TEST_VERSIONS", "").split(":") if f]
    found = [shutil.which("promtool"), *(shutil.which("promtool", path=folder) for folder in folders)]
    return [path for path in found if path]


@dataclass(frozen=True)
class Case:
    template: str
    value: float
    expected: str
    labels: dict[str, str] = field(default_factory=dict)


def sample(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"


def run(promtool: str, cases: list[Case], folder: Path) -> tuple[int, str]:
    """One promtool run in which alert `C<i>` must carry case i's text: exit code and output."""
    rules, series, tests = [], [], []
    for i, case in enumerate(cases):
        rules.append({"alert": f"C{i}", "expr": f"x{i}", "annotations": {"s": case.template}})
        labels = ",".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in case.labels.items())
        series.append({"series": f"x{i}{{{labels}}}", "values": sample(case.value)})
        expected = [{"exp_labels": case.labels, "exp_annotations": {"s": case.expected}}]
        tests.append({"eval_time": "0m", "alertname": f"C{i}", "exp_alerts": expected})
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}, ensure_ascii=False))
    group = {"interval": "1m", "input_series": series, "alert_rule_test": tests}
    unit = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [group]}
    (folder / "test.yml").write_text(json.dumps(unit, ensure_ascii=False))
    done = subprocess.run(
        [promtool, "test", "rules", "test.yml"], cwd=folder, text=True, timeout=120, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    return done.returncode, done.stdout
