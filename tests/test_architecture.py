"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "alertkit").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_a_folder_imports_only_folders_above_it() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "Contracts: 2 kept, 0 broken." in done.stdout


def test_processes_are_started_in_the_toolchain_only() -> None:
    users = {path.parent.name for path in SOURCES if "subprocess" in imported(path)}
    assert users == {"toolchain"}


def test_http_is_spoken_in_the_client_and_the_download_only() -> None:
    users = {path.relative_to(ROOT).as_posix() for path in SOURCES if "requests" in imported(path)}
    assert users <= {"alertkit/deploy/access.py", "alertkit/deploy/client.py", "alertkit/toolchain/release.py"}
    assert users


@pytest.mark.parametrize("name", ["requests", "jinja2", "ruamel", "rich", "pydantic", "promql_parser", "click"])
def test_the_version_needs_nothing_heavy(name: str) -> None:
    code = (
        "import sys; sys.argv = ['alertkit', '--version']; import alertkit.__main__ as m; m.main(); "
        f"assert {name!r} not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("alertkit ")


def test_sources_carry_no_path_of_a_machine() -> None:
    for path in [*SOURCES, ROOT / "README.md", ROOT / "ARCHITECTURE.md"]:
        text = path.read_text(encoding="utf-8")
        assert "/root/" not in text and "/home/" not in text, path


def test_no_folder_of_tests_is_left_out(request: pytest.FixtureRequest) -> None:
    """pytest leaves out folders by their names, for example all that are called `build`."""
    left_out = request.config.getini("norecursedirs")
    folders = {path.parent.name for path in Path(__file__).parent.rglob("test_*.py")}
    assert [name for name in folders for pattern in left_out if fnmatch(name, pattern)] == []
