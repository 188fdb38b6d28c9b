"""Telling a server to read its files anew: by its lifecycle API, by SIGHUP, or by waiting until it sees them itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from alertkit.deploy.alertmanager import Alertmanager
from alertkit.deploy.prometheus import Prometheus
from alertkit.deploy.target import Target
from alertkit.source import Problems
from alertkit.spec.duration import parse_duration

PATIENCE = 10.0  # seconds that a server has to show what it said it loaded


def tries(patience: float) -> Iterator[None]:
    """Yields at once, then ever more slowly for `patience` seconds."""
    end = time.monotonic() + patience
    pause = 0.02
    while True:
        yield
        if time.monotonic() >= end:
            return
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def nudge_prometheus(target: Target, index: int, problems: Problems, patience: float = PATIENCE) -> bool:
    """Let one Prometheus of the target reload; False and a problem when it did not take its files.

    By `watch` there is nothing to do: whoever verifies waits.
    """
    server = target.prometheus[index]
    if target.reload_by == "watch":
        return True
    if target.reload_by == "api":
        return server.reload(problems)
    before = server.reload_state(problems)
    if before is None or not hang_up(target.pid_files[index], problems):
        return False
    for _ in tries(patience):
        state = server.reload_state(problems)
        if state is None:
            return False
        if state[0] and state[1] > before[1]:
            return True
        if before[0] and not state[0]:
            break
    problems.append(server.at("AK711", f"{server.shown} did not take its files after SIGHUP", "see the server's log"))
    return False


def nudge_alertmanager(target: Target, server: Alertmanager, problems: Problems) -> bool:
    """Let Alertmanager reload; after a signal it is the verification that finds out whether it did."""
    if target.alertmanager_reload_by == "signal" and target.alertmanager_pid_file is not None:
        return hang_up(target.alertmanager_pid_file, problems)
    return server.reload(problems)


def hang_up(pid_file: Path, problems: Problems, number: int = signal.SIGHUP) -> bool:
    """Send SIGHUP to the process whose number stands in a file; False and a problem (AK715) when that cannot be.

    The signal 0 only finds out whether that would be possible.
    """
    help = "correct the pid file in the environment; the process must run here, under a user that you may signal"
    try:
        pid = int(pid_file.read_text("ascii"))
        if pid <= 1:
            raise ValueError
        os.kill(pid, number)
    except OSError as error:
        problems.add("AK715", f"the process of {pid_file} cannot be signalled: {error.strerror or error}", help=help)
        return False
    except (ValueError, OverflowError):
        problems.add("AK715", f"{pid_file} does not hold the number of a process", help=help)
        return False
    return True


def check_processes(target: Target, problems: Problems) -> None:
    """Add problems (AK715) for processes that are told by a signal to reload, but cannot be signalled."""
    for file in target.pid_files if target.reload_by == "signal" else ():
        hang_up(file, problems, 0)
    if target.alertmanager_reload_by == "signal" and target.alertmanager_pid_file is not None:
        hang_up(target.alertmanager_pid_file, problems, 0)


def watch_patience(server: Prometheus, problems: Problems) -> float | None:
    """The seconds within which a server that watches its files must have seen a change; None when it does not watch."""
    flags = server.flags(problems)
    if flags is None:
        return None
    if "auto-reload-config" not in flags.get("enable-feature", ""):
        problems.append(server.at(
            "AK708", f"{server.shown} does not watch its files",
            "start it with --enable-feature=auto-reload-config, or set reload_by: api",
        ))  # fmt: skip
        return None
    return (parse_duration(flags.get("config.auto-reload-interval", "30s")) or 30_000) / 1000 + PATIENCE
