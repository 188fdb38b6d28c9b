"""The files in a project's folder of tests: plain promtool files by their names, scenarios are all other YAML."""

from __future__ import annotations

from pathlib import Path

_PLAIN = ("*.test.yml", "*.test.yaml")


def plain_files(folder: Path) -> list[Path]:
    """The plain promtool test files of a folder."""
    return sorted({path for pattern in _PLAIN for path in folder.glob(pattern)})


def scenario_files(folder: Path) -> list[Path]:
    """The files of scenarios."""
    return sorted({p for pattern in ("*.yaml", "*.yml") for p in folder.glob(pattern)} - set(plain_files(folder)))
