from typing import ClassVar, Literal

from alertkit.kinds.base import Context, KindError, MeasuredKind
from alertkit.kinds.question import Question
from alertkit.kinds.stimulus import Drive, Input, Pieces, Stimulus, level
from alertkit.kinds.wording import humanized
from alertkit.series import Level
from alertkit.spec.duration import Duration, format_duration
from alertkit.spec.quantity import RATIO
from alertkit.spec.selector import Metric

TWO_MINUTES, SIX_HOURS = 120_000, 21_600_000
# The cases of a level last so many times as long as its `for`, at most.
CASES = 8
# A peak below one shows a guard that asks for more than zero.
PEAK = 0.5


class Drawdown(MeasuredKind):
    """A balance has fallen too far below its own peak.

    Parameters
      equity  gauge of the balance or equity, with
      window  how far back the peak is looked for
      metric  or a ready drawdown gauge, in percent or as a ratio (its name or `unit:` tells), instead of the two

    PromQL: `max by (<by>) (1 - <equity> / (max_over_time(<equity>[<window>]) > 0)) > <threshold>`; the value is a
    ratio, so `above: 5%` is 0.05.

    Pitfalls: a peak that is zero or negative has no drawdown and gives no alert, rather than NaN or infinity. A
    withdrawal looks like a loss and a deposit lifts the peak: subtract transfers from the balance where they matter.
    Gaps are harmless, the peak is remembered over them.

    Example
      Drawdown: {kind: drawdown, equity: account_equity_usd, window: 24h, above: {warning: 5%, critical: 10%}}

    Source: M. Magdon-Ismail and A. Atiya, "Maximum drawdown", Risk 17(10), 2004.
    """

    unproven: ClassVar[str] = "for what fires at the peak itself"

    kind: Literal["drawdown"] = "drawdown"
    equity: Metric | None = None
    window: Duration | None = None
    metric: Metric | None = None

    def question(self, context: Context) -> Question:
        if (self.equity is None) == (self.metric is None):
            raise KindError(
                "AK212",
                "give either `equity` with `window`, or a ready `metric`",
                "",
                "for example `equity: balance` and `window: 24h`",
            )
        if self.metric is not None:
            if self.window is not None:
                raise KindError("AK208", "`window` has no effect on a ready drawdown", "window", "remove it")
            metric = self.metric.where(self.where)
            return Question(
                signal=str(metric), identity=self.identity, metric=metric.metric, operations="", inputs=(metric,),
                unit=self.unit_of(metric.metric), worst=True,
            )  # fmt: skip
        assert self.equity is not None
        if self.window is None:
            raise KindError(
                "AK202", "`equity` needs a `window` in which its peak is looked for", "equity", "add `window: 24h`"
            )
        window = format_duration(self.window)
        if self.for_ >= self.window:
            raise KindError(
                "AK314", "`for` is not shorter than the window: the peak is forgotten before the alert can fire", "for",
                f"make it shorter than {window}",
            )  # fmt: skip
        equity = self.equity.where(self.where)
        return Question(
            signal=f"1 - {equity} / (max_over_time({equity}[{window}]) > 0)", identity=self.identity,
            metric=equity.metric, operations=f"drawdown_{window}", inputs=(equity,), unit=RATIO, worst=True,
            range=(0.0, float("inf")), exactly=(0.0, 1.0),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus | None:
        if self.metric is not None:
            metric = self.metric.where(self.where)
            return Stimulus(inputs=(Input(metric),), drive=Drive(level), exact=True, instant=True)
        assert self.equity is not None and self.window is not None
        if self.fires_at(0.0, RATIO):
            return None
        equity = self.equity.where(self.where)
        # Through all cases of each level the peak would be forgotten, so each case has one of its own.
        brief = self.window < max(SIX_HOURS, CASES * len(self.asked(RATIO)) * self.for_)
        return Stimulus(
            inputs=(Input(equity),), drive=Drive(_fallen), rest=0.0,
            relative=True, isolated=brief, prelude=TWO_MINUTES if brief else 0, window=self.window if brief else 0,
            longest=self.window - min(self.window // 4, TWO_MINUTES) if brief else None,
        )  # fmt: skip

    def default_summary(self, alert: str) -> str:
        unit = RATIO if self.metric is None else self.unit_of(self.metric.metric)
        return f"Drawdown is {humanized(unit)}"


def _fallen(share: float) -> Pieces:
    """A gauge that has lost this share of its peak."""
    return (Level(PEAK * (1 - share)),)
