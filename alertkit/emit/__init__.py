"""From the ruleset to plain files: Prometheus rules, Alertmanager configuration, promtool tests."""
