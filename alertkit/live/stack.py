"""Real Prometheus and Alertmanager between the simulator and the sink: on loopback, free ports, gone at the end."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alertkit.build import read_systems
from alertkit.compile.ruleset import System
from alertkit.deploy.alertmanager import Alertmanager
from alertkit.deploy.client import Server
from alertkit.deploy.prometheus import Prometheus
from alertkit.live.redirect import redirected
from alertkit.live.serve import SimulatorServer
from alertkit.live.simulator import Simulator
from alertkit.live.sink import Received, Sink
from alertkit.live.timescale import dumped, scaled_rules
from alertkit.source import Problems
from alertkit.spec.project import Project
from alertkit.toolchain import Scratch, Service, open_scratch, start

READY = 30.0  # seconds that a server has to start


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs; `folder` holds rules/, am/ and the servers' data and logs."""

    folder: Path
    simulator: Simulator
    simulator_url: str
    sink: Sink
    prometheus: Prometheus
    alertmanager: Alertmanager
    services: tuple[Service, ...]


@contextlib.contextmanager
def run_stack(
    outputs: Mapping[str, bytes],
    systems: Sequence[System],
    programs: Mapping[str, Path],
    problems: Problems,
    scale: float = 60.0,
    on_message: Callable[[Received], None] = lambda message: None,
) -> Iterator[Stack | None]:
    """Run a build (path below `build/` -> content) in fast motion; None and problems when it cannot start.

    `programs` are the paths of prometheus and alertmanager.
    """
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(open_scratch(problems))
        if scratch is None:
            yield None
            return
        simulator = Simulator(systems, scale)
        served = stack.enter_context(SimulatorServer(simulator))
        sink = stack.enter_context(Sink(on_message))
        folder = scratch.path
        for name in ("rules", "am/templates", "am/secrets"):
            (folder / name).mkdir(parents=True)
        rules: dict[str, bytes] = {}
        for path, raw in outputs.items():
            if path.startswith("rules/"):
                rules[path] = scaled_rules(raw, scale)
            elif path.startswith("templates/"):
                (folder / "am" / path).write_bytes(raw)
        config = redirected(outputs["alertmanager.yml"], sink.url, folder / "am" / "secrets", scale)
        (folder / "am" / "alertmanager.yml").write_bytes(config)
        alertmanager = _alertmanager(programs["alertmanager"], scratch, problems)
        prometheus = alertmanager and _prometheus(
            programs["prometheus"], scratch, served.address, alertmanager, problems
        )
        if prometheus is None or alertmanager is None:
            yield None
            return
        # Rules come after the first samples, or everything would be missing for the first seconds.
        end = time.monotonic() + READY
        while time.monotonic() < end and not prometheus[0].query("scrape_samples_scraped > 0", Problems()):
            time.sleep(0.05)
        for path, raw in rules.items():
            (folder / path).write_bytes(raw)
        if not prometheus[0].reload(problems):
            yield None
            return
        # After a reload Prometheus knows no Alertmanager for up to 5 s, and drops what fires then.
        while time.monotonic() < end and not prometheus[0].alertmanagers(Problems()):
            time.sleep(0.05)
        yield Stack(
            folder, simulator, served.url, sink, prometheus[0], alertmanager[0], (prometheus[1], alertmanager[1])
        )  # fmt: skip


def _alertmanager(program: Path, scratch: Scratch, problems: Problems) -> tuple[Alertmanager, Service] | None:
    port = free_port()
    command: list[str | Path] = [
        program, f"--config.file={scratch.path / 'am' / 'alertmanager.yml'}",
        f"--storage.path={scratch.path / 'am-data'}", f"--web.listen-address=127.0.0.1:{port}",
        f"--web.external-url=http://127.0.0.1:{port}/", "--cluster.listen-address=",
    ]  # fmt: skip
    service = start(command, problems, scratch, name="alertmanager")
    client = Alertmanager(f"http://127.0.0.1:{port}")
    return (client, service) if service and wait_ready(client, service, problems) else None


def _prometheus(
    program: Path, scratch: Scratch, target: str, alertmanager: tuple[Alertmanager, Service], problems: Problems
) -> tuple[Prometheus, Service] | None:
    port = free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(scratch.path / "rules" / "*.yml")],
        # The simulator speaks for many jobs; its own labels hold.
        "scrape_configs": [
            {"job_name": "simulator", "honor_labels": True, "static_configs": [{"targets": [target]}]}
        ],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager[0].url.split("//")[1]]}]}]},
    }  # fmt: skip
    path = scratch.path / "prometheus.yml"
    path.write_bytes(dumped(config))
    command: list[str | Path] = [
        program, f"--config.file={path}", f"--storage.tsdb.path={scratch.path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", f"--web.external-url=http://127.0.0.1:{port}/",
        "--web.enable-lifecycle", "--rules.alert.resend-delay=1s",
    ]  # fmt: skip
    service = start(command, problems, scratch, name="prometheus")
    client = Prometheus(f"http://127.0.0.1:{port}")
    return (client, service) if service and wait_ready(client, service, problems) else None


def wait_ready(client: Server, service: Service, problems: Problems) -> bool:
    """Wait until a server that was just started answers; False and a problem (AK740) with its last words when not."""
    end = time.monotonic() + READY
    while time.monotonic() < end and service.running:
        if client.ready(Problems()):
            return True
        time.sleep(0.05)
    words = [line for line in service.output().splitlines() if "err" in line.lower()] or service.output().splitlines()
    problems.add("AK740", f"{client.kind.partition(' ')[2]} did not start: {words[-1][:300] if words else 'no output'}",
                 help="`alertkit doctor` shows which programs are used")  # fmt: skip
    return False


def free_port() -> int:
    """A port of loopback that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def compiled(project: Project, problems: Problems) -> tuple[dict[str, bytes], list[System]] | None:
    """A project's build in memory, and its systems; None and problems when it does not compile or has no routing."""
    from alertkit.build import compile_project

    with open_scratch(problems) as scratch:
        if scratch is None:
            return None
        aside = scratch.path / "build"
        file = project.file.model_copy(update={"build": str(aside)})
        if compile_project(replace(project, file=file), problems, write=True) is None:
            return None
        files = [path for path in sorted(aside.rglob("*")) if path.is_file() and path.parent.name != "tests"]
        outputs = {path.relative_to(aside).as_posix(): path.read_bytes() for path in files}
    if "alertmanager.yml" not in outputs:
        problems.add("AK522", "the project has no routing", help="write alertmanager/routing.yaml")
        return None
    _, systems = read_systems(project, problems)
    return None if problems else (outputs, systems)
