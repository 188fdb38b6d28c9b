"""Mistakes in routing files and exactly what alertkit says of them: input and output in one file under `cases/`.

The same files are given to `alertkit compile`, which must say the same and write nothing.

ALERTKIT_UPDATE=1 writes the output anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from alertkit.cli import main
from alertkit.source.problem import forget_files
from tests.routing.helpers import alert, compiled

CASES = sorted((Path(__file__).parent / "cases").glob("*.case"))

ALERTS = (
    alert("NodeDown", "critical", identity=("instance",)),
    alert("Slow", "info", "warning", "critical", identity=("instance",)),
    alert("Watchdog", "info", heartbeat_receiver="beat"),
)


SPEC = """\
system: shop
team: web
alerts:
  NodeDown: {kind: threshold, metric: node_up, by: [instance], below: 1, severity: critical}
  Slow: {kind: threshold, metric: slow, by: [instance], above: {info: 1, warning: 2, critical: 3}}
"""
HEARTBEAT = "  Watchdog: {kind: heartbeat, receiver: beat}\n"
each = pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)


def read(path: Path) -> tuple[dict[str, str], str]:
    """The files of a case, and what must be said of them."""
    parts = re.split(r"^-- (\S+) --\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    expected = files.pop("output")
    return files, expected


@each
def test_nothing_is_written(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, expected = read(path)
    beats = any("beat:" in text for text in files.values())
    (tmp_path / "rules_src").mkdir()
    (tmp_path / "rules_src" / "shop.yaml").write_text(SPEC + (HEARTBEAT if beats else ""), encoding="utf-8")
    (tmp_path / "alertmanager").mkdir()
    for name, text in files.items():
        (tmp_path / "alertmanager" / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    forget_files()
    before = sorted(tmp_path.rglob("*"))
    done = CliRunner().invoke(main, ["compile"], catch_exceptions=False)
    assert done.exit_code == 2 and not done.stdout
    assert sorted(tmp_path.rglob("*")) == before
    said = [line.replace("alertmanager/", "") for line in done.stderr.splitlines() if ": error[" in line]
    assert said == [line for line in expected.splitlines() if ": error[" in line]


@each
def test_case(path: Path) -> None:
    files, expected = read(path)
    alerts = ALERTS if any("beat:" in text for text in files.values()) else ALERTS[:2]
    routing, drawn = compiled(files, alerts)
    assert routing is None, "the compiler accepts this"
    secrets = ("XXXX", "hunter2", "pass@", "8f3a", "0123", "T0000")
    assert "secret" not in path.stem or not any(secret in drawn for secret in secrets)
    if os.environ.get("ALERTKIT_UPDATE"):
        path.write_text(path.read_text(encoding="utf-8").split("-- output --\n")[0] + f"-- output --\n{drawn}\n")
        return
    assert drawn + "\n" == expected
