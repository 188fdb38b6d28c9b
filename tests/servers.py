"""Real servers for tests: on loopback, free ports, folders of their own, gone at the end.

The versions: those on PATH, and the folders of binaries that ALERTKIT_TEST_VERSIONS lists, separated by colons.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from alertkit.source import Problems
from alertkit.toolchain import Scratch, Service, start

_NAMES = {"alertmanager": ("alertmanager", "prometheus-alertmanager")}


def binaries(name: str) -> list[Path]:
    """Every version of a program that tests may use, the one on PATH first."""
    places = [None, *filter(None, os.environ.get("ALERTKIT_TEST_VERSIONS", "").split(":"))]
    found = [shutil.which(word, path=place) for place in places for word in _NAMES.get(name, (name,))]
    return list(dict.fromkeys(Path(path) for path in found if path))


def versions(name: str) -> list[object]:
    """Parameters for `pytest.mark.parametrize`: each binary of a program, or one that skips and says why."""
    found = binaries(name)
    if not found:
        reason = f"{name} is neither on PATH nor in ALERTKIT_TEST_VERSIONS"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="missing")]
    return [pytest.param(path, id=str(path.parent.parent.name or "path")) for path in found]


def partner(binary: Path, name: str) -> Path:
    """The other program that belongs to the same version: the Alertmanager of a Prometheus."""
    for word in _NAMES.get(name, (name,)):
        if (path := binary.parent / word).exists():
            return path
    # On PATH each program may have a folder of its own.
    if (path := _on_path(name)) and binary == _on_path(binary.name):
        return path
    pytest.skip(f"no {name} beside {binary}")


def _on_path(name: str) -> Path | None:
    found = filter(None, (shutil.which(word) for word in _NAMES.get(name, (name,))))
    return next(map(Path, found), None)


def free_port() -> int:
    """A port of loopback that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A running server: base `url`, its configuration file, and the process."""

    url: str
    config: Path
    service: Service

    def log(self) -> str:
        return self.service.output()


@contextlib.contextmanager
def start_prometheus(
    binary: Path,
    rules_dir: Path,
    *,
    glob: str = "*.yml",
    extra: str = "",
    arguments: Sequence[str] = ("--web.enable-lifecycle",),
    interval: str = "1s",
    prefix: str = "",
) -> Iterator[Server]:
    """A Prometheus that loads `rules_dir/glob`; `extra` is added to its configuration; `prefix` is a path like /p."""
    with Scratch() as scratch:
        config = scratch.path / "prometheus.yml"
        config.write_text(
            f"global: {{scrape_interval: {interval}, evaluation_interval: {interval}}}\n"
            f'rule_files: ["{rules_dir / glob}"]\n{extra}',
            "utf-8",
        )
        port = free_port()
        command = [
            binary, f"--config.file={config}", f"--storage.tsdb.path={scratch.path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", *arguments, *_under(prefix, port),
        ]  # fmt: skip
        yield _started(command, scratch, config, port, prefix)


@contextlib.contextmanager
def start_alertmanager(
    binary: Path, config: Path, *, arguments: Sequence[str] = (), prefix: str = ""
) -> Iterator[Server]:
    """An Alertmanager that runs with the file `config`; `prefix` is a path like /a."""
    with Scratch() as scratch:
        port = free_port()
        command = [
            binary, f"--config.file={config}", f"--storage.path={scratch.path / 'data'}", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{port}", *arguments, *_under(prefix, port),
        ]  # fmt: skip
        yield _started(command, scratch, config, port, prefix)


def _under(prefix: str, port: int) -> list[str]:
    return [f"--web.external-url=http://127.0.0.1:{port}{prefix}/", f"--web.route-prefix={prefix}"] if prefix else []


def _started(command: Sequence[str | Path], scratch: Scratch, config: Path, port: int, prefix: str) -> Server:
    service = start(command, problems := Problems(), scratch, name="server")
    assert service is not None, problems
    url = f"http://127.0.0.1:{port}{prefix}"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert service.running, service.output()
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=5):
            return Server(url, config, service)
        time.sleep(0.02)
    raise AssertionError(f"not ready: {service.output()}")
