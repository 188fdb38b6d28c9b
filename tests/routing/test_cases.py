"""Mistakes in routing files and exactly what alertkit says of them: input and output in one file under `cases/`.

ALERTKIT_UPDATE=1 writes the output anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.routing.helpers import alert, compiled

CASES = sorted((Path(__file__).parent / "cases").glob("*.case"))

ALERTS = (
    alert("NodeDown", "critical", identity=("instance",)),
    alert("Slow", "info", "warning", "critical", identity=("instance",)),
    alert("Watchdog", "info", heartbeat_receiver="beat"),
)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    parts = re.split(r"^-- (\S+) --\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    expected = files.pop("output")
    alerts = ALERTS if any("beat:" in text for text in files.values()) else ALERTS[:2]
    routing, drawn = compiled(files, alerts)
    assert routing is None, "the compiler accepts this"
    secrets = ("XXXX", "hunter2", "pass@", "8f3a", "0123", "T0000")
    assert "secret" not in path.stem or not any(secret in drawn for secret in secrets)
    if os.environ.get("ALERTKIT_UPDATE"):
        path.write_text(path.read_text(encoding="utf-8").split("-- output --\n")[0] + f"-- output --\n{drawn}\n")
        return
    assert drawn + "\n" == expected
