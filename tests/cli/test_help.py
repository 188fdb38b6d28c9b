"""Every command explains itself, with examples, on narrow terminals too; and survives readers that leave early."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from alertkit.cli import COMMANDS, main
from tests.projects import ROOT, shipped

NESTED = [["tools", "install"], ["tools", "list"]]


def alertkit(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "alertkit", *words], capture_output=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


@pytest.mark.parametrize("words", [*([name] for name in COMMANDS), *NESTED], ids=" ".join)
def test_every_command_has_help_with_examples(words: list[str]) -> None:
    done = CliRunner().invoke(main, [*words, "--help"], prog_name="alertkit")
    assert done.exit_code == 0
    assert "  Examples:\n" in done.output and f"    alertkit {' '.join(words)}" in done.output
    assert all(len(row) <= 100 for row in done.output.splitlines())


@pytest.mark.parametrize("words", [["kinds"], ["kinds", "latency"], ["schema"], ["--help"], ["explain-error", "AK305"]])
def test_a_reader_that_leaves_early_is_no_error(words: list[str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "alertkit", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as program:  # fmt: skip
        assert program.stdout is not None and program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode in (0, 1, 141)


@pytest.mark.parametrize("words", [["kinds"], ["kinds", "stale"], ["compile"], ["doctor"], ["route", "--all"]])
def test_any_terminal_will_do(words: list[str], tmp_path: Path) -> None:
    done = alertkit(shipped(tmp_path), *words, LC_ALL="C", PYTHONIOENCODING="ascii", COLUMNS="40")
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr and b"\x1b" not in done.stdout


def test_paths_are_those_of_where_one_stands(tmp_path: Path) -> None:
    folder = tmp_path / "prö jekt"
    made = alertkit(tmp_path, "init", "prö jekt")
    assert made.returncode == 0 and "cd 'prö jekt'" in made.stdout.decode()
    spec = folder / "rules_src" / "shop.yaml"
    spec.write_text(spec.read_text("utf-8").replace("clear: 400ms", "clear: 400mß"), "utf-8")
    places = {folder: "rules_src/shop.yaml", spec.parent: "shop.yaml", folder / "build-x": "../rules_src/shop.yaml"}
    for place, shown in places.items():
        place.mkdir(exist_ok=True)
        said = alertkit(place, "compile").stderr.decode()
        assert said.startswith(f"{shown}:26:12: error[AK302]: `400mß` is not a quantity"), said


def test_the_folder_where_one_stands_is_gone(tmp_path: Path) -> None:
    program = f'mkdir gone && cd gone && rmdir ../gone && exec "{sys.executable}" -m alertkit'
    for words in ("compile", "explain-error AK305", f"-C '{shipped(tmp_path)}' compile"):
        done = subprocess.run(
            f"{program} {words}", shell=True, capture_output=True, text=True, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode == (0 if "-C" in words else 2), done.stderr
        assert ("the folder that you stand in is not there any more" in done.stderr) == ("-C" not in words)


def test_nobody_listens(tmp_path: Path) -> None:
    """Output and errors may be closed from the start: what is done, and how it ended, is the same."""
    folder = shipped(tmp_path)
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        for words in ("compile", "doctor", "kinds"):
            done = subprocess.run(
                f'exec "{sys.executable}" -m alertkit {words} {closed}', shell=True, capture_output=True, text=True,
                cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, ""), (closed, words, done.stderr)


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"pr\xf6jekt")
    folder.mkdir()
    shipped(folder)
    assert alertkit(folder, "compile").returncode == 0
    (folder / "rules_src" / os.fsdecode(b"\xf6l.yaml")).write_text("system: oil\nalerts: {}\n")
    done = alertkit(folder, "compile")
    assert done.returncode == 2
    assert b"rules_src/\\xf6l.yaml:1:1: error[AK110]: the file cannot be read: its name is not UTF-8" in done.stderr


def test_a_cache_that_cannot_be_is_done_without(tmp_path: Path) -> None:
    folder = shipped(tmp_path)
    (tmp_path / "file").touch()
    done = alertkit(folder, "compile", XDG_CACHE_HOME=str(tmp_path / "file"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert alertkit(folder, "compile", "--check").returncode == 0
