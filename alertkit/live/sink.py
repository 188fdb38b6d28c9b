"""A local stand-in for Slack, PagerDuty and webhooks: takes every message and keeps it. Listens on loopback only."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from alertkit.live.loopback import Handler, Loopback


@dataclass(frozen=True, slots=True)
class Received:
    """One message: `kind` is slack, pagerduty or webhook, `at` a moment of the monotonic clock in seconds."""

    kind: str
    body: dict[str, Any]
    at: float


class Sink:
    """Collects messages while it is entered; `answers` gives the status per kind, to stand in for a broken service."""

    def __init__(self, on_message: Callable[[Received], None] = lambda message: None) -> None:
        self.messages: list[Received] = []
        self.answers: dict[str, int] = {}
        self._arrived = threading.Condition()
        sink = self

        class Messages(Handler):
            def do_POST(self) -> None:  # noqa: N802 (called so by its base)
                raw = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 10_000_000))
                kind = self.path.strip("/").partition("/")[0]
                try:
                    body = json.loads(raw)
                except ValueError:
                    body = {}
                status = sink.answers.get(kind, 202 if kind == "pagerduty" else 200)
                message = Received(kind, body if isinstance(body, dict) else {"body": body}, time.monotonic())
                if status < 300:
                    with sink._arrived:
                        sink.messages.append(message)
                        sink._arrived.notify_all()
                    on_message(message)
                answer = b'{"status": "success"}' if kind == "pagerduty" else b"ok"
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self._server = Loopback(Messages)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def wait(self, wanted: Callable[[Received], bool], seconds: float) -> Received | None:
        """The first message that fits, also one of before; None when none comes in time."""
        with self._arrived:
            self._arrived.wait_for(lambda: any(map(wanted, self.messages)), seconds)
            return next(filter(wanted, self.messages), None)
