from math import sqrt
from typing import ClassVar, Literal

from pydantic import Field

from alertkit.kinds.base import Context, Kind, KindError, gauge
from alertkit.kinds.question import Comparison, Question
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus
from alertkit.series import Level, Zigzag
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.selector import Metric

MINUTE, FIVE_MINUTES = 60_000, 300_000
MEAN = 100.0
# A history that alternates is always one standard deviation from its mean, a little more beside the end of a window.
USUAL = 1.1


class Anomaly(Kind):
    """A gauge is far from its own history, measured in standard deviations.

    Parameters
      metric     the gauge (of a counter, record its rate first)
      window     how much history is compared with
      sigmas     how many standard deviations are too far (default 4)
      season     compare with the same time of day or week: a window around this long ago
      direction  up, down or both (default)

    PromQL: `max by (<by>) (abs((<metric> - avg_over_time(<metric>[<window>] offset <o>)) /
    (stddev_over_time(<metric>[<window>] offset <o>) > 0)) and count_over_time(<metric>[<tenth>] offset <oldest>) > 0)
    > <sigmas>`. The history ends a minute longer than `for` ago (at least 5m), so that an anomaly does not teach itself
    as normal before it has fired.

    Pitfalls: a metric that never moved has no deviation and gives no alert. Without data at the beginning of the
    window it is still warming up and stays silent.

    Example
      FewClients: {kind: anomaly, metric: websocket_clients, window: 6h, sigmas: 4, direction: down, for: 10m}

    Source: V. Chandola et al., "Anomaly detection: a survey", ACM Computing Surveys 41(3), 2009, section 7.1.
    """

    unproven: ClassVar[str] = "for so few sigmas: what is usual is now and then that far from its mean"

    kind: Literal["anomaly"] = "anomaly"
    metric: Metric
    window: Duration
    sigmas: float = Field(4.0, gt=0)
    season: Duration | None = None
    direction: Literal["up", "down", "both"] = "both"

    def _offset(self) -> int:
        """How long ago the history ends."""
        if self.season is None:
            return max(self.for_ + MINUTE, FIVE_MINUTES)
        offset = self.season - self.window // 2
        if offset < max(self.for_, FIVE_MINUTES):
            raise KindError("AK314", "the window reaches from the season into the present", "window", "make it shorter")
        return offset

    def _tenth(self, scrape_interval: int) -> int:
        """The oldest part of the history, without which the alert is still warming up."""
        return max(self.window // 10, 2 * scrape_interval)

    def question(self, context: Context) -> Question:
        metric = gauge(self.metric.where(self.where))
        offset, tenth = self._offset(), self._tenth(context.scrape_interval)
        past = f"{metric}[{format_duration(self.window)}] offset {format_duration(offset)}"
        oldest = f"{metric}[{format_duration(tenth)}] offset {format_duration(offset + self.window - tenth)}"
        score = f"({metric} - avg_over_time({past})) / (stddev_over_time({past}) > 0)"
        score = {"both": f"abs({score})", "up": f"({score})", "down": f"-1 * ({score})"}[self.direction]
        return Question(
            signal=f"{score} and count_over_time({oldest}) > 0", identity=self.identity, metric=metric.metric,
            operations=f"zscore_{format_duration(self.window)}", inputs=(metric,), worst=True,
            fixed=Comparison(">", self.sigmas),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus | None:
        # Sparse history keeps proofs over days cheap; its mean is 100 and its standard deviation 1.
        every = max(self.window // 64, context.scrape_interval)
        # One sample more of either value moves the mean of a few, and their deviation.
        few = max(self.window // every, 2)
        margin = max(0.05, 1 / (few * self.sigmas) + 1 / few**2)
        inside = self.sigmas * (1 - margin)
        if inside <= max(USUAL, sqrt((few + 1) / (few - 1))):
            return None
        metric, sign = self.metric.where(self.where), -1 if self.direction == "down" else 1
        offset = self._offset()
        return Stimulus(
            inputs=(Input(metric),), drive=Drive(_deviating, (sign, every)), rest=0.0, margin=margin, drifts=True,
            isolated=True, relative=True, prelude=offset + self.window + every, longest=offset,
            inside=inside, bad=self.sigmas * (1 + margin), window=self._tenth(context.scrape_interval),
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        return f"{self.metric.metric} is {{{{ $value | humanize }}}} standard deviations from its usual value"


def _deviating(score: float, sign: int, every: int) -> Pieces:
    """A gauge so many standard deviations off its mean; at 0 it makes the history that this is measured by."""
    return (Zigzag(MEAN - 1, MEAN + 1, 0, every) if score == 0.0 else Level(MEAN + sign * score),)
