"""The `build/` folder: what is stale in it, and how it is replaced as a whole.

A new folder is made beside the old one and the two change places in one step, so that a compile which fails or is
killed leaves the old build as it was.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alertkit.source import Problems
from alertkit.source.digest import digest

_EXCHANGE = 2
_HERE = -100


@dataclass(frozen=True, slots=True)
class Output:
    """One file of the build: its content hash, and how to get its bytes."""

    digest: str
    read: Callable[[], bytes]


def differences(build: Path, outputs: Mapping[str, Output]) -> list[str]:
    """What is not as it should be, in words: files that are missing, stale or left over."""
    found = []
    for path, output in outputs.items():
        raw = _read(build / path)
        if raw is None:
            found.append(f"{path} is missing")
        elif digest(raw) != output.digest:
            found.append(f"{path} is stale")
    present = {path.relative_to(build).as_posix() for path in build.rglob("*") if path.is_file()}
    # What begins with a dot is not of the build: the prover keeps promtool's own words there.
    present = {path for path in present if not path.startswith(".")}
    return found + [f"{path} is left over" for path in sorted(present - outputs.keys())]


def write(build: Path, outputs: Mapping[str, Output], problems: Problems) -> bool:
    """Make `build` hold exactly `outputs`; True when anything changed. On failure the old folder is as it was."""
    if build.is_dir() and not differences(build, outputs):
        return False
    new: Path | None = None
    try:
        build.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{build.name}-", dir=build.parent))
        new.chmod(0o755)
        for path, output in outputs.items():
            target = new / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _same(build / path, output, target):
                target.write_bytes(output.read())
        _swap(new, build)
    except OSError as error:
        problems.add(
            "AK113", f"the build folder `{build}` cannot be written: {error.strerror or error}", None,
            "the old build is as it was; check the disk and that you may write there",
        )  # fmt: skip
        return False
    finally:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
    return True


def _same(old: Path, output: Output, target: Path) -> bool:
    """Link an unchanged file into the new folder rather than writing it again."""
    raw = _read(old)
    if raw is None or digest(raw) != output.digest:
        return False
    try:
        os.link(old, target)
    except OSError:
        return False
    return True


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _swap(new: Path, build: Path) -> None:
    """Put `new` in the place of `build`; what was there ends in `new`'s place, if anything was."""
    if not build.exists():
        new.rename(build)
        return
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is not None and exchange(_HERE, os.fsencode(new), _HERE, os.fsencode(build), _EXCHANGE) == 0:
        return
    aside = build.with_name(f".{build.name}-old-{os.getpid()}")
    build.rename(aside)
    try:
        new.rename(build)
    except OSError:
        aside.rename(build)
        raise
    shutil.rmtree(aside, ignore_errors=True)
