"""What notifications say, as the settings of each integration.

The texts are Go templates; Alertmanager expands them when it notifies.
"""

from __future__ import annotations

from typing import Any

_TITLE = (
    '[{{ if eq .Status "firing" }}{{ .CommonLabels.severity | toUpper }}{{ else }}RESOLVED{{ end }}'
    "{{ if gt (len .Alerts) 1 }}:{{ len .Alerts }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join \" \" }}"
)
_TEXT = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ end }}"
_COLOUR = (
    '{{ if ne .Status "firing" }}good{{ else if eq .CommonLabels.severity "critical" }}danger'
    '{{ else if eq .CommonLabels.severity "info" }}#439FE0{{ else }}warning{{ end }}'
)

SLACK: dict[str, Any] = {
    "color": _COLOUR, "fallback": _TITLE, "title": _TITLE, "title_link": "{{ .ExternalURL }}/#/alerts", "text": _TEXT,
}  # fmt: skip
PAGERDUTY: dict[str, Any] = {
    "client": "Alertmanager", "client_url": "{{ .ExternalURL }}", "description": _TITLE,
    "severity": '{{ if match "^(critical|error|warning|info)$" .CommonLabels.severity }}'
    "{{ .CommonLabels.severity }}{{ else }}error{{ end }}",
}  # fmt: skip
EMAIL: dict[str, Any] = {"headers": {"Subject": _TITLE}}
OPSGENIE: dict[str, Any] = {"message": _TITLE, "description": _TEXT, "source": "{{ .ExternalURL }}"}
MSTEAMS: dict[str, Any] = {"title": _TITLE, "text": _TEXT}
PING: dict[str, Any] = {"color": "good", "fallback": "heartbeat", "title": "heartbeat", "text": "heartbeat"}
