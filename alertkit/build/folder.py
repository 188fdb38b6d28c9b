"""The `build/` folder: what is stale in it, and how it is replaced as a whole.

A new folder is made beside the old one and the two change places in one step, so that a compile which fails or is
killed leaves the old build as it was. Files that stay as they are get linked into the new folder.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from alertkit.build.cache import project_cache, replace
from alertkit.build.look import look, walk
from alertkit.source import Problems
from alertkit.source.digest import digest

_EXCHANGE = 2
_HERE = -100


class Folder:
    """The build folder of a project. Content hashes are remembered with a look at the file, as git's index does."""

    def __init__(self, build: Path, root: Path) -> None:
        self.build = build
        self._index_place = project_cache(root) / "index.json"
        try:
            self._index = json.loads(self._index_place.read_bytes())
        except (OSError, ValueError):
            self._index = {}
        self._present: dict[str, str] | None = None

    def present(self) -> dict[str, str]:
        """Path below the folder -> content hash, of all files but those of the prover, which begin with a dot."""
        if self._present is None:
            self._present = {}
            index = self._index if isinstance(self._index, dict) else {}
            for path, status in walk(str(self.build), hidden=False):
                name = path[len(str(self.build)) + 1 :]
                known = index.get(name)
                if known and known[:-1] == list(look(status)):
                    self._present[name] = known[-1]
                else:
                    self._present[name] = _hash(path)
        return self._present

    def differences(self, outputs: Mapping[str, str]) -> list[str]:
        """What is not as it should be, in words: files that are missing, stale or left over."""
        present = self.present()
        found = []
        for path, content in outputs.items():
            if path not in present:
                found.append(f"{path} is missing")
            elif present[path] != content:
                found.append(f"{path} is stale")
        return found + [f"{path} is left over" for path in sorted(present.keys() - outputs.keys())]

    @contextmanager
    def renewed(self) -> Iterator[Path]:
        """A folder beside the build for new files; it is gone in the end, whatever happened."""
        self.build.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{self.build.name}-", dir=self.build.parent))
        try:
            new.chmod(0o755)
            yield new
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def swap(self, new: Path, outputs: Iterable[str]) -> None:
        """Complete `new` with links to what stays as it is, and put it in the place of the build."""
        made: set[Path] = set()
        for path in outputs:
            target = new / path
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            if not target.exists():
                _link(self.build / path, target)
        _swap(new, self.build)

    def remember(self, outputs: Mapping[str, str]) -> None:
        """Note the hashes of a build that was just written and is complete."""
        start = len(str(self.build)) + 1
        index = {}
        for path, status in walk(str(self.build), hidden=False):
            if path[start:] in outputs:
                index[path[start:]] = [*look(status), outputs[path[start:]]]
        replace(self._index_place, json.dumps(index).encode())


def put(folder: Path, path: str, raw: bytes) -> None:
    """Write one file of a new build."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(raw)


def unwritable(build: Path, error: OSError, problems: Problems) -> None:
    """Say that the build cannot be written."""
    problems.add(
        "AK113", f"the build folder `{build}` cannot be written: {error.strerror or error}", None,
        "the old build is as it was; check the disk and that you may write there",
    )  # fmt: skip


def _hash(path: str) -> str:
    try:
        return digest(Path(path).read_bytes())
    except OSError:
        return "unreadable"


def _link(old: Path, target: Path) -> None:
    try:
        os.link(old, target)
    except OSError:  # no links on this file system
        shutil.copyfile(old, target)


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
