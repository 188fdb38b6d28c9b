"""The last run of a command on a project: whether everything is still as it left it, told without reading a file.

Its record is made only when no input changed while it ran or just before, so that it can be trusted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alertkit.build.look import TICK_NS, look, looks, program_hash, walk
from alertkit.source.cachedir import cache_dir
from alertkit.source.digest import digest, place_digest
from alertkit.spec.root import PROJECT_FILE, has_project_file


class Last:
    """The record of one command on one project; `what` tells sets of its options apart."""

    def __init__(self, root: Path, command: str, what: str) -> None:
        self.root, self.what = root, what
        self.place = cache_dir() / command / place_digest(root) / "last.json"
        self.program = program_hash()

    def result(self) -> dict[str, Any] | None:
        """What that run said, if all inputs and outputs are as it left them."""
        try:
            record = json.loads(self.place.read_bytes())
            inputs, _ = self._inputs(record["folders"])
            same = record["inputs"] == inputs and record["outputs"] == _outputs(record["build"])
            same = same and all(_seen(path) == seen for path, seen in record["others"])
            return dict(record["result"]) if same else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def begin(self, folders: Iterable[Path]) -> None:
        """Look at the inputs; to be called before anything is read."""
        self.folders = [str(folder) for folder in folders]
        began = time.time_ns()
        self._before, newest = self._inputs(self.folders)
        self._settled = newest < began - TICK_NS

    def end(self, build: Path, result: dict[str, Any], seen: str | None, others: Iterable[Path] = ()) -> None:
        """Record a run that worked, after its outputs were written; `others` are what it read beside the folders.

        `seen`: a look at the outputs as the run left them (None: not as it should, so there is nothing to record).
        """
        from alertkit.build.cache import replace

        inputs, _ = self._inputs(self.folders)
        if seen is not None and self._settled and inputs == self._before:
            record = {
                "folders": self.folders, "inputs": inputs, "build": str(build), "outputs": seen,
                "others": [[path, _seen(path)] for path in sorted({str(path.absolute()) for path in others})],
                "result": result,
            }  # fmt: skip
            replace(self.place, json.dumps(record).encode())

    def _inputs(self, folders: list[str]) -> tuple[str, int]:
        """A hash of all inputs, and when the newest of them was changed."""
        rows, newest = [self.program, self.what], 0
        files = [(path, status) for folder in folders for path, status in walk(folder)]
        project = self.root / PROJECT_FILE
        if has_project_file(self.root):
            files.append((str(project), project.stat(follow_symlinks=project.is_file())))
        for path, status in files:
            rows.append(f"{path} {look(status)}")
            newest = max(newest, status.st_mtime_ns, status.st_ctime_ns)
        return digest("\n".join(rows).encode(errors="surrogateescape")), newest


def _outputs(build: str) -> str:
    return looks((path[len(build) + 1 :], look(status)) for path, status in walk(build, hidden=False))


def _seen(path: str) -> list[int] | None:
    """A look at one file or folder; None if it is not there."""
    try:
        return list(look(Path(path).stat()))
    except OSError:
        return None
