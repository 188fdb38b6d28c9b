"""Every way in which a server can fail becomes one clear problem."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alertkit.deploy import Alertmanager, Prometheus
from alertkit.source import Problems
from alertkit.source.url import shown_url
from tests.servers import free_port, start_alertmanager, start_prometheus, versions

Serve = Callable[[bytes | None], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers each connection with the given bytes and closes; None: it never answers."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []
    over = threading.Event()

    def answer(listener: socket.socket, raw: bytes | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                if raw is None:
                    over.wait(30)
                    continue
                try:
                    connection.recv(65536)
                    connection.sendall(raw)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                except OSError:
                    pass

    def serve(raw: bytes | None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=answer, args=(listener, raw), daemon=True)
        thread.start()
        listeners.append(listener)
        threads.append(thread)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    over.set()
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(5)


def http(status: str, body: str = "", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body) if length is None else length}"]
    return ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n" + body).encode()


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (http("301 Moved", "", "Location: http://user:pw@login.example.com/x?token=1"), "AK705",
         "redirects to http://login.example.com/x"),
        (http("401 Unauthorized"), "AK707", "asks for credentials (401)"),
        (http("403 Forbidden", "no"), "AK707", "forbids this (403)"),
        (http("403 Forbidden", "Lifecycle API is not enabled."), "AK708", "Lifecycle API is not enabled."),
        (http("404 Not Found"), "AK709", "/api/v1/rules does not exist (404)"),
        (http("405 Method Not Allowed"), "AK709", "cannot be used in this way (405)"),
        (http("500 Internal Server Error", "failed to\n reload"), "AK711", "answered 500 Internal Server Error: "
         "failed to reload"),
        (http("503 Service Unavailable"), "AK711", "answered 503"),
        (http("400 Bad Request", "Client sent an HTTP request to an HTTPS server."), "AK704", "speaks TLS only"),
        (http("200 OK", '{"status": "succ', length=500), "AK706", "was cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc", "AK706", "was cut off"),
        (http("200 OK", "xx", "Content-Encoding: gzip"), "AK706", "was cut off"),
        (b"", "AK706", "was cut off"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "AK706", "was cut off"),
        (http("200 OK", "<html>login</html>"), "AK712", "with `<html>login</html>`"),
        (http("200 OK", ""), "AK712", "with `nothing`"),
        (http("200 OK", "null"), "AK713", "is not a Prometheus"),
        (http("200 OK", "[]"), "AK713", "is not a Prometheus"),
        (http("200 OK", '{"status": "success", "data": {"groups": [{"name": 1}]}}'), "AK713", "is not a Prometheus"),
        (http("200 OK", '{"status": "success", "data": {"groups": [3]}}'), "AK713", "is not a Prometheus"),
        (None, "AK702", "did not answer within 0.3 s"),
    ],
)  # fmt: skip
def test_answers(serve: Serve, raw: bytes | None, code: str, words: str) -> None:
    url = serve(raw)
    problems = Problems()
    assert Prometheus(url, timeout=0.3 if raw is None else 20).rules(problems) is None
    assert [p.code for p in problems] == [code]
    assert words in problems[0].message
    assert url in problems[0].message
    assert problems[0].help


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://user:secret@127.0.0.1:{port}", "AK701"),
        ("https://user:secret@127.0.0.1:{port}", "AK701"),
        ("http://user:secret@no-such-host.invalid", "AK703"),
        ("prometheus:9090", "AK710"),
        ("ftp://user:secret@x", "AK710"),
        ("http://", "AK710"),
        ("http://[::1", "AK710"),
        ("http://x:99999", "AK710"),
    ],
)
def test_no_way_there(url: str, code: str) -> None:
    problems = Problems()
    assert not Prometheus(url.format(port=free_port())).reload(problems)
    assert [p.code for p in problems] == [code]
    assert "secret" not in str(problems)


def test_tls_on_a_plain_port(serve: Serve) -> None:
    problems = Problems()
    assert not Alertmanager(serve(http("200 OK")).replace("http:", "https:")).reload(problems)
    assert [p.code for p in problems] == ["AK704"]


def test_a_trickling_answer_ends_in_time(serve: Serve) -> None:
    """A body of which one byte comes now and then resets every time-out of a socket, but not ours."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    problems = Problems()
    assert Prometheus(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.4).rules(problems) is None
    over.set()
    thread.join(5)
    listener.close()
    assert [p.code for p in problems] == ["AK702"]


def test_credentials_are_not_shown() -> None:
    assert shown_url("https://a:b@host:1/x/?t=1#f") == "https://host:1/x"


@pytest.mark.parametrize("binary", versions("prometheus"))
def test_a_real_prometheus(binary: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(
        "groups: [{name: g, interval: 90s, rules: [{alert: A, expr: up==0, for: 250ms, keep_firing_for: 1m,"
        " labels: {l: '1'}, annotations: {a: '{{ $value }}'}}, {record: r, expr: up}]}]"
    )
    with start_prometheus(binary, tmp_path) as server:
        client = Prometheus(server.url + "/")
        problems = Problems()
        assert client.ready(problems) and client.reload(problems)
        groups = client.rules(problems)
        assert groups is not None and problems == []
        alert, record = groups[0].rules
        assert (groups[0].name, groups[0].interval, groups[0].file) == ("g", 90_000, str(tmp_path / "a.yml"))
        assert (alert.kind, alert.name, alert.for_, alert.keep_firing_for) == ("alerting", "A", 250, 60_000)
        assert (alert.labels, alert.annotations) == ({"l": "1"}, {"a": "{{ $value }}"})
        assert (record.kind, record.name, record.query) == ("recording", "r", "up")
        assert (client.version(problems) or "")[:1] in "23"
        assert (client.flags(problems) or {}).get("web.enable-lifecycle") == "true"
        assert Alertmanager(server.url).status(problems) is None
        assert [p.code for p in problems] == ["AK709"]


@pytest.mark.parametrize("binary", versions("alertmanager"))
def test_a_real_alertmanager(binary: Path, tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text("route: {receiver: x}\nreceivers: [{name: x}]\n")
    with start_alertmanager(binary, file) as server:
        client = Alertmanager(server.url)
        problems = Problems()
        status = client.status(problems)
        assert status is not None and status.version[:2] == "0." and "receiver: x" in status.config
        file.write_text("route: {receiver: y}\n")
        assert not client.reload(problems)
        assert [p.code for p in problems] == ["AK711"]
        assert "y" in problems[0].message
        problems = Problems()
        assert Prometheus(server.url).rules(problems) is None
        assert [p.code for p in problems] == ["AK709"]
