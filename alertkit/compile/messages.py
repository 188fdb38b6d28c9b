"""What notifications say: which template fills which field of an integration.

The templates are Go's, in `alertmanager/templates/*.tmpl`; a project without that folder gets alertkit's own. Each
field is set here, also where Alertmanager has a default: Debian's packages read the default templates from the host,
where another version's may lie.
"""

from __future__ import annotations

from typing import Any


def _use(name: str) -> str:
    return f'{{{{ template "alertkit.{name}" . }}}}'


def _short(title: str, value: str) -> dict[str, Any]:
    """A field of Slack's that shares its line with another."""
    return {"title": title, "value": value, "short": True}


def _detail(text: str, given: str = "") -> str:
    """A text of `custom_details`, left empty where the value `given` is.

    A newer Alertmanager (0.33, not yet 0.28) reads details as YAML and runs what it finds as templates again:
    `Queue: 5` became a mapping, `#5 is down` nothing, and `a: "{{ x"` lost the page. A tab is where YAML gives up, so
    that the text stays text.
    """
    kept = '{{ "\\t" }}' + text
    return f"{{{{ if {given} }}}}{kept}{{{{ end }}}}" if given else kept


def _link(name: str, word: str) -> dict[str, str]:
    """A link of an event; where the alerts of a group have different ones it says that it is the first's."""
    of = f"{{{{ if not .CommonAnnotations.{name}_url }}}} of the first of {{{{ len .Alerts }}}}{{{{ end }}}}"
    return {"href": _use(f"link.{name}"), "text": f"{word}{of}"}


SLACK: dict[str, Any] = {
    "color": _use("slack.color"),
    # What a phone's lock screen shows.
    "fallback": _use("slack.fallback"),
    "title": _use("title"),
    "title_link": _use("slack.titlelink"),
    "fields": [
        _short("Severity", _use("severity")),
        _short("Team", _use("team")),
        _short(_use("slack.now.title"), _use("slack.now")),
        _short('{{ if eq .Status "firing" }}Since{{ else }}From, to{{ end }}', _use("time")),
    ],
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
        "firing": _detail(_use("plain.firing"), ".Alerts.Firing"),
        "resolved": _detail(_use("plain.resolved"), ".Alerts.Resolved"),
        "num_firing": "{{ len .Alerts.Firing }}",
        "num_resolved": "{{ len .Alerts.Resolved }}",
        "summary": _detail(_use("headline")),
        "description": _detail("{{ .CommonAnnotations.description }}", ".CommonAnnotations.description"),
        "value": _detail("{{ .CommonAnnotations.value }}", ".CommonAnnotations.value"),
        "labels": _detail(_use("common.labels"), ".CommonLabels"),
        "team": _detail(_use("team")),
        "time": '{{ if eq .Status "firing" }}since{{ else }}from{{ end }} ' + _use("time"),
    },
    # An empty link is left out by Alertmanager.
    "links": [
        _link("runbook", "Runbook"),
        _link("dashboard", "Dashboard"),
        {"href": _use("link.expression"), "text": _use("link.expression.text")},
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
    "component", "icon_emoji", "system",
})  # fmt: skip
