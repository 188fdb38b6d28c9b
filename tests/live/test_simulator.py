"""The simulator: healthy numbers, faults, counters that never fall; and rules in fast motion."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from alertkit.cli import main
from alertkit.live.expect import notes, timing
from alertkit.live.redirect import redirected
from alertkit.live.serve import FaultError, SimulatorServer, parse_fault
from alertkit.live.simulator import Simulator
from alertkit.live.stack import compiled
from alertkit.live.timescale import scaled_expr
from alertkit.source import Problems
from alertkit.spec.project import read_project
from tests.servers import binaries

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    project = read_project(ROOT, problems := Problems())
    built = project and compiled(project, problems)
    assert built, problems
    ticks = iter(range(1, 10_000))
    return Simulator(built[1], clock=lambda: float(next(ticks)))


def values(simulator: Simulator) -> dict[str, float]:
    rows = (line.rpartition(" ") for line in simulator.exposition().splitlines())
    return {name: float(value) for name, _, value in rows}


def test_breaking_and_healing(simulator: Simulator) -> None:
    name = 'peak_circuit_breaker_state{name="orders"}'
    before = values(simulator)
    assert before[name] == 0
    simulator.break_(*parse_fault(simulator, "peak_trade/CircuitBreakerOpen"))
    assert values(simulator)[name] == 2
    simulator.break_(*parse_fault(simulator, "peak_trade/CircuitBreakerOpen=gone"))
    assert name not in values(simulator)
    simulator.heal()
    after = values(simulator)
    assert after[name] == 0 and after.keys() == before.keys()
    assert all(after[key] >= value for key, value in before.items() if key.split("{")[0].endswith("_total"))
    seen = [values(simulator) for _ in range(20)]
    moving = {name.split("{")[0] for name in before if len({one[name] for one in seen}) > 1}
    assert "spark_stacker_websocket_ping_latency_ms" in moving and not moving & {"up", "spark_stacker_build_info"}


@pytest.mark.parametrize(
    ("text", "words"),
    [("Nope", "no alert `Nope`"), ("CircuitBreakerOpen", "several systems"), ("HighMemoryUsage=x", "neither a number")],
)
def test_faults_that_cannot_be(simulator: Simulator, text: str, words: str) -> None:
    with pytest.raises(FaultError, match=words):
        parse_fault(simulator, text)


def test_over_http_on_loopback(simulator: Simulator) -> None:
    with SimulatorServer(simulator) as served:
        assert served.url.startswith("http://127.0.0.1:")

        def call(path: str, data: bytes | None = None) -> str:
            with urllib.request.urlopen(urllib.request.Request(served.url + path, data)) as answer:
                text: str = answer.read().decode()
                return text

        assert "peak_memory_usage_mb" in call("/metrics")
        assert json.loads(call("/break?alert=peak_trade/HighMemoryUsage&value=2500", b""))["broken"]
        assert "peak_memory_usage_mb 2500\n" in call("/metrics")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            call("/break?alert=Nope", b"")
        assert json.loads(call("/heal", b"")) == {"broken": {}, "expect": {}, "notes": []}


def test_who_does_not_wait_for_the_answer_is_no_error(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scrape that takes too long hangs up; the next one is answered."""
    real, asked, gone = simulator.exposition, threading.Event(), threading.Event()

    def late() -> str:
        asked.set()
        assert gone.wait(10)
        return real() * 200  # more than the connection holds by itself

    monkeypatch.setattr(simulator, "exposition", late)
    with SimulatorServer(simulator) as server:
        client = socket.create_connection(("127.0.0.1", int(server.address.rpartition(":")[2])))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # hangs up at once
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert asked.wait(10)
        client.close()
        gone.set()
        monkeypatch.setattr(simulator, "exposition", real)
        with urllib.request.urlopen(f"{server.url}/metrics") as answer:
            assert answer.read()
    deadline = time.monotonic() + 10
    while any("process_request" in thread.name for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert capsys.readouterr().err == ""


def test_what_to_expect_of_faults(simulator: Simulator) -> None:
    """How long each takes, and faults that get in each other's way: by their series, and by `unless`."""

    def told(name: str) -> str:
        return str(timing(simulator.find(name)[0]))

    assert told("peak_trade/CircuitBreakerOpen") == "fires 1m after the fault"
    assert told("crypto_stock/HttpErrors") == "fires 10m after the fault"
    assert told("spark_stacker/LogMetricsStale") == "fires 11m after the fault"
    assert told("crypto_stock/WebsocketConnectionsUnusual") == (
        "compares with the past: it needs 6h17m of healthy metrics first, then fires 10m after the fault"
    )
    try:
        for text in ("peak_trade/CircuitBreakerOpen", "peak_trade/ApiErrors", "peak_trade/PeakTradeDown"):
            simulator.break_(*parse_fault(simulator, text))
        assert list(notes(simulator)) == ["nobody is told of peak_trade/ApiErrors while PeakTradeDown fires (`unless`)"]
        simulator.break_(*parse_fault(simulator, "peak_trade/CircuitBreakerStuck"))
        assert next(notes(simulator)) == (
            'peak_trade/CircuitBreakerOpen may not fire: peak_circuit_breaker_state{name="orders"} does what the later'
            " fault peak_trade/CircuitBreakerStuck asks"
        )
    finally:
        simulator.heal()
    assert list(notes(simulator)) == []


def test_simulate_says_what_to_expect() -> None:
    def run(*words: str) -> Result:
        found = CliRunner().invoke(main, ["-C", str(ROOT), "simulate", *words])
        assert found.exit_code == 0, found.output
        return found

    faults = ("CircuitBreakerOpen", "CircuitBreakerStuck", "HighMemoryUsage=gone")
    once = run("peak_trade", "--once", *(word for fault in faults for word in ("--fault", fault)))
    assert all(" " in line and "fires" not in line for line in once.stdout.splitlines())
    for words in (
        "peak_trade/CircuitBreakerOpen: fires 1m after the fault",
        "note: peak_trade/CircuitBreakerOpen may not fire",
        "peak_trade/HighMemoryUsage: its series are gone",
    ):
        assert words in once.stderr, once.stderr
    assert "rather let it run, then POST /break" in run(
        "crypto_stock", "--once", "--fault", "WebsocketConnectionsUnusual"
    ).stderr  # fmt: skip
    listed = run("--list").stdout.splitlines()
    assert len(listed) > 90 and all("fires" in line for line in listed)


def test_fast_motion() -> None:
    assert scaled_expr("rate(x[5m]) > 1 and x offset 1h > 2", 10) == "rate(x[30s]) > 1 and x offset 6m > 2"
    assert scaled_expr("rate(x[1m]) > 1", 60) == "rate(x[5s]) > 1"
    assert scaled_expr("changes(x[5m]) > 1", 60) == "changes(x[15s]) > 1"
    age = "time() - max_over_time(timestamp(x)[1h:15s]) > 600"
    assert scaled_expr(age, 60) == "60 * (time() - 2 - max_over_time(timestamp(x)[1m:1s])) > 600"
    assert scaled_expr(age, 1) == age and scaled_expr("time() - x > 600", 60) == "time() - x > 600"


def test_no_real_secret_reaches_the_demo(tmp_path: Path) -> None:
    raw = b"""
route: {receiver: a, group_wait: 30s}
receivers:
  - name: a
    slack_configs: [{api_url: https://hooks.slack.com/services/geheim}]
    pagerduty_configs: [{routing_key: geheim}, {routing_key_file: /etc/key}]
    email_configs: [{to: a@example.com, auth_password: geheim}]
"""
    text = redirected(raw, "http://127.0.0.1:1", tmp_path, 60).decode()
    assert "geheim" not in text + "".join(p.read_text() for p in tmp_path.iterdir())
    assert "example.com" not in text and "group_wait: 500ms" in text


@pytest.mark.skipif(not binaries("prometheus"), reason="prometheus is not on PATH")
def test_ctrl_c_leaves_nothing_behind() -> None:
    command = [sys.executable, "-m", "alertkit", "-C", str(ROOT), "demo", "--keep-running"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as demo:
        assert demo.stdout is not None
        words: set[str] = set()
        for line in demo.stdout:
            words |= set(line.split()) if line.startswith("  +") else set()
            if line.startswith("Prometheus http"):
                url = line.split()[1].rstrip(",")
                with urllib.request.urlopen(f"{url}/api/v1/status/flags") as answer:
                    folder = Path(json.load(answer)["data"]["storage.tsdb.path"]).parent
            if "Ctrl-C ends everything" in line:
                break
        assert folder.is_dir()
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(30) in INTERRUPTED, rest
    assert "nothing is left behind" in rest and "Traceback" not in rest
    assert {"broken", "firing", "routed", "delivered", "healed", "resolved"} <= words
    assert not folder.exists()
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{url}/-/ready", timeout=5)


# To a shell they are the same. A Python that is interrupted while it makes a named tuple, as imports do, takes the
# signal for unhandled, and ends by it whatever exit code it was told.
INTERRUPTED = (128 + signal.SIGINT, -signal.SIGINT)


def of_session(number: int) -> dict[int, str]:
    """The processes of a session, without its leader: number -> its TMPDIR."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            session = int((place / "stat").read_text().rpartition(")")[2].split()[3])
            if session == number != int(place.name):
                environment = (place / "environ").read_bytes().split(b"\0")
                found[int(place.name)] = next((e[7:].decode() for e in environment if e.startswith(b"TMPDIR=")), "")
        except OSError:
            continue
    return found


@pytest.mark.skipif(not binaries("prometheus"), reason="prometheus is not on PATH")
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "kill"])
def test_ctrl_c_while_the_servers_start(whole_group: bool) -> None:
    command = [sys.executable, "-m", "alertkit", "-C", str(ROOT), "demo"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("starting"):
                break
        while not (servers := {n: folder for n, folder in of_session(demo.pid).items() if "alertkit-" in folder}):
            assert demo.poll() is None
        (os.killpg if whole_group else os.kill)(demo.pid, signal.SIGINT)
        rest = demo.stdout.read()
        assert demo.wait(30) in INTERRUPTED, rest
    assert rest.strip() == "ended; nothing is left behind"
    assert of_session(demo.pid) == {}
    assert not any(Path(folder).exists() for folder in servers.values())
