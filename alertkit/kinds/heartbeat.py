from typing import ClassVar, Literal

from alertkit.kinds.base import Context, Kind, KindError
from alertkit.kinds.question import Question
from alertkit.kinds.stimulus import Drive, Pieces, Stimulus


class Heartbeat(Kind):
    """The dead man's switch: an alert that always fires, so that its silence shows that alerting itself is broken.

    Parameters
      receiver  the receiver that watches for it (a service that calls people when it stops hearing from you)

    PromQL: `vector(1)`.

    Pitfalls: it is routed alone, repeats often and never reaches people; the compiler sees to that.

    Example
      Watchdog: {kind: heartbeat, receiver: deadman, severity: info}

    Source: Prometheus documentation, "Alerting", metamonitoring.
    """

    label_advice: ClassVar[str] = ""
    without_defaults: ClassVar[frozenset[str]] = frozenset({"by", "where", "missing"})

    kind: Literal["heartbeat"] = "heartbeat"
    receiver: str

    def question(self, context: Context) -> Question:
        given = [name for name in ("by", "where") if getattr(self, name)] + ["missing"] * (self.missing == "alert")
        if given:
            raise KindError("AK208", f"`{given[0]}` has no effect on a heartbeat", given[0], "remove it")
        return Question(signal="vector(1)", identity=(), metric="", operations="", inputs=(), bare=True)

    def stimulus(self, context: Context) -> Stimulus:
        return Stimulus(inputs=(), drive=Drive(_nothing), rest=0.0, always=True)

    def default_summary(self, alert: str) -> str:
        return "Alerting works; this alert fires for as long as it does"


def _nothing(value: float) -> Pieces:
    return ()
