"""The package's door: what it offers, and what it does not load."""

from __future__ import annotations

import subprocess
import sys

import alertkit.promql as promql


def test_everything_offered_is_there() -> None:
    assert [name for name in promql.__all__ if not hasattr(promql, name)] == []
    assert list(promql.__all__) == sorted(promql.__all__)


def test_import_does_not_load_the_rust_parser() -> None:
    code = "import sys, alertkit.promql; print('promql_parser' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
