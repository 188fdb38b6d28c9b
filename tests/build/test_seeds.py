"""What is remembered from one run is known in the next one: no key depends on the order of a set in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.projects import shipped

RUN = """
import json, sys
from pathlib import Path
from alertkit.build import compile_project, read_systems
from alertkit.prove.derived.content import contents_of
from alertkit.source import Problems
from alertkit.spec.project import read_project
problems = Problems()
project = read_project(Path(sys.argv[1]), problems)
compiled = compile_project(project, problems, write=True, program="here")
contents = {s.name: contents_of(s, "here") for s in read_systems(project, problems)[1]}
assert not problems
print(json.dumps([compiled.reused, compiled.keys, contents]))
"""


def run(project: Path, cache: Path, seed: str) -> Any:
    env = {**os.environ, "PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(project)], env=env, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_another_process_knows_what_was_compiled(tmp_path: Path) -> None:
    project, cache = shipped(tmp_path / "project"), tmp_path / "cache"
    reused, keys, contents = run(project, cache, "1")
    assert reused == 0 and len(keys) == len(contents) == 5
    assert run(project, cache, "2") == [5, keys, contents]
    spec = project / "rules_src" / "peak_trade.yaml"
    spec.write_text(spec.read_text(encoding="utf-8") + "# A remark.\n", encoding="utf-8")
    reused, others, again = run(project, cache, "3")
    assert reused == 4 and again == contents
    assert {name for name in keys if keys[name] != others[name]} == {"peak_trade"}
