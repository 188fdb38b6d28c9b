"""`alertkit tools install`: tools into the user's cache, whole or not at all, without root."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alertkit.source import Problems
from alertkit.source.url import shown_url
from alertkit.toolchain.run import open_scratch, run
from alertkit.toolchain.tools import INSTALL, Tool, find, inspect, installed, require, tools_dir

if TYPE_CHECKING:
    from alertkit.toolchain.release import Progress as OnProgress

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Installed:
    """What `install` did: tools that are new, and tools that were there already."""

    new: tuple[Tool, ...]
    there: tuple[Tool, ...]


def install(
    names: Sequence[str],
    problems: Problems,
    *,
    mirror: str | None = None,
    force: bool = False,
    say: Say = lambda line: None,
    progress: OnProgress = lambda name, done, total: None,
) -> Installed | None:
    """Fetch the tools that are not found yet (with `force` all); None and problems when one cannot be had.

    From this machine's package mirror on Debian and Ubuntu, unless `mirror` or ALERTKIT_MIRROR names a mirror of the
    official releases; from the official releases elsewhere, and where apt does not have them.
    """
    from alertkit.toolchain import apt, release

    there = [] if force else [tool for name in names if (tool := find(name)) and tool.version]
    wanted = [name for name in names if name not in {tool.name for tool in there}]
    if not wanted:
        return Installed((), tuple(there))
    folder = tools_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problems.add("AK616", f"{folder} cannot be made: {error.strerror or error}",
                     help="set XDG_CACHE_HOME to a folder that you may write to")  # fmt: skip
        return None
    with open_scratch(problems, near=folder) as scratch:
        if scratch is None:
            return None
        placed: dict[str, str] | None = None
        troubles = Problems()
        into = scratch.path / "new"
        official = bool(mirror or os.environ.get("ALERTKIT_MIRROR"))
        try:
            into.mkdir()
            if not official and apt.usable():
                placed = apt.unpack(wanted, into, scratch, troubles, say)
                if placed is None:
                    say("the package mirror does not have them; trying the official releases")
                    shutil.rmtree(into, ignore_errors=True)
                    into.mkdir()
            if placed is None:
                base = release.mirror_of(mirror)
                say(f"downloading from {shown_url(base)}")
                placed = release.unpack(wanted, into, base, troubles, progress)
            if placed is None or not _all_run(placed, into, troubles):
                problems.extend(troubles)
                return None
            for name in sorted(set(placed.values())):
                _swap_in(into / name, folder / name)
        except OSError as error:
            problems.add("AK616", f"{folder} cannot be written: {error.strerror or error}",
                         help="free some space, or set XDG_CACHE_HOME to a folder that you may write to")  # fmt: skip
            return None
    tools = [tool for name in wanted if (tool := inspect(name, folder / placed[name] / "bin" / name, "cache"))]
    return Installed(tuple(tools), tuple(there))


def _all_run(placed: dict[str, str], into: Path, problems: Problems) -> bool:
    """Every new program answers `--version` here, before any of them is put in place."""
    good = True
    for name, folder in placed.items():
        result = run([into / folder / "bin" / name, "--version"], problems, timeout=20)
        if result is None or result.code != 0 or "version" not in result.text:
            problems.add("AK619", f"the downloaded {name} does not run on this machine", help="nothing was installed")
            good = False
    return good


def _swap_in(new: Path, place: Path) -> None:
    """Put a finished folder in its place; older ones with the same tools go."""
    try:
        new.rename(place)
    except OSError:
        if not (place / "bin").is_dir():
            raise
        # The same version is there already, or another install was faster: replace it, so that damage is mended.
        old = new.with_name(f"{new.name}-old")
        place.rename(old)
        new.rename(place)
    same = place.name.split("-", 1)[0]
    for other in installed():
        if other != place and other.name.split("-", 1)[0] == same:
            shutil.rmtree(other, ignore_errors=True)


def offer_install(
    names: Sequence[str],
    problems: Problems,
    *,
    mirror: str | None = None,
    ask: Callable[[str], bool] | None = None,
) -> dict[str, Tool] | None:
    """The named tools, after offering to install the missing ones to whoever sits at a terminal.

    `ask` puts a question and returns the answer; by default it is asked on standard error when both that and standard
    input are terminals. Without a terminal or with the answer no: None and a problem that names the command.
    """
    tools = require(names, found := Problems())
    missing = [name for name in names if find(name) is None]
    if tools is None and missing and len(missing) == len(found):
        if ask is None and sys.stdin.isatty() and sys.stderr.isatty():
            ask = _ask
        if ask is not None and ask(f"{' and '.join(missing)} not found. Download now, without root ({INSTALL})?"):
            with progress_bar() as (say, progress):
                done = install(missing, problems, mirror=mirror, say=say, progress=progress)
            return require(names, problems) if done else None
    problems.extend(found)
    return tools


def _ask(question: str) -> bool:
    print(f"{question} [Y/n] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    return answer.strip().lower() in ("", "y", "yes") and answer != ""


@contextlib.contextmanager
def progress_bar() -> Iterator[tuple[Say, OnProgress]]:
    """`say` and `progress` for `install`: a moving bar on a terminal, else one plain line for each step.

    Both write to standard error.
    """

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if not sys.stderr.isatty():
        yield say, lambda name, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[size]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def step(line: str) -> None:
            """A bar that pulses, since apt does not say how far it is."""
            for task in tasks.values():
                bar.update(task, visible=False)
            tasks[line] = bar.add_task(line, total=None, size="")

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total or None, size="")
            bar.update(tasks[name], completed=done, size=f"{done / 1e6:.1f} MB")

        yield step, progress
