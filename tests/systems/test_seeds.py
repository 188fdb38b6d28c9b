"""The five shipped systems say what their operators' documents say.

`STATED` holds every alert that a document states, `METRICS` every metric that one names, both copied from the
documents and not from the specs. A stated alert is compared as a syntax tree with records put in, so neither the
wording nor the way it was compiled matters, but every number does.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from alertkit.compile.ruleset import Alert, Rule, System
from alertkit.compile.settings import Settings
from alertkit.compile.system import compile_system
from alertkit.kinds import Registry
from alertkit.promql import Expr, metric_names, parse, selectors, transform
from alertkit.promql.tree import Binary, Paren, Selector
from alertkit.source import Problems, load
from alertkit.source.problem import draw_all

RULES = Path(__file__).parents[2] / "rules_src"
MINUTE, HOUR = 60_000, 3_600_000
TEAMS = {
    "spark_stacker": "spark", "trading_platform": "execution", "crypto_stock": "market-data",
    "autonomous_trader": "trading", "peak_trade": "trading",
}  # fmt: skip


@functools.cache
def compiled(name: str) -> System:
    path = RULES / f"{name}.yaml"
    problems = Problems()
    document = load(path.read_text(encoding="utf-8"), path.name, problems)
    system = compile_system(document, path.name, Registry(), Settings(), problems) if document else None
    assert system is not None and not problems, draw_all(problems)
    return system


@dataclass(frozen=True)
class Stated:
    """One alert of a document: `expr` is its meaning, `for_` None where the document leaves it open."""

    system: str
    alert: str
    expr: str
    for_: int | None = None
    severity: str | None = None


STATED = (
    # 000: "Connection status (1=up, 0=down)" of Hyperliquid and Coinbase
    Stated("spark_stacker", "ExchangeDisconnected",
           'max by (exchange) (spark_stacker_exchange_connection_status{exchange="hyperliquid"} == 0)'),
    Stated("spark_stacker", "ExchangeDisconnected",
           'max by (exchange) (spark_stacker_exchange_connection_status{exchange="coinbase"} == 0)'),
    Stated("spark_stacker", "NoMarkets", "max by (exchange) (spark_stacker_market_count == 0)"),
    # 001, "Set Up Alerts"
    Stated("trading_platform", "PipelineFailureRate",
           '(sum(rate(pipeline_executions_total{status!="completed"}[5m])) '
           "or 0 * sum(rate(pipeline_executions_total[5m]))) / sum(rate(pipeline_executions_total[5m])) > 0.1"),
    Stated("trading_platform", "ServiceDown",
           'max by (job, instance) (up{job=~"backend|celery-worker|signal-generator|trigger-dispatcher"} == 0)'
           ' or absent(up{job="backend"}) or absent(up{job="celery-worker"})'
           ' or absent(up{job="signal-generator"}) or absent(up{job="trigger-dispatcher"})'),
    Stated("trading_platform", "KafkaConsumerLag",
           "max by (group, topic) (kafka_consumergroup_group_lag_seconds) > 1"),
    Stated("trading_platform", "HighExecutionLatency",
           "histogram_quantile(0.95, sum by (le, job) (rate(pipeline_execution_duration_seconds_bucket[5m]))) > 10"),
    # 002, "Alert Rules"; there without a sum, so that collectors of one exchange are not added up
    Stated("crypto_stock", "HighErrorRate",
           "sum by (exchange, instance) (rate(collector_errors_total[5m])) > 10", 5 * MINUTE, "warning"),
    Stated("crypto_stock", "CircuitBreakerOpen",
           "max by (component) (circuit_breaker_state == 1)", 2 * MINUTE, "critical"),
    Stated("crypto_stock", "LowDataQuality", "min by (symbol) (data_quality_score) < 0.8", 10 * MINUTE, "warning"),
    # 003, "Alerting" and "Custom Queries"
    Stated("autonomous_trader", "CloudTraderDown",
           'max by (job, instance) (up{job="cloud-trader"} == 0) or absent(up{job="cloud-trader"})'),
    Stated("autonomous_trader", "HighLeverage", "max(trading_portfolio_leverage) > 3"),
    Stated("autonomous_trader", "LowLLMConfidence", "min(avg_over_time(trading_llm_confidence[1h])) < 0.6"),
    Stated("autonomous_trader", "RiskLimitBreached",
           "sum((max_over_time(trading_risk_limits_breached[5m]) unless"
           " last_over_time(trading_risk_limits_breached[1h] offset 5m))"
           " or increase(trading_risk_limits_breached[5m])) > 0"),
    Stated("autonomous_trader", "RedisDown", "max by (instance) (redis_up == 0)"),
    # 004, "Active Alerts"
    Stated("peak_trade", "CircuitBreakerOpen", "max by (name) (peak_circuit_breaker_state == 2)", 1 * MINUTE),
    Stated("peak_trade", "ServiceUnhealthy", "max by (service) (peak_health_check_status == 0)", 2 * MINUTE),
    Stated("peak_trade", "HighLatency",
           "histogram_quantile(0.95, sum by (le) (rate(peak_request_duration_seconds_bucket[5m]))) > 1", 5 * MINUTE),
    Stated("peak_trade", "LowCacheHitRate",
           "(sum(rate(peak_cache_hits_total[10m])) or 0 * sum(rate(peak_cache_misses_total[10m]))) / "
           "((sum(rate(peak_cache_hits_total[10m])) or 0 * sum(rate(peak_cache_misses_total[10m]))) + "
           "(sum(rate(peak_cache_misses_total[10m])) or 0 * sum(rate(peak_cache_hits_total[10m])))) < 0.5",
           10 * MINUTE),
    Stated("peak_trade", "HighMemoryUsage", "max(peak_memory_usage_mb) > 2000", 5 * MINUTE),
)  # fmt: skip

# Every metric that a document names, with the labels it shows for it (of a histogram, its base name).
METRICS = {
    "spark_stacker": {
        "spark_stacker_exchange_connection_status": ("exchange",),
        "spark_stacker_connection_errors_total": ("exchange", "error_type"),
        "spark_stacker_websocket_ping_latency_ms": ("exchange",),
        "spark_stacker_account_balance": ("exchange", "currency"),
        "spark_stacker_market_count": ("exchange",),
    },
    "trading_platform": {
        "up": ("job",), "pipeline_executions_total": (), "pipeline_execution_duration_seconds": (),
        "signals_generated_total": (), "kafka_publish_success_total": (), "kafka_publish_failure_total": (),
        "pipelines_enqueued_total": (), "pipelines_matched_total": (), "batch_size_sum": (), "batch_size_count": (),
    },
    "crypto_stock": {
        "trades_received_total": ("exchange",), "collector_errors_total": ("exchange",),
        "websocket_reconnections_total": (), "collector_status": (), "last_trade_timestamp": (),
        "bars_completed_total": (), "bar_completion_duration_seconds": ("symbol", "timeframe"),
        "indicator_calculation_duration_seconds": (), "features_calculated_total": (),
        "feature_calculation_duration_seconds": (), "db_queries_total": (), "db_query_duration_seconds": (),
        "db_connection_pool_size": (), "db_connections_available": (), "cache_hits_total": (),
        "cache_misses_total": (), "cache_size_bytes": (), "http_requests_total": ("endpoint",),
        "http_request_duration_seconds": (), "websocket_connections": (), "websocket_messages_sent_total": (),
        "rate_limit_exceeded_total": (), "circuit_breaker_state": ("component",),
        "circuit_breaker_transitions_total": (), "circuit_breaker_failures_total": (),
        "data_quality_score": ("symbol",), "data_quality_checks_total": (), "data_anomalies_detected_total": (),
    },
    "autonomous_trader": {
        "trading_portfolio_balance": (), "trading_position_size": (), "trading_llm_confidence": (),
        "trading_decisions_total": (), "trading_portfolio_leverage": (), "trading_drawdown_percent": (),
        "trading_risk_limits_breached": (), "up": ("job",), "redis_connected_clients": (),
        "trading_llm_inference_duration_seconds": (),
    },
    "peak_trade": {
        "peak_circuit_breaker_state": ("name",), "peak_retry_attempts_total": ("operation",),
        "peak_health_check_status": ("service",), "peak_request_duration_seconds": (),
        "peak_backtest_duration_seconds": (), "peak_orders_total": ("symbol",), "peak_pnl_usd": ("strategy",),
        "peak_position_size": ("symbol",), "peak_cache_hits_total": (), "peak_cache_misses_total": (),
        "peak_api_calls_total": ("provider",), "peak_cpu_usage_percent": (), "peak_memory_usage_mb": (),
    },
}  # fmt: skip

# Every scrape job whose loss must be noticed.
JOBS = {
    "spark_stacker": ["log-metrics"],
    "trading_platform": ["backend", "celery-worker", "signal-generator", "trigger-dispatcher"],
    "crypto_stock": ["prometheus", "api", "collectors", "processor", "timescaledb", "redis", "node"],
    "autonomous_trader": ["cloud-trader", "wallet-orchestrator", "deepseek-llm", "redis-exporter", "node-exporter"],
    "peak_trade": ["peak-trade"],
}


def _bare(expr: Expr) -> Expr:
    return transform(expr, lambda node: node.expr if isinstance(node, Paren) else node)


def meaning(system: System, expr: str) -> Expr:
    """The syntax tree without parentheses, every record replaced by what it records."""
    records = {record.name: record.expr for record in system.records}

    def put_in(node: Expr) -> Expr:
        if isinstance(node, Selector) and node.name in records:
            assert not node.matchers and not node.offset
            return meaning(system, records[node.name])
        return node

    return _bare(transform(parse(expr), put_in))


def _alerts(system: System) -> dict[str, list[Alert]]:
    found: dict[str, list[Alert]] = {}
    for alert in system.alerts:
        found.setdefault(alert.name, []).append(alert)
    return found


def _rules(system: System, name: str) -> list[Rule]:
    return [rule for alert in _alerts(system).get(name, []) for rule in alert.rules]


def _read(system: System, alert: Alert) -> set[str]:
    """The metrics that an alert reads in the end; of histograms their base names too."""
    names = {name for rule in alert.rules for name in metric_names(meaning(system, rule.expr))}
    return names | {re.sub(r"_bucket$", "", name) for name in names}


@pytest.mark.parametrize("stated", STATED, ids=lambda s: f"{s.system}-{s.alert}")
def test_a_stated_alert_comes_out_with_its_meaning(stated: Stated) -> None:
    system = compiled(stated.system)
    wanted = _bare(parse(stated.expr))
    rules = _rules(system, stated.alert)
    same = [rule for rule in rules if meaning(system, rule.expr) == wanted]
    assert len(same) == 1, "\n".join([f"none means {stated.expr}:", *(rule.expr for rule in rules)])
    rule = same[0]
    assert stated.for_ is None or rule.for_ == stated.for_
    assert stated.severity is None or rule.severity == stated.severity


@pytest.mark.parametrize("stated", STATED, ids=lambda s: f"{s.system}-{s.alert}")
def test_the_comparison_would_notice_another_number(stated: Stated) -> None:
    """The comparison of trees above is not blind: with any one number changed, the rule no longer matches."""
    numbers = list(re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?=[mh]\]|\Z|\s|\)|,)", stated.expr))
    changed = [
        stated.expr[: n.start()] + str(round(float(n[0]) + 1, 6)).removesuffix(".0") + stated.expr[n.end() :]
        for n in numbers
    ]
    system = compiled(stated.system)
    meanings = [meaning(system, rule.expr) for rule in _rules(system, stated.alert)]
    assert changed or "absent" in stated.expr
    assert all(_bare(parse(other)) not in meanings for other in changed)


@pytest.mark.parametrize(
    ("name", "metric", "labels"),
    [(system, metric, labels) for system, of in METRICS.items() for metric, labels in of.items()],
)
def test_every_documented_metric_is_watched_by_its_labels(name: str, metric: str, labels: tuple[str, ...]) -> None:
    system = compiled(name)
    watching = [a for a in system.alerts if not a.companion and metric in _read(system, a)]
    assert watching, f"no alert reads {metric}"
    assert any(set(labels) <= set(alert.identity or ()) for alert in watching), f"{metric} loses {labels}"


@pytest.mark.parametrize("name", METRICS)
def test_nothing_reads_a_misspelt_metric(name: str) -> None:
    """A metric with the documents' own prefix is one that they, or the exporter they name, have."""
    prefixes = {"spark_stacker": "spark_stacker_", "autonomous_trader": "trading_", "peak_trade": "peak_"}
    undocumented = {"spark_stacker_service_status", "spark_stacker_build_info"}
    system = compiled(name)
    read = {metric for alert in system.alerts for metric in _read(system, alert)}
    own = {m for m in read if name in prefixes and m.startswith(prefixes[name]) and not m.endswith("_bucket")}
    assert own <= set(METRICS[name]) | undocumented
    assert name not in prefixes or own


@pytest.mark.parametrize(("name", "job"), [(system, job) for system, jobs in JOBS.items() for job in jobs])
def test_the_loss_of_a_job_is_noticed(name: str, job: str) -> None:
    system = compiled(name)
    for alert in system.alerts:
        expr = meaning(system, alert.rules[0].expr)
        uses = [u.selector for u in selectors(expr) if u.selector.name == "up"]
        gone = any(m.label == "job" and m.op == "=" and m.value == job for s in uses for m in s.matchers)
        if gone and "absent" in alert.rules[0].expr:
            assert any(
                re.fullmatch(m.value, job) for s in uses for m in s.matchers if m.label == "job" and m.op in ("=~", "=")
            )
            return
    pytest.fail(f"no alert watches up{{job={job!r}}} and its absence")


def test_slo_burn_rates_fire_at_the_factors_of_the_workbook() -> None:
    """95% leaves a budget of 5%: 14.4 times that is 72%, 6 times 30%, once 5%."""
    system = compiled("trading_platform")
    for name, metric in (
        ("PipelineSuccessBudget", "pipeline_executions_total"),
        ("KafkaPublishBudget", "kafka_publish_success_total"),
    ):
        rules = {rule.severity: rule for rule in _rules(system, name)}
        assert set(rules) == {"warning", "critical"}
        limits = {s: set(re.findall(r"> (0\.\d+)", rule.expr)) for s, rule in rules.items()}
        assert limits == {"critical": {"0.72", "0.3"}, "warning": {"0.05"}}
        assert metric in set(metric_names(meaning(system, rules["critical"].expr)))


@pytest.mark.parametrize(
    ("system", "alert", "unit", "limits"),
    [
        ("spark_stacker", "HighPingLatency", "spark_stacker_websocket_ping_latency_ms", {500.0, 2000.0}),  # 500ms, 2s
        ("peak_trade", "HighMemoryUsage", "peak_memory_usage_mb", {2000.0, 3000.0}),
        ("autonomous_trader", "HighDrawdown", "trading_drawdown_percent", {5.0, 10.0}),
        ("trading_platform", "HighExecutionLatency", "pipeline_execution_duration_seconds_bucket", {10.0, 30.0}),
    ],
)
def test_units_are_those_of_the_metric(system: str, alert: str, unit: str, limits: set[float]) -> None:
    of = compiled(system)
    found = set()
    for rule in _rules(of, alert):
        expr = meaning(of, rule.expr)
        assert unit in set(metric_names(expr))
        while isinstance(expr, Binary) and expr.op == "or":
            expr = expr.left
        assert isinstance(expr, Binary) and expr.op == ">"
        found.add(expr.right.value)  # type: ignore[union-attr]
    assert found == limits


@pytest.mark.parametrize("name", TEAMS)
def test_every_alert_can_be_read_at_three_in_the_morning(name: str) -> None:
    system = compiled(name)
    assert system.name == name and system.team == TEAMS[name]
    for alert in system.alerts:
        for rule in alert.rules:
            assert rule.severity in ("info", "warning", "critical")
            assert dict(rule.labels)["team"] == TEAMS[name]
            notes = dict(rule.annotations)
            assert len(notes["summary"]) > 15
            if alert.companion:
                continue
            assert notes["runbook_url"] == f"https://runbooks.example.com/{name}/{alert.name}"
            # Of a target that is down the alert's name may say which, and the instance is not known when all are gone.
            known = {"job", "instance"} if any(m == "up" for m in metric_names(parse(rule.expr))) else set()
            missing = [label for label in alert.identity or () if f"$labels.{label} " not in notes["summary"]]
            assert set(missing) <= known, (alert.name, missing)


def test_the_dead_mans_switch_exists_once() -> None:
    rules = [rule for name in TEAMS for alert in compiled(name).alerts for rule in alert.rules]
    assert [rule.alert for rule in rules if rule.expr == "vector(1)"] == ["Watchdog"]


def test_stock_prices_may_rest_while_the_exchange_is_closed_but_crypto_may_not() -> None:
    calendars = {a.name: a.active for name in TEAMS for a in compiled(name).alerts if a.active}
    assert calendars == {"StockLastTradeStale": "us_equities"}
    assert [a.active for a in _alerts(compiled("crypto_stock"))["LastTradeStale"]] == [None]
