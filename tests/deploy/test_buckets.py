"""A server that does not answer is asked once for its histograms, not once for each rule."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace

from alertkit.deploy import Prometheus
from alertkit.deploy.buckets import out_of_reach
from alertkit.deploy.loaded import LoadedGroup, LoadedRule


def test_a_server_that_hangs_is_left_alone() -> None:
    quantile = "histogram_quantile(0.9, sum by (le) (rate(m{}_bucket[5m]))) > 3"
    rule = LoadedRule("alerting", "Slow", "", 0, 0, {}, {})
    rules = tuple(replace(rule, query=quantile.format(number)) for number in range(5))
    asked: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang() -> None:
            while True:
                try:
                    asked.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=hang, daemon=True)
        thread.start()
        server = Prometheus(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.2)
        assert list(out_of_reach(server, [LoadedGroup("f.yml", "g", 0, rules)])) == []
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert len(asked) == 1
    for connection in asked:
        connection.close()
