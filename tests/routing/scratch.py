"""A scratch Alertmanager on a free port, and a sink for what it sends."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.routing.amtools import Tools

EMPTY = "route: {receiver: none}\nreceivers: [{name: none}]\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Alertmanager:
    """Talks to a running one."""

    def __init__(self, port: int, config: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.config = config
        self._run = 0

    def _call(self, path: str, body: Any = None, post: bool = False) -> Any:
        data = json.dumps(body).encode() if body is not None else b"" if post else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as response:
            raw = response.read()
        return json.loads(raw) if raw.strip().startswith((b"[", b"{")) else raw

    def ready(self) -> bool:
        try:
            self._call("/-/ready")
        except OSError:
            return False
        return True

    def load(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")
        self._call("/-/reload", post=True)

    def post(self, alerts: Sequence[Mapping[str, str]], annotations: Mapping[str, str] | None = None) -> None:
        self.send([{"labels": dict(a), "annotations": dict(annotations or {})} for a in alerts])

    def send(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Post alerts as Prometheus does: `labels`, `annotations`, `startsAt`, `endsAt`, `generatorURL`."""
        self._call("/api/v2/alerts", list(alerts))

    def receivers(self, alerts: Sequence[Mapping[str, str]]) -> list[list[str]]:
        """Where Alertmanager would send each of these, which must not use the labels `run` and `n`."""
        self._run += 1
        tagged = [{**alert, "run": str(self._run), "n": str(index)} for index, alert in enumerate(alerts)]
        self.post(tagged)
        query = urllib.parse.urlencode({"filter": f'run="{self._run}"'})
        got = self._call(f"/api/v2/alerts?{query}")
        found = {int(alert["labels"]["n"]): [r["name"] for r in alert["receivers"]] for alert in got}
        return [found[index] for index in range(len(alerts))]

    def muted(self) -> dict[str, list[str]]:
        """For each alert's label `n`, the fingerprints that inhibit it."""
        return {alert["labels"]["n"]: alert["status"]["inhibitedBy"] for alert in self._call("/api/v2/alerts")}


@contextlib.contextmanager
def alertmanager(tool: Tools, folder: Path, config: str = EMPTY) -> Iterator[Alertmanager]:
    """Runs one for the length of a `with`."""
    assert tool.alertmanager
    port = free_port()
    path = folder / "alertmanager.yml"
    path.write_text(config, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                tool.alertmanager, f"--config.file={path}", f"--storage.path={folder / 'data'}",
                "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            server = Alertmanager(port, path)
            deadline = time.monotonic() + 20
            while not server.ready():
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            yield server
        finally:
            process.terminate()
            process.wait(20)


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512  # groups are all told at once; a refused connection would be tried again much later


class Sink:
    """Collects what is posted: (path, JSON body)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                sink.got.append((self.path, json.loads(body)))
                answer = b'{"status": "success"}' if "enqueue" in self.path else b"ok"
                self.send_response(202 if "enqueue" in self.path else 200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def wait(self, fits: Callable[[str, Any], bool], seconds: float = 30) -> Any:
        """The body of the first message that fits its path and body."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for path, body in list(self.got):
                if fits(path, body):
                    return body
            time.sleep(0.1)
        raise AssertionError(f"no such message among {self.got}")

    def __enter__(self) -> Sink:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
