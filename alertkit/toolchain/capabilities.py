"""What each version of the tools can do.

Source: measured on promtool and Prometheus 2.42, 2.53 and 3.5 and on amtool and Alertmanager 0.25, 0.28 and 0.33,
and the release notes between them. A feature that appeared between two measured versions without a note saying
where counts from the later one: claiming too little costs speed, claiming too much costs a false proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Version(NamedTuple):
    """A release number; suffixes such as `+ds` or `-rc.1` are dropped."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that `tool` can do from version `since` on, and before version `until` if that is given."""

    name: str
    tool: str
    since: Version
    what: str
    until: Version | None = None

    def holds(self, version: Version) -> bool:
        return self.since <= version and (self.until is None or version < self.until)


CAPABILITIES = (
    Capability("run", "promtool", Version(2, 49), "run only the tests that match: `test rules --run`"),
    Capability("default-interval", "promtool", Version(2, 49), "a test's interval defaults to evaluation_interval"),
    Capability("diff", "promtool", Version(2, 50), "coloured difference of failures: `test rules --diff`"),
    Capability("native-histograms", "promtool", Version(2, 53), "native histograms as input and in exp_samples"),
    Capability("query-offset", "promtool", Version(2, 53), "rule groups with query_offset"),
    Capability("quoted-metric", "promtool", Version(2, 53), 'metric names in quotes: {"my.metric"}'),
    Capability("junit", "promtool", Version(2, 55), "results as JUnit XML: `test rules --junit`"),
    Capability("debug", "promtool", Version(3, 0), "`test rules --debug`"),
    Capability("utf8-labels", "promtool", Version(3, 0), "label names of any UTF-8"),
    Capability("group-labels", "promtool", Version(3, 0), "rule groups with labels"),
    Capability("ignore-unknown", "promtool", Version(3, 2), "`--ignore-unknown-fields`"),
    Capability("fuzzy-compare", "promtool", Version(3, 5), "fuzzy_compare: samples may differ in the last bit"),
    Capability("start-timestamp", "promtool", Version(3, 9), "tests that start at a time of their own"),
    Capability("holt-winters", "promtool", Version(2, 0), "the function holt_winters", until=Version(3, 0)),
    Capability("rules-filter", "prometheus", Version(2, 53), "/api/v1/rules by rule_name[], rule_group[], file[]"),
    Capability("utf8-labels", "prometheus", Version(3, 0), "label names of any UTF-8"),
    Capability("auto-reload", "prometheus", Version(3, 5), "loads changed rule files by itself: auto-reload-config"),
    Capability("utf8-labels", "amtool", Version(0, 28), "UTF-8 and dotted labels in matchers, group_by and equal"),
    Capability("url-files", "amtool", Version(0, 28), "webhook url_file and timeout, discord webhook_url_file"),
    Capability("msteamsv2", "amtool", Version(0, 28), "the msteamsv2 receiver"),
    Capability("http-headers", "amtool", Version(0, 28), "http_config: http_headers, no_proxy, proxy_from_environment"),
    Capability("slack-timeout", "amtool", Version(0, 33), "timeout of slack and pagerduty receivers"),
    Capability("inhibit-name", "amtool", Version(0, 33), "names of inhibit rules"),
    Capability("webhook-payload", "amtool", Version(0, 33), "webhook payload templates"),
    Capability("utf8-labels", "alertmanager", Version(0, 28), "UTF-8 and dotted labels in matchers, group_by, equal"),
    Capability("url-files", "alertmanager", Version(0, 28), "webhook url_file and timeout, discord webhook_url_file"),
    Capability("msteamsv2", "alertmanager", Version(0, 28), "the msteamsv2 receiver"),
    Capability("slack-timeout", "alertmanager", Version(0, 33), "timeout of slack and pagerduty receivers"),
)


def capabilities_of(tool: str, version: Version) -> tuple[Capability, ...]:
    """All that `tool` can do in `version`, in the table's order."""
    return tuple(c for c in CAPABILITIES if c.tool == tool and c.holds(version))
