"""A classic histogram whose quantile comes out at a chosen value, over given buckets."""

from __future__ import annotations

from collections.abc import Sequence


def shares(quantile: float, value: float, bounds: Sequence[float]) -> tuple[float, ...] | None:
    """For each bound the share of observations at or below it, so that `histogram_quantile(quantile)` is `value`.

    Prometheus interpolates linearly in the bucket that holds the quantile (promql/quantile.go, `bucketQuantile`). None
    when no histogram with these buckets can show `value`: beyond the highest bound, or too near to 0.
    """
    top = next((i for i, bound in enumerate(bounds) if value <= bound), None)
    if top is None:
        return None
    low, high = (bounds[top - 1] if top else 0.0), bounds[top]
    inside = (value - low) / (high - low)
    below = max(0.0, (quantile - inside) / (1.0 - inside)) if inside < 1.0 else quantile / 2
    if top == 0:
        if inside < quantile:
            return None
        below = 0.0
    upper = below + (quantile - below) / inside
    result = []
    for i, bound in enumerate(bounds):
        if i < top:
            # Evenly spread below the bucket that matters.
            result.append(below * bound / low)
        else:
            result.append(min(upper, 1.0) if i == top else 1.0)
    return tuple(result)


def mean(share: Sequence[float], bounds: Sequence[float]) -> float:
    """The mean of observations that lie in the middle of their buckets; those above the last lie on it."""
    total, before, low = 0.0, 0.0, 0.0
    for part, bound in zip(share, bounds, strict=True):
        total += (part - before) * (low + bound) / 2
        before, low = part, bound
    return total + (1.0 - before) * low
