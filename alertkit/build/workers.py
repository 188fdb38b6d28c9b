"""Many spec files over all cores."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from alertkit.build.spec_file import Made, Shared, Task, compile_file

# Fewer files than this are compiled faster than a second process starts.
PARALLEL_FROM = 8
# Bytes, more than the texts of one spec file have.
LARGEST_TEXTS = 16 << 20

# What forked workers inherit: specs differ, everything else is shared.
_shared: Shared | None = None


def compile_files(tasks: list[Task], shared: Shared, jobs: int, begun: Callable[[], None]) -> list[Made]:
    """What comes of each task; `begun` is called when something does, where the other cores are free."""
    global _shared
    if len(tasks) < PARALLEL_FROM or jobs < 2 or not hasattr(os, "fork"):
        return [compile_file(task, shared, begun) for task in tasks]
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    _shared = shared
    with ProcessPoolExecutor(jobs, get_context("fork"), initializer=_begin, initargs=(os.getpid(),)) as pool:
        # Larger pieces would leave workers idle in the end, smaller ones would go back and forth for nothing.
        return list(pool.map(_alone, tasks, chunksize=max(1, len(tasks) // (jobs * 24))))


def _begin(parent: int) -> None:
    """Prepare a worker."""
    _end_with(parent)
    # What is as large as something that was freed before, glibc keeps when it is freed, and does not have the kernel
    # clear its pages anew for the texts of the next file. This costs nothing: nobody touches it.
    bytes(LARGEST_TEXTS)


def _end_with(parent: int) -> None:
    """Let this process end soon after its parent, however that ended: nobody else tells it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _alone(task: Task) -> Made:
    """One task in a worker, where the system stays: it is large, and seldom needed."""
    assert _shared is not None
    return compile_file(task, _shared)._replace(system=None)
