"""An Alertmanager: its configuration, its alerts, its own metrics.

Source: Alertmanager HTTP API v2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from alertkit.deploy.client import Server
from alertkit.source import Problems


@dataclass(frozen=True, slots=True)
class AlertmanagerStatus:
    """Of Alertmanager: its `version` and the configuration that it runs with, printed by itself."""

    version: str
    config: str


class Alertmanager(Server):
    """An Alertmanager at its base URL, path prefix included."""

    kind = "an Alertmanager"

    def status(self, problems: Problems) -> AlertmanagerStatus | None:
        """Version and configuration."""
        answer = self._json("/api/v2/status", before := Problems())
        problems.extend(before)
        if before:
            return None
        try:
            return AlertmanagerStatus(str(answer["versionInfo"]["version"]), str(answer["config"]["original"]))
        except (KeyError, TypeError):
            self._not_this(problems)
            return None

    def alerts(self, problems: Problems, matcher: str = "") -> list[dict[str, Any]] | None:
        """The alerts that it has, those only that a matcher (`a="b"`) fits if one is given."""
        answer = self._json(f"/api/v2/alerts{'?filter=' + quote(matcher) if matcher else ''}", before := Problems())
        problems.extend(before)
        if before:
            return None
        if not isinstance(answer, list) or not all(isinstance(entry, dict) for entry in answer):
            self._not_this(problems)
            return None
        return answer

    def post(self, alerts: Sequence[Mapping[str, Any]], problems: Problems) -> bool:
        """Hand over alerts as Prometheus does; False and a problem when they are not taken."""
        body = json.dumps(list(alerts)).encode()
        return self._call("POST", "/api/v2/alerts", problems, body) is not None

    def config_hash(self, problems: Problems) -> float | None:
        """The metric `alertmanager_config_hash`: the first 6 bytes of the loaded file's MD5, little-endian."""
        metrics = self.metrics(problems)
        if metrics is not None and "alertmanager_config_hash" not in metrics:
            self._not_this(problems)
            return None
        return None if metrics is None else metrics["alertmanager_config_hash"]
