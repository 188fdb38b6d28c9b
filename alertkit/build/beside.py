"""A new folder beside an old one, into whose place it comes as a whole.

Nobody ever sees a half-written folder: the two change places in one step. What killed processes left is removed.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_EXCHANGE = 2
_HERE = -100
# Part of the names of new folders: nobody else has such, as those that were abandoned are removed.
_NEW = ".alertkit-"
# Seconds after which a new folder that nobody holds is rubbish.
ABANDONED = 60


def put(folder: Path, path: str, raw: bytes) -> None:
    """Write one file of a new build."""
    target = folder / path
    try:
        target.write_bytes(raw)
    except FileNotFoundError:  # the first one of its folder
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)


@contextmanager
def made(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, in use until the end of the context; what is left of it then stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    _remove_abandoned(folder)
    new = folder.with_name(f".{folder.name}{_NEW}{os.urandom(6).hex()}")
    new.mkdir(mode=0o700)
    with _locked(new):
        new.chmod(0o755)
        yield new


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Show that the folder is in use, for as long as this process and those that it forks live."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # no locks on this file system
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left beside `folder`: what is in use is locked or has just been made."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}{_NEW}*"):
        with suppress(OSError):
            status = left.lstat()
            old = status.st_mtime < time.time() - ABANDONED
            if stat.S_ISDIR(status.st_mode) and old and status.st_uid == os.getuid():
                handle = os.open(left, os.O_RDONLY)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remove(left)
                finally:
                    os.close(handle)


def remove(folder: Path) -> None:
    """Remove a folder, which need not be there; its thousands of files faster than `rmtree` does it."""
    try:
        for _, folders, names, place in os.fwalk(folder, topdown=False):
            for name in names:
                os.unlink(name, dir_fd=place)
            for name in folders:
                os.rmdir(name, dir_fd=place)
        folder.rmdir()
    except OSError:
        if folder.is_dir():
            import shutil

            shutil.rmtree(folder, ignore_errors=True)


def link(old: str, target: str) -> None:
    """Let `target` be `old`, unless it is there already."""
    try:
        os.link(old, target)
    except FileExistsError:
        return
    except OSError:  # no links on this file system
        if Path(target).exists():
            return
        import shutil

        shutil.copyfile(old, target)


def swap(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`; what was there ends in `new`'s place, or is gone."""
    if not folder.exists():
        new.rename(folder)
        return
    if _exchange(new, folder):
        return
    # Two steps on this system: who is killed between them is helped by `restore`.
    aside = _aside(folder)
    remove(aside)  # of who was killed after both
    folder.rename(aside)
    try:
        new.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    remove(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change places; False on a system that cannot do that."""
    import ctypes

    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def restore(folder: Path) -> None:
    """Undo a swap that was killed half-way."""
    aside = _aside(folder)
    if aside.is_dir() and not folder.exists():
        aside.rename(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}{_NEW}old")
