"""Work in forked processes: all of it comes back in order, failures are those of the work, nothing stays behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from alertkit.build.workers import MOST, possible, spread

pytestmark = pytest.mark.skipif(not possible(), reason="this system does not fork")


def test_results_stand_in_the_order_of_the_tasks() -> None:
    assert spread(str, range(100), 3) == [str(number) for number in range(100)]


def test_there_may_be_more_tasks_than_a_pipe_holds_and_more_processes_than_tasks() -> None:
    assert spread(abs, range(3 * MOST + 1), 2) == list(range(3 * MOST + 1))
    assert spread(abs, range(2), 8) == [0, 1]


def test_each_task_is_done_in_another_process() -> None:
    assert os.getpid() not in spread(lambda _: os.getpid(), range(10), 2)


def test_what_is_raised_there_is_raised_here_with_its_traceback() -> None:
    def full(task: int) -> int:
        if task == 5:
            raise OSError(28, "No space left on device", "build/a.yml")
        return task

    with pytest.raises(OSError) as raised:
        spread(full, range(10), 2)
    assert (raised.value.errno, raised.value.filename) == (28, "build/a.yml")
    assert "in full" in raised.value.__notes__[0]


def test_a_killed_process_is_no_result() -> None:
    def killed(task: int) -> int:
        if task == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    with pytest.raises(RuntimeError, match="was killed"):
        spread(killed, range(10), 2)


def test_no_open_file_is_left() -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    spread(abs, range(10), 2)
    assert len(list(Path("/dev/fd").iterdir())) == before
