"""HTTP to servers: the only door.

Every call returns its result, or None with one problem (AK701 to AK713) that names the server without credentials.
Answers are awaited for `timeout` seconds in all, however slowly they trickle.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alertkit.deploy.access import AccessError
from alertkit.source import Problem, Problems, Span
from alertkit.source.url import is_base_url, shown_url

if TYPE_CHECKING:
    import requests

# Makes the session that requests go through: the place for credentials and certificates.
SessionFactory = Callable[[], "requests.Session"]
TIMEOUT = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    reason: str
    location: str
    body: bytes


class Server:
    """What both kinds of server have in common. `span` is where their URL was written, if anywhere."""

    kind = "a server"

    def __init__(
        self, url: str, *, span: Span | None = None, timeout: float = TIMEOUT, session: SessionFactory | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self.shown = shown_url(url)
        self.span = span
        self._timeout = timeout
        self._session = session

    def reload(self, problems: Problems) -> bool:
        """Ask the server to read its files anew; False and a problem when it did not take them."""
        return self._call("POST", "/-/reload", problems) is not None

    def ready(self, problems: Problems) -> bool:
        """Whether the server says that it is ready to work."""
        return self._call("GET", "/-/ready", problems) is not None

    def metrics(self, problems: Problems) -> dict[str, float] | None:
        """Its own metrics: `name{labels}` as it prints it -> value."""
        body = self._call("GET", "/metrics", problems)
        if body is None:
            return None
        found: dict[str, float] = {}
        for line in body.decode("utf-8", "replace").splitlines():
            name, _, value = line.rpartition(" ")
            if name and not line.startswith("#"):
                with contextlib.suppress(ValueError):
                    found[name] = float(value)
        return found

    def at(self, code: str, message: str, help: str = "") -> Problem:
        """A problem where this server's URL was written."""
        return Problem(code, message, self.span, help)

    def _json(self, path: str, problems: Problems) -> Any:
        """The decoded body of a GET; None and a problem when there is none."""
        body = self._call("GET", path, problems)
        if body is None:
            return None
        try:
            return json.loads(body)
        except ValueError:
            said = _first_words(body) or "nothing"
            self._add(problems, "AK712", f"{self.shown}{path} did not answer with JSON but with `{said}`",
                      f"is it the {self.kind} itself, or the page of a proxy before it?")  # fmt: skip
            return None

    def _call(self, method: str, path: str, problems: Problems, body: bytes | None = None) -> bytes | None:
        """The body of a 200 answer to `method`, which sends `body` (JSON) if given; None and a problem otherwise."""
        if not is_base_url(self.url):
            self._add(problems, "AK710", f"`{self.shown}` is not an http or https URL",
                      "write it like http://localhost:9090")  # fmt: skip
            return None
        from requests import Session  # loaded before the clock runs: on a slow machine that takes a while

        done: list[_Answer | BaseException] = []
        # In a thread of its own, since neither name resolution nor a trickling body obeys a time-out of requests.
        worker = threading.Thread(
            target=self._fetch, args=(self._session or Session, method, self.url + path, body, done), daemon=True
        )
        worker.start()
        worker.join(self._timeout)
        if not done:
            self._add(problems, "AK702", f"{self.shown} did not answer within {self._timeout:g} s",
                      "is the server overloaded, or does a firewall drop packets?")  # fmt: skip
            return None
        answer = done[0]
        if isinstance(answer, BaseException):
            problems.append(self._unreachable(answer))
            return None
        if answer.status == 200:
            return answer.body
        problems.append(self._refusal(path, answer))
        return None

    def _fetch(
        self, new: SessionFactory, method: str, url: str, body: bytes | None, done: list[_Answer | BaseException]
    ) -> None:
        try:
            with new() as session:
                # `verify` is given anew, or REQUESTS_CA_BUNDLE would replace the environment's own ca_file.
                answer = session.request(
                    method, url, data=body, headers={"Content-Type": "application/json"} if body is not None else {},
                    timeout=self._timeout, allow_redirects=False, verify=session.verify,
                )  # fmt: skip
                location = answer.headers.get("Location", "") if 300 <= answer.status_code < 400 else ""
                done.append(_Answer(answer.status_code, answer.reason or "", location, answer.content))
        except Exception as error:
            done.append(error)

    def _unreachable(self, error: BaseException) -> Problem:
        import requests

        reasons = " ".join(f"{type(e).__name__}: {e}" for e in _chain(error))
        exceptions = requests.exceptions
        if isinstance(error, AccessError):
            return self._problem("AK714", f"{self.shown} cannot be asked: {error}",
                                 "correct `http:` of the environment; may you read the file?")  # fmt: skip
        if isinstance(error, exceptions.ProxyError):
            return self._problem("AK701", f"the proxy on the way to {self.shown} does not work",
                                 "check HTTP_PROXY and HTTPS_PROXY, or add the host to NO_PROXY")  # fmt: skip
        if isinstance(error, exceptions.SSLError):
            return self._tls(reasons)
        if isinstance(error, exceptions.Timeout):
            return self._problem("AK702", f"{self.shown} did not answer within {self._timeout:g} s",
                                 "is the server overloaded, or does a firewall drop packets?")  # fmt: skip
        if "NameResolutionError" in reasons or "gaierror" in reasons:
            return self._problem("AK703", f"the host name of {self.shown} is unknown",
                                 "check its spelling, and the DNS of this machine")  # fmt: skip
        if "ConnectionRefusedError" in reasons:
            return self._problem("AK701", f"{self.shown} refused the connection",
                                 f"is {self.kind} running there, at this port?")  # fmt: skip
        cut = ("IncompleteRead", "RemoteDisconnected", "ConnectionResetError", "ProtocolError", "BrokenPipeError",
               "InvalidChunkLength", "DecodeError")  # fmt: skip
        if any(word in reasons for word in cut):
            return self._problem("AK706", f"the answer of {self.shown} was cut off",
                                 "see the log of the server, or of a proxy before it")  # fmt: skip
        if isinstance(error, OSError):
            inner = next((e.strerror for e in _chain(error) if isinstance(e, OSError) and e.strerror), "")
            return self._problem("AK701", f"{self.shown} cannot be reached{': ' + inner if inner else ''}",
                                 f"is {self.kind} running there, and does a way lead to it?")  # fmt: skip
        return self._problem("AK710", f"`{self.shown}` cannot be used as a URL", "write it like http://localhost:9090")

    def _tls(self, reasons: str) -> Problem:
        for words, said, help in (
            ("wrong version number", "the server does not speak TLS at this port", "write http:// instead of https://?"),
            ("Hostname mismatch", "the certificate is for another host name", "use the name that the certificate has"),
            ("certificate has expired", "the certificate has expired", "renew the server's certificate"),
        ):  # fmt: skip
            if words.lower() in reasons.lower():
                return self._problem("AK704", f"no secure connection to {self.shown}: {said}", help)
        return self._problem(
            "AK704", f"no secure connection to {self.shown}: its certificate is not trusted",
            "name the file with your organisation's certificates: `http: {ca_file: ...}`, or REQUESTS_CA_BUNDLE",
        )  # fmt: skip

    def _refusal(self, path: str, answer: _Answer) -> Problem:
        page = f"{self.shown}{path.partition('?')[0]}"
        said = _first_words(answer.body)
        if 300 <= answer.status < 400:
            to = shown_url(answer.location) or "elsewhere"
            return self._problem(
                "AK705", f"{page} redirects to {to}", "write the URL without a detour, prefix included"
            )
        if answer.status == 403 and "lifecycle api" in said.lower():
            return self._problem("AK708", f"{self.shown} does not allow reloading: {said}",
                                 "start Prometheus with --web.enable-lifecycle")  # fmt: skip
        if answer.status in (401, 403, 407):
            word = "asks for credentials" if answer.status != 403 else "forbids this"
            return self._problem("AK707", f"{page} {word} ({answer.status})",
                                 "use credentials that may do this, or an address inside the network")  # fmt: skip
        if answer.status in (404, 405):
            word = "does not exist" if answer.status == 404 else "cannot be used in this way"
            return self._problem("AK709", f"{page} {word} ({answer.status})",
                                 f"is this {self.kind}, and is its path prefix part of the URL?")  # fmt: skip
        if answer.status == 400 and "HTTP request to an HTTPS server" in said:
            return self._problem("AK704", f"{self.shown} speaks TLS only", "write https:// instead of http://")
        text = f": {said}" if said else ""
        return self._problem("AK711", f"{page} answered {answer.status} {answer.reason}".rstrip() + text,
                             "the server's log tells more")  # fmt: skip

    def _not_this(self, problems: Problems) -> None:
        self._add(problems, "AK713", f"{self.shown} is not {self.kind}: its answer has another form",
                  "Prometheus usually has port 9090, Alertmanager 9093")  # fmt: skip

    def _problem(self, code: str, message: str, help: str) -> Problem:
        return Problem(code, message, self.span, help)

    def _add(self, problems: Problems, code: str, message: str, help: str) -> None:
        problems.append(self._problem(code, message, help))


def _chain(error: BaseException | None) -> list[BaseException]:
    """An exception and all that caused it, also those that urllib3 hides in `reason` and `args`."""
    found: list[BaseException] = []
    queue: list[Any] = [error]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            queue += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
    return found


def _first_words(body: bytes) -> str:
    """The start of a body on one line, for a message."""
    words = " ".join(body[:2000].decode("utf-8", "replace").split())
    return "".join(c if c.isprintable() else "?" for c in words)[:300]
