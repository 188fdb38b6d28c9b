"""The simulator over HTTP, on loopback only: /metrics for Prometheus, and a small page of commands for people.

GET  /metrics              all series
GET  /                     what can be broken, what is broken, and what to expect of that, as JSON
POST /break?alert=NAME     optionally &value=NUMBER or &value=gone
POST /heal                 everything, or ?alert=NAME
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from alertkit.live.expect import notes, timing
from alertkit.live.loopback import Handler, Loopback
from alertkit.live.simulator import Actor, Simulator


class FaultError(ValueError):
    """A fault that cannot be made; the text says why."""


def parse_fault(simulator: Simulator, text: str) -> tuple[Actor, float | None]:
    """`ALERT`, `ALERT=value` or `ALERT=gone`; raises FaultError."""
    name, equals, raw = text.partition("=")
    found = simulator.find(name)
    if not found:
        raise FaultError(f"no alert `{name}` can be made to fire here")
    if len({actor.system for actor in found}) > 1:
        raise FaultError(f"`{name}` is in several systems: {', '.join(a.name for a in found)}")
    if not equals:
        return found[0], found[0].bad()
    if raw == "gone":
        return found[0], None
    try:
        return found[0], float(raw)
    except ValueError:
        raise FaultError(f"`{raw}` is neither a number nor `gone`") from None


def _broken(simulator: Simulator) -> dict[str, Any]:
    """The faults that are there, when their alerts fire, and what keeps any from it."""
    expected = {
        name: str(timing(simulator.actors[name], simulator.scale))
        for name, value in simulator.faults.items()
        if value is not None
    }
    return {"broken": simulator.faults, "expect": expected, "notes": list(notes(simulator))}


class SimulatorServer:
    """Serves a simulator while it is entered."""

    def __init__(self, simulator: Simulator, port: int = 0) -> None:
        class Commands(Handler):
            def do_GET(self) -> None:  # noqa: N802 (called so by its base)
                path = urlsplit(self.path).path
                if path == "/metrics":
                    self._answer(200, simulator.exposition(), "text/plain; version=0.0.4; charset=utf-8")
                elif path == "/":
                    told = {"alerts": sorted(simulator.actors), **_broken(simulator)}
                    self._answer(200, json.dumps(told, indent=1) + "\n", "application/json")
                else:
                    self._answer(404, "there are /, /metrics, /break and /heal\n")

            def do_POST(self) -> None:  # noqa: N802 (called so by its base)
                parts = urlsplit(self.path)
                asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
                try:
                    if parts.path == "/break":
                        text = asked.get("alert", "") + (f"={asked['value']}" if "value" in asked else "")
                        simulator.break_(*parse_fault(simulator, text))
                    elif parts.path == "/heal":
                        simulator.heal(parse_fault(simulator, asked["alert"])[0] if "alert" in asked else None)
                    else:
                        self._answer(404, "there are /break and /heal\n")
                        return
                except FaultError as error:
                    self._answer(400, f"{error}\n")
                    return
                self._answer(200, json.dumps(_broken(simulator)) + "\n", "application/json")

            def _answer(self, status: int, text: str, kind: str = "text/plain") -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = Loopback(Commands, port)
        self.address, self.url = self._server.address, self._server.url

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)
