"""An `alertmanager.yml` whose every message goes to a local sink; its secrets are replaced by ones that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alertkit.live.timescale import dumped, scaled_routes


def redirected(raw: bytes, sink: str, secrets: Path, scale: float = 1.0) -> bytes:
    """Slack, PagerDuty and webhooks go to `sink`/slack, /pagerduty and /webhook; other kinds become webhooks.

    `secrets` is a folder for the files that stand in for the real ones. A PagerDuty key becomes the name of its file,
    so that a message shows which key it would have been.
    """
    import yaml

    data = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    scaled_routes(data["route"], scale)
    data.pop("global", None)
    for receiver in data.get("receivers") or ():
        webhooks: list[dict[str, Any]] = []
        for kind in [key for key in receiver if key.endswith("_configs")]:
            for entry in receiver[kind]:
                if kind == "slack_configs":
                    _replace(entry, ("api_url", "api_url_file"), "api_url_file", secrets, f"{sink}/slack", "slack")
                elif kind == "pagerduty_configs":
                    keys = ("routing_key", "routing_key_file", "service_key", "service_key_file")
                    name = next((Path(entry[k]).name for k in keys if k.endswith("_file") and k in entry), "key")
                    _replace(entry, keys, "routing_key_file", secrets, name, f"pagerduty-{name}")
                    entry["url"] = f"{sink}/pagerduty"
                else:
                    webhooks.append({"url": f"{sink}/webhook", "send_resolved": bool(entry.get("send_resolved", True))})
                if "http_config" in entry:
                    del entry["http_config"]
            if kind not in ("slack_configs", "pagerduty_configs"):
                del receiver[kind]
        if webhooks:
            receiver["webhook_configs"] = webhooks
    return dumped(data)


def _replace(entry: dict[str, Any], keys: tuple[str, ...], key: str, secrets: Path, content: str, name: str) -> None:
    for old in keys:
        entry.pop(old, None)
    path = secrets / name
    path.write_text(content, "utf-8")
    entry[key] = str(path)
