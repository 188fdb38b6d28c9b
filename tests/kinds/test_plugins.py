# ruff: noqa: E501
"""Kinds that an installed package offers by the entry-point group `alertkit.kinds`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import ROOT, small

# The example of docs/language.md, word for word.
EXAMPLE = re.search(
    r"```python\n(# queues/kinds.py\n.*?)```", (ROOT / "docs" / "language.md").read_text("utf-8"), re.DOTALL
)
ALERT = (
    "Backlog: {kind: queue_backlog, queue: queue_messages, by: [queue], above: {warning: 100, critical: 1000}, for: 2m}"
)


def package(folder: Path, source: str, entry: str = "queue_backlog = queues.kinds:QueueBacklog") -> Path:
    """A package as pip leaves it, in a folder for PYTHONPATH."""
    site = folder / "site"
    (site / "queues").mkdir(parents=True)
    (site / "queues" / "__init__.py").write_text("", "utf-8")
    (site / "queues" / "kinds.py").write_text(source, "utf-8")
    metadata = site / "queues-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: queues\nVersion: 1.0\n", "utf-8")
    (metadata / "entry_points.txt").write_text(f"[alertkit.kinds]\n{entry}\n", "utf-8")
    return site


def alertkit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "site"), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "alertkit", *arguments], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(folder / "cache"), **_tools()},
    )  # fmt: skip


def _tools() -> dict[str, str]:
    """The tools of the real cache, beside a cache of the test's own."""
    from alertkit.toolchain import find

    found = find("promtool")
    return {"PATH": os.pathsep.join([str(found.path.parent), os.environ["PATH"]])} if found else {}


def example() -> str:
    assert EXAMPLE is not None
    return EXAMPLE[1]


def test_the_example_compiles_is_proven_and_has_a_page(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    package(tmp_path, example())
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 0, done.stderr
    rules = (tmp_path / "build" / "rules" / "demo.yml").read_text("utf-8")
    assert "max by (queue) (queue_messages)" in rules and "> 1000" in rules
    proven = alertkit(tmp_path, "test")
    assert proven.returncode == 0 and "all passed" in proven.stdout, proven.stdout + proven.stderr
    listed, page = alertkit(tmp_path, "kinds"), alertkit(tmp_path, "kinds", "queue_backlog")
    assert "Messages wait in a queue.  (an installed package's)" in listed.stdout
    assert "queue  metric  must be given" in page.stdout


def test_a_change_in_the_package_is_never_served_from_the_cache(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    site = package(tmp_path, example())
    assert alertkit(tmp_path, "compile").returncode == 0
    module = site / "queues" / "kinds.py"
    module.write_text(
        example().replace("signal=str(metric)", 'signal=f"{metric} * 2"').replace("bare=True", "bare=False"), "utf-8"
    )
    assert alertkit(tmp_path, "compile").returncode == 0
    assert "queue_messages * 2" in (tmp_path / "build" / "rules" / "demo.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("source", "entry", "message"),
    [
        ("import nowhere_at_all\n", "queue_backlog = queues.kinds:QueueBacklog", "cannot be imported: ModuleNotFoundError"),
        ("QueueBacklog = 5\n", "queue_backlog = queues.kinds:QueueBacklog", "is not a subclass of alertkit.kinds.Kind"),
        ("", "queue_backlog = queues.kinds:QueueBacklog", "cannot be imported: AttributeError"),
        (None, "queue_backlog = queues.kinds:QueueBacklog", "kind `queue_backlog` failed: ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_what_does_not_work_is_said_at_the_alert(tmp_path: Path, source: str | None, entry: str, message: str) -> None:
    small(tmp_path, ALERT)
    broken = example().replace("metric = self.queue", "1 / 0\n        metric = self.queue", 1)
    package(tmp_path, broken if source is None else source, entry)
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "rules_src/demo.yaml:4:19: error[AK214]" in done.stderr and message in done.stderr
    listed = alertkit(tmp_path, "kinds")
    assert listed.returncode == 0 and "threshold" in listed.stdout


def test_its_own_mistakes_are_located_like_any(tmp_path: Path) -> None:
    small(tmp_path, ALERT.replace("queue: queue_messages", "queue: queue_messages, windo: 5m"))
    package(tmp_path, example())
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 2 and "error[AK201]: unknown key `windo`" in done.stderr


def test_what_it_compiles_must_be_promql(tmp_path: Path) -> None:
    small(tmp_path, ALERT)
    package(tmp_path, example().replace("signal=str(metric)", 'signal="sum("').replace("bare=True", "bare=False"))
    done = alertkit(tmp_path, "compile")
    assert done.returncode == 2 and "error[AK413]" in done.stderr
