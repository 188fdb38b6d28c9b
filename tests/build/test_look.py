"""Looks at files that others write at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alertkit.build import look


def test_a_file_that_goes_while_it_is_looked_at_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those beside which another process writes bytecode or the build."""
    (tmp_path / "stays").touch()
    (tmp_path / "goes").touch()
    real = os.scandir

    @contextmanager
    def scandir(folder: str) -> Iterator[list[os.DirEntry[str]]]:
        with real(folder) as found:
            entries = list(found)
        (tmp_path / "goes").unlink()
        yield entries

    monkeypatch.setattr(os, "scandir", scandir)
    assert [path for path, _ in look.walk(str(tmp_path))] == [str(tmp_path / "stays")]


def test_bytecode_that_is_being_written_does_not_make_it_another_program() -> None:
    before = look.program_hash()
    beside = Path(look.__file__).parent / "__pycache__"
    beside.mkdir(exist_ok=True)
    written = beside / f"main.cpython-313.pyc.{os.getpid()}"
    written.touch()
    try:
        assert look.program_hash() == before
    finally:
        written.unlink()
