"""The real Alertmanager binaries that this machine has."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tools:
    """One version's binaries; `version` is (major, minor)."""

    version: tuple[int, int]
    amtool: str
    alertmanager: str | None

    def __str__(self) -> str:
        return ".".join(map(str, self.version))

    def check(self, config: Path) -> tuple[bool, str]:
        """Whether `amtool check-config` accepts a file, and what it said."""
        done = subprocess.run(
            [self.amtool, "check-config", str(config)], capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode == 0, done.stdout + done.stderr


@functools.cache
def found() -> tuple[Tools, ...]:
    """Of PATH and of the folders in ALERTKIT_TEST_VERSIONS (separated by colons), each version once."""
    folders = [None, *os.environ.get("ALERTKIT_TEST_VERSIONS", "").split(":")]
    tools: dict[tuple[int, int], Tools] = {}
    for folder in folders:
        if folder == "":
            continue
        amtool = shutil.which("amtool", path=folder)
        if amtool is None:
            continue
        said = subprocess.run([amtool, "--version"], capture_output=True, text=True, timeout=60, check=False)
        version = re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr)
        if version:
            key = (int(version[1]), int(version[2]))
            server = shutil.which("prometheus-alertmanager", path=folder) or shutil.which("alertmanager", path=folder)
            tools.setdefault(key, Tools(key, amtool, server))
    return tuple(tools.values())


def ids() -> list[str]:
    return [str(tool) for tool in found()] or ["none"]
