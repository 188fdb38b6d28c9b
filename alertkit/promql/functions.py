"""What the tree has to know of PromQL's functions, aggregations and keywords, and since which version they load.

Source: measured with `promtool check rules` 2.42, 2.53 and 3.5 without feature flags; the flags from Prometheus'
documentation, "Feature flags".
"""

from __future__ import annotations

from typing import Final

Version = tuple[int, int]
OLDEST: Final[Version] = (2, 42)
"""The oldest server that output must load on."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS: Final = _words(
    """
    abs absent absent_over_time acos acosh asin asinh atan atanh avg_over_time ceil changes clamp clamp_max clamp_min
    cos cosh count_over_time day_of_month day_of_week day_of_year days_in_month deg delta deriv exp floor
    histogram_avg histogram_count histogram_fraction histogram_quantile histogram_stddev histogram_stdvar
    histogram_sum hour idelta increase irate label_join label_replace last_over_time ln log10 log2 max_over_time
    min_over_time minute month pi predict_linear present_over_time quantile_over_time rad rate resets round scalar
    sgn sin sinh sort sort_desc sqrt stddev_over_time stdvar_over_time sum_over_time tan tanh time timestamp vector
    year
    """
)
SCALAR_FUNCTIONS: Final = frozenset({"pi", "scalar", "time"})

AGGREGATIONS: Final = _words("sum avg min max count group stddev stdvar topk bottomk quantile count_values")
WITH_PARAM: Final = frozenset({"topk", "bottomk", "quantile", "count_values"})

# Loads from this version on; every function that is not here loads everywhere.
SINCE: Final[dict[str, Version]] = {
    "histogram_avg": (2, 53),
    "histogram_stddev": (2, 53),
    "histogram_stdvar": (2, 53),
}

_FLAG = "works only behind the server's flag `promql-experimental-functions`"
REFUSED: Final[dict[str, str]] = {
    **dict.fromkeys(("sort_by_label", "sort_by_label_desc", "mad_over_time"), f"needs Prometheus 2.53 and {_FLAG}"),
    **dict.fromkeys(
        (
            "info", "limitk", "limit_ratio", "double_exponential_smoothing", "ts_of_min_over_time",
            "ts_of_max_over_time", "ts_of_last_over_time",
        ),
        f"needs Prometheus 3.0 and {_FLAG}",
    ),
    **dict.fromkeys(
        (
            "first_over_time", "ts_of_first_over_time", "histogram_quantiles", "start_timestamp", "max_of", "min_of",
            "start", "end", "range", "step", "fill", "fill_left", "fill_right",
        ),
        "needs a Prometheus newer than 3.5",
    ),
    "holt_winters": "is gone since Prometheus 3.0",
}  # fmt: skip

SET_WORDS: Final = frozenset({"and", "or", "unless"})
OPERATOR_WORDS: Final = frozenset({"and", "or", "unless", "atan2"})
GROUPING_WORDS: Final = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
# As a metric's name these are read as something else by one version or another: print them as a matcher.
RESERVED: Final = (
    AGGREGATIONS | OPERATOR_WORDS | GROUPING_WORDS
    | {"bool", "offset", "inf", "nan", "start", "end", "step", "range", "limitk", "limit_ratio", "fill", "fill_left",
       "fill_right", "smoothed", "anchored", "info", "min_of", "max_of"}
)  # fmt: skip


def since(name: str, version: Version) -> str | None:
    """Why a rule with this function or aggregation does not load on `version`; None when it does."""
    if name in REFUSED:
        return f"`{name}` {REFUSED[name]}"
    first = SINCE.get(name, OLDEST)
    if version < first:
        return f"`{name}` needs Prometheus {first[0]}.{first[1]}"
    return None
