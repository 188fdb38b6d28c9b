"""alertkit: alert specs in, proven Prometheus rules and Alertmanager routing out."""

__version__ = "0.1.0"
