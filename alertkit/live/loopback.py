"""An HTTP server on loopback that serves while it is entered."""

from __future__ import annotations

import http.server
import sys
import threading
from types import TracebackType
from typing import Any, Self


class Handler(http.server.BaseHTTPRequestHandler):
    """A handler of requests that are not logged."""

    def log_message(self, format: str, *args: object) -> None:
        pass


class Loopback(http.server.ThreadingHTTPServer):
    """The server; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, handler: type[Handler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{self.address}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who does not wait for the answer, as a scrape that takes too long, is nobody's mistake."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)
