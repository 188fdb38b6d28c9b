"""Changing several files as one, so that a run killed at any point leaves what the next one can undo.

Everything new is written aside and synced, everything old is copied, then the journal is written, and only then does
the first file change its content. From that moment until the journal is gone, the old state can be put back: each old
file also keeps a second name beside the new one, so that this needs no room on a disk that has filled up meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from alertkit.deploy.files import BY_HAND, Change, keep, read, stage, undo
from alertkit.deploy.plan import RULES_MANIFEST, owned_names
from alertkit.deploy.state import State, now, replace, sync_folder, who
from alertkit.deploy.target import Target
from alertkit.source import Problems

Checkpoint = Callable[[str], None]


class Transaction:
    """The files of one change. `checkpoint` is told the name of each step that has just been made."""

    def __init__(
        self, state: State, target: Target, changes: Sequence[Change], checkpoint: Checkpoint = lambda name: None
    ) -> None:
        self.changes = tuple(changes)
        self.number: int | None = None
        self.begun = False  # whether a file may have its new content
        self._state, self._target, self._checkpoint = state, target, checkpoint
        self._asides: list[tuple[Change, Path]] = []
        self._kept: dict[Path, Path] = {}

    def prepare(self, problems: Problems) -> bool:
        """Write all aside, copy all old, then the journal; False and a problem (AK726) when that cannot be."""
        current = self._state.folder
        try:
            self._state.undo.mkdir(mode=0o700, exist_ok=True)
            for index, change in enumerate(self.changes):
                current = change.path
                if change.new is not None:
                    self._asides.append((change, stage(change.path, change.new, change.mode)))
                    self._checkpoint("aside")
                if change.old is not None:
                    current = self._state.undo
                    replace(self._state.undo / str(index), change.old)
                    current = change.path
                    self._kept[change.path] = keep(change)
                    self._checkpoint("copy")
            current = self._state.journal
            self._journal("writing")
        except BaseException as error:
            self.discard()
            if not isinstance(error, OSError):
                raise
            problems.add("AK726", f"{current} cannot be written: {error.strerror or error}",
                         help="check that you may write there and that the disk is not full")  # fmt: skip
            return False
        self._checkpoint("journal")
        return True

    def swap(self, problems: Problems) -> bool:
        """Let all files take their new content; False and a problem (AK726) at the first that cannot."""
        current = Path()
        self.begun = True
        try:
            for change, aside in self._asides:
                current = change.path
                aside.replace(change.path)
                self._checkpoint("renamed")
            for change in self.changes:
                if change.new is None:
                    current = change.path
                    change.path.unlink(missing_ok=True)
                    self._checkpoint("removed")
            for folder in {change.path.parent for change in self.changes}:
                sync_folder(folder)
            self.phase("loading")
        except OSError as error:
            problems.add("AK726", f"{current} cannot be written: {error.strerror or error}",
                         help="check that you may write there and that the disk is not full")  # fmt: skip
            return False
        self._checkpoint("swapped")
        return True

    def phase(self, name: str) -> None:
        """Say in the journal how far this is: writing, loading, undoing, recording; raises OSError."""
        self._journal(name)

    def undo(self, problems: Problems) -> bool:
        """Put every file back as it was; False and problems (AK729) for those that could not be."""
        with contextlib.suppress(OSError):  # a full disk must not keep the old files from coming back
            self._journal("undoing")
        lost = [str(change.path) for change in reversed(self.changes) if not self._undo(change)]
        if not lost:
            self.discard()
        for folder in {change.path.parent for change in self.changes}:
            sync_folder(folder)
        if lost:
            problems.add("AK729", f"{' and '.join(lost)} could not be put back as before",
                         help=f"run `alertkit apply` again, or mend it by hand from {self._state.undo}")  # fmt: skip
        return not lost

    def _undo(self, change: Change) -> bool:
        try:
            now_there = read(change.path)
            if now_there is not None and now_there not in (change.old, change.new):
                replace(change.path.with_name(change.path.name + BY_HAND), now_there)
        except OSError:
            return change.path.is_dir()
        return undo(change, self._kept.get(change.path))

    def discard(self) -> None:
        """Remove what was written aside and the second names."""
        for aside in (*(aside for _, aside in self._asides), *self._kept.values()):
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)

    def close(self) -> None:
        """The change is over, either way."""
        self.discard()
        self._state.close_journal()
        self._checkpoint("closed")

    def _journal(self, phase: str) -> None:
        self._state.write_journal({
            "phase": phase, "environment": self._target.name, "by": who(), "written": now(), "number": self.number,
            "files": [
                {
                    "path": str(change.path), "mode": change.mode,
                    "old": None if change.old is None else _sha(change.old),
                    "new": None if change.new is None else _sha(change.new),
                    "kept": self._kept[change.path].name if change.path in self._kept else None,
                }
                for change in self.changes
            ],
        })  # fmt: skip


def from_journal(
    state: State, target: Target, journal: dict[str, Any], problems: Problems, checkpoint: Checkpoint
) -> Transaction | None:
    """The change that a journal tells of, so that it can be undone; None and a problem (AK735) if it cannot be."""
    homes = {folder.resolve() for folder in target.rules_dirs}
    if target.alertmanager_file is not None:
        file = target.alertmanager_file.resolve()
        homes |= {target.alertmanager_file.parent.resolve(), file.parent}
    for folder in target.rules_dirs:
        homes |= {(folder / name).resolve().parent for name in owned_names(folder, RULES_MANIFEST)}
    changes = []
    kept = {}
    try:
        for index, entry in enumerate(journal["files"]):
            path = Path(entry["path"])
            if not any(path.resolve().is_relative_to(home) for home in homes):
                raise ValueError(f"{path} lies outside the environment's folders")
            old = None
            if entry["old"] is not None:
                old = (state.undo / str(index)).read_bytes()
                if _sha(old) != entry["old"]:
                    raise ValueError(f"{state.undo / str(index)} is not what was written there")
                if entry.get("kept"):
                    kept[path] = path.with_name(Path(entry["kept"]).name)
            # What was new is known by its hash alone: the file as it is now, if it is that.
            there = read(path)
            new = None if entry["new"] is None else there if there and _sha(there) == entry["new"] else b"\0"
            changes.append(Change(path, old, new, int(entry["mode"])))
    except (KeyError, TypeError, ValueError, OSError) as error:
        problems.add("AK735", f"the journal {state.journal} does not fit the environment: {error}",
                     help="look at the rule files and `undo` beside it, mend what is wrong, delete it")  # fmt: skip
        return None
    found = Transaction(state, target, changes, checkpoint)
    found.number = journal.get("number")
    found._kept = kept
    return found


def sweep(target: Target) -> None:
    """Remove what a killed run has left aside; only while the lock is held."""
    folders = [*target.rules_dirs]
    if target.alertmanager_file is not None:
        folders += [target.alertmanager_file.resolve().parent, target.alertmanager_file.parent / "templates"]
    if target.state is not None:
        folders += [target.state, target.state / "builds"]
    for folder in folders:
        for path in folder.glob(".alertkit-*.tmp"):
            with contextlib.suppress(OSError):
                path.unlink()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
