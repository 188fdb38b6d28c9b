"""What notifications say: which template fills which field of an integration.

The templates are Go's, in `alertmanager/templates/*.tmpl`; a project without that folder gets alertkit's own. Each
field is set here, also where Alertmanager has a default: Debian's packages read the default templates from the host,
where another version's may lie.
"""

from __future__ import annotations

from typing import Any


def _use(name: str) -> str:
    return f'{{{{ template "alertkit.{name}" . }}}}'


SLACK: dict[str, Any] = {
    "color": _use("slack.color"),
    "fallback": _use("title"),
    "title": _use("title"),
    "title_link": _use("slack.titlelink"),
    "text": _use("slack.text"),
}
PAGERDUTY: dict[str, Any] = {
    "client": "Alertmanager",
    "client_url": "{{ .ExternalURL }}",
    "description": _use("pagerduty.description"),
    "severity": _use("pagerduty.severity"),
    "class": "{{ .CommonLabels.alertname }}",
    "group": "{{ .CommonLabels.system }}",
    "component": "{{ with .CommonLabels.job }}{{ . }}{{ else }}{{ .CommonLabels.system }}{{ end }}",
    "details": {
        "firing": _use("plain.firing"),
        "resolved": _use("plain.resolved"),
        "num_firing": "{{ len .Alerts.Firing }}",
        "num_resolved": "{{ len .Alerts.Resolved }}",
        "summary": "{{ .CommonAnnotations.summary }}",
        "description": "{{ .CommonAnnotations.description }}",
        "value": "{{ .CommonAnnotations.value }}",
        "labels": _use("common.labels"),
        "team": "{{ .CommonLabels.team }}",
        "since": '{{ with .Alerts }}{{ (index . 0).StartsAt.UTC.Format "2006-01-02 15:04 UTC" }}{{ end }}',
    },
    # An empty link is left out by Alertmanager.
    "links": [
        {"href": "{{ .CommonAnnotations.runbook_url }}", "text": "Runbook"},
        {"href": "{{ .CommonAnnotations.dashboard_url }}", "text": "Dashboard"},
        {"href": "{{ with .Alerts }}{{ (index . 0).GeneratorURL }}{{ end }}", "text": "Expression"},
        {"href": _use("silence"), "text": "Silence"},
    ],
}
EMAIL: dict[str, Any] = {"headers": {"Subject": _use("title")}, "text": _use("plain.text"), "html": ""}
OPSGENIE: dict[str, Any] = {
    "message": _use("title"),
    "description": _use("plain.text"),
    "source": "{{ .ExternalURL }}",
    "details": {"team": "{{ .CommonLabels.team }}", "system": "{{ .CommonLabels.system }}"},
}
MSTEAMS: dict[str, Any] = {"title": _use("title"), "text": _use("plain.text")}
PING: dict[str, Any] = {
    "color": "good", "fallback": "heartbeat", "title": "heartbeat", "title_link": "", "text": "heartbeat",
}  # fmt: skip

# Fields that may be blank; any other that renders to nothing is a mistake in a template.
MAY_BE_BLANK = frozenset({
    "resolved", "firing", "description", "value", "labels", "team", "summary", "href", "html", "group", "class",
    "component", "icon_emoji", "system", "since",
})  # fmt: skip
