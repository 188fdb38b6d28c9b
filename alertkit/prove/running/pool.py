"""Many test files over all cores: a few promtool processes with many files each, and what it said on each file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from pathlib import Path

from alertkit.source import Problems
from alertkit.toolchain import Finished, Tool, open_scratch, run_many

TIMEOUT = 600.0
# Processes for each core: more than one, so that the cores stay even and progress is seen. None is given more than so
# many evaluations of rules (about half a minute), or it would not be done before `TIMEOUT` in a large project.
SHARES = 3
MOST_COST = 100_000
# What costs less than this is not worth the start of a process.
LEAST_COST = 2_000
FAILED = "  FAILED:\n"

_VERDICT = re.compile(r"^  (?:SUCCESS|FAILED:)$", re.MULTILINE)

# The files of one run, by name; the last is the test file, which names the others.
Unit = Sequence[tuple[str, str]]


def outputs(
    units: Sequence[Unit], costs: Sequence[float], promtool: Tool, cores: int, problems: Problems,
    on_done: Callable[[int], None] = lambda count: None,
) -> Iterator[tuple[int, str]]:  # fmt: skip
    """(index, promtool's words from its verdict on) of each unit; each has a folder of its own.

    `costs` (evaluations of rules) even out the shares; `on_done` is told how many units have just ended. A unit on
    which promtool panics counts as failed; a tool that breaks in another way is a problem and ends the stream.
    """
    with open_scratch(problems) as scratch:
        if scratch is None:
            return
        for index, unit in enumerate(units):
            folder = scratch.path / f"u{index}"
            folder.mkdir()
            for name, text in unit:
                (folder / name).write_text(text, encoding="utf-8")
        waiting = shares_of(costs, cores)
        while waiting:
            commands: list[list[str | Path]] = [
                [promtool.path, "test", "rules", *(scratch.path / f"u{i}" / units[i][-1][0] for i in share)]
                for share in waiting
            ]
            sizes = [len(share) for share in waiting]

            def ended(index: int, _: Finished | None, sizes: list[int] = sizes) -> None:
                on_done(sizes[index])

            finished = run_many(commands, problems, jobs=cores, timeout=TIMEOUT, scratch=scratch, on_done=ended)
            again: list[list[int]] = []
            for share, done in zip(waiting, finished, strict=False):
                if done is None:
                    return
                texts = None if done.crashed else split(done.text, len(share))
                if texts is not None:
                    yield from zip(share, texts, strict=True)
                elif len(share) > 1:
                    # Somewhere in it promtool gave up: alone, each file gets its own verdict.
                    again += [[index] for index in share]
                else:
                    yield share[0], FAILED + done.text
            waiting = again


def split(text: str, files: int) -> list[str] | None:
    """promtool's words on each file, from its verdict on; None when there are not so many."""
    starts = [match.start() for match in _VERDICT.finditer(text)]
    if len(starts) != files:
        return None
    return [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def shares_of(costs: Sequence[float], cores: int) -> list[list[int]]:
    """Indices for each process, evened out by cost (evaluations of rules)."""
    processes = min(cores * SHARES, max(cores, ceil(sum(costs) / LEAST_COST)))
    processes = max(processes, ceil(sum(costs) / MOST_COST))
    loads = [0.0] * max(1, min(processes, len(costs)))
    shares: list[list[int]] = [[] for _ in loads]
    for cost, index in sorted(((cost, index) for index, cost in enumerate(costs)), key=lambda p: (-p[0], p[1])):
        lightest = loads.index(min(loads))
        loads[lightest] += cost
        shares[lightest].append(index)
    return [sorted(share) for share in shares if share]
