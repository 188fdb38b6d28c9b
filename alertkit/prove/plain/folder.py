"""The files in a project's folder of tests: plain promtool files by their names, scenarios are all other YAML."""

from __future__ import annotations

from pathlib import Path

from alertkit.source.yaml_files import yaml_files

_PLAIN = (".test.yml", ".test.yaml")


def plain_files(folder: Path) -> list[Path]:
    """The plain promtool test files of a folder."""
    return [path for path in yaml_files(folder) if path.name.endswith(_PLAIN)]


def scenario_files(folder: Path) -> list[Path]:
    """The files of scenarios."""
    return [path for path in yaml_files(folder) if not path.name.endswith(_PLAIN)]


def is_test(path: Path) -> bool:
    """Whether a file below the folder of tests is meant as one: what plain files read may be there as well."""
    if path.name.lower().endswith(_PLAIN):
        return True
    try:
        return b"\nscenarios:" in b"\n" + path.read_bytes()
    except OSError:
        return False
