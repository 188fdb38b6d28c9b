"""A Prometheus server: what it has loaded, how it runs.

Source: Prometheus HTTP API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from alertkit.deploy.client import Server
from alertkit.deploy.loaded import LoadedGroup, loaded_group
from alertkit.source import Problems


class Prometheus(Server):
    """A Prometheus server at its base URL, path prefix included."""

    kind = "a Prometheus"

    def rules(self, problems: Problems) -> tuple[LoadedGroup, ...] | None:
        """All rule groups that are loaded, in the server's order."""
        data = self._data("/api/v1/rules", problems)
        if data is None:
            return None
        try:
            return tuple(loaded_group(group) for group in data["groups"])
        except (KeyError, TypeError, ValueError, AttributeError):
            self._not_this(problems)
            return None

    def version(self, problems: Problems) -> str | None:
        """The server's version, e.g. `2.42.0+ds`."""
        data = self._data("/api/v1/status/buildinfo", problems)
        return None if data is None else str(data.get("version", ""))

    def runtime(self, problems: Problems) -> Mapping[str, Any] | None:
        """Runtime information, among it `reloadConfigSuccess` and `lastConfigTime`."""
        return self._data("/api/v1/status/runtimeinfo", problems)

    def flags(self, problems: Problems) -> Mapping[str, str] | None:
        """The command line flags that it runs with, without dashes."""
        return self._data("/api/v1/status/flags", problems)

    def reload_state(self, problems: Problems) -> tuple[bool, float] | None:
        """Whether its last reload succeeded, and when the last one that did was, in seconds since the epoch."""
        metrics = self.metrics(problems)
        if metrics is None:
            return None
        name = "prometheus_config_last_reload_success"
        return metrics.get(f"{name}ful", 1.0) == 1.0, metrics.get(f"{name}_timestamp_seconds", 0.0)

    def alertmanagers(self, problems: Problems) -> tuple[str, ...] | None:
        """The URLs of the Alertmanagers that it sends to, as it knows them."""
        data = self._data("/api/v1/alertmanagers", problems)
        if data is None:
            return None
        return tuple(str(entry.get("url", "")) for entry in data.get("activeAlertmanagers") or ())

    def query(self, expr: str, problems: Problems) -> list[dict[str, str]] | None:
        """The label sets that an expression results in now; a scalar gives one empty set."""
        data = self._data(f"/api/v1/query?query={quote(expr)}", problems)
        if data is None:
            return None
        result = data.get("result")
        if data.get("resultType") != "vector" or not isinstance(result, list):
            return [{}]
        return [dict(element.get("metric") or {}) for element in result]

    def _data(self, path: str, problems: Problems) -> dict[str, Any] | None:
        answer = self._json(path, before := Problems())
        problems.extend(before)
        if before:
            return None
        data = answer.get("data") if isinstance(answer, dict) and answer.get("status") == "success" else None
        if not isinstance(data, dict):
            self._not_this(problems)
            return None
        return data
