from collections.abc import Sequence
from functools import cached_property
from math import ceil
from typing import Literal

from alertkit.kinds.base import Context, Kind, KindError
from alertkit.kinds.question import Comparison, Form, Question, by
from alertkit.kinds.stimulus import Drive, Input, Pieces, Source, Stimulus, level
from alertkit.series import Level
from alertkit.series.example import example_labels
from alertkit.spec import regex
from alertkit.spec.alert import Names, QuantityField
from alertkit.spec.quantity import RATIO, format_number
from alertkit.spec.selector import Matcher, Metric, Selector, contradiction, satisfies

INSTANCES = 20


class Down(Kind):
    """A target, or too many targets of a job, cannot be scraped; or a job has no targets left.

    Parameters
      job    name of a scrape job, or a list of them, or
      up     a selector such as `up{job="api"}` or `up{job=~"api|web"}`
      share  alert only when at least this share of the targets is down, such as 50%

    The identity is `job` and `instance`, with `share` only `job`, unless `by` says otherwise.

    PromQL: `max by (job, instance) (up{job="<job>"} == 0) or absent(up{job="<job>"})`; with a share,
    `sum by (job) (up{job="<job>"} == bool 0) / count by (job) (up{job="<job>"}) >= <share> or ...`.

    Pitfalls: `up == 0` says nothing of a job that has lost all its targets, so `absent` is added for each job. Its
    result carries the job but no instance.

    Example
      ApiDown: {kind: down, job: api, share: 50%, for: 1m, severity: critical}

    Source: Prometheus documentation, "Jobs and instances".
    """

    kind: Literal["down"] = "down"
    job: Names = ()
    up: Metric | None = None
    share: QuantityField | None = None

    @cached_property
    def identity(self) -> tuple[str, ...]:
        if self.by is not None:
            return self.by
        return ("job",) if self.share is not None else ("job", "instance")

    def _selectors(self) -> tuple[Selector, tuple[Selector, ...]]:
        """All targets in one selector, and one selector for each job."""
        if bool(self.job) == (self.up is not None):
            raise KindError("AK212", "give either `job` or `up`", "", "for example `job: api`")
        if self.up is not None:
            every = self.up.where(self.where)
            jobs, others = _listed(every)
        else:
            jobs, others = self.job, self.where
            listed = Matcher("job", "=~", "|".join(map(regex.escape, jobs)))
            every = Selector("up", (listed if len(jobs) > 1 else Matcher("job", "=", jobs[0]),)).where(others)
        single = [Selector(every.metric, (Matcher("job", "=", job),)).where(others) for job in jobs]
        # Of a job that `where` keeps out there is nothing to miss.
        return every, tuple([one for one in single if contradiction(one.matchers) is None]) or (every,)

    def _share(self) -> float | None:
        if self.share is None:
            return None
        share = self.share.in_unit(RATIO)
        if share is None or not 0 < share <= 1:
            raise KindError(
                "AK305", f"`{self.share.text}` is not a share", "share", "write one above 0% and up to 100%"
            )
        return share

    def _check_share(self, every: Selector) -> None:
        """A job scrapes an instance once, so of an instance in a job either all or nothing is down."""
        if "instance" in self.identity and ("job" in self.identity or "job" in every.equalities()):
            raise KindError(
                "AK208", "`share` has no effect by `instance`: each has one target, so 0% or 100% of it is down",
                "share", "leave `instance` out of `by`, or remove `share`",
            )  # fmt: skip

    def question(self, context: Context) -> Question:
        every, single = self._selectors()
        share = self._share()
        if share is None:
            down = by("max", self.identity, f"{every} == 0")
            boundary = Comparison("==", 0.0)
        else:
            self._check_share(every)
            down = (
                f"{by('sum', self.identity, f'{every} == bool 0')} / {by('count', self.identity, str(every))} "
                f">= {format_number(share)}"
            )
            boundary = Comparison(">=", share)
        condition = "\nor\n".join([down, *(f"absent({selector})" for selector in single)])
        return Question(
            signal=str(every), identity=self.identity, metric=every.metric, operations="", inputs=(every,),
            forms=(Form(None, condition, boundary),), range=(0.0, 1.0),
        )  # fmt: skip

    def stimulus(self, context: Context) -> Stimulus:
        _, single = self._selectors()
        watched = single[0]
        gone = tuple(watched.equalities().items())
        leave = tuple(tuple(s.equalities().items()) for s in single[1:])
        share = self._share()
        if share is None:
            # Other jobs stay up, or their absence would be an alert too.
            others = tuple(Source(s, Level(1.0), _target(s, "elsewhere")) for s in single[1:])
            return Stimulus(
                inputs=(Input(watched),), drive=Drive(level), exact=True, instant=True, rest=1.0, inside=1.0, bad=0.0,
                gone=gone, scenery=others, leave=leave,
            )  # fmt: skip
        elsewhere = [(s, _target(s, "elsewhere", self.identity)) for s in single[1:]]
        # Without `job` in the identity the targets of all jobs are counted together; with it, others stay up.
        together, apart = ([], elsewhere) if "job" in self.identity else (elsewhere, [])
        targets = max(INSTANCES, len(single))
        needed = ceil(round(share * targets, 9))
        instances = tuple(
            Input(watched, _target(watched, f"instance-{i:02}", self.identity)) for i in range(targets - len(together))
        )
        return Stimulus(
            inputs=(*(Input(*target) for target in together), *instances),
            drive=Drive(_down, (targets,)),
            instant=True,
            rest=0.0,
            inside=(needed - 1) / targets,
            bad=needed / targets,
            gone=gone,
            scenery=tuple(Source(s, Level(1.0), extra) for s, extra in apart),
            leave=leave,
        )

    def default_summary(self, alert: str) -> str:
        what = "{{ $labels.job }}" if "job" in self.identity else ", ".join(self.job) or "A target"
        if self.share is not None:
            return what + ": too many targets are down"
        where = "".join(f" {{{{ $labels.{label} }}}}" for label in self.identity if label != "job")
        return f"{what} is down" + (f" ({where.strip()})" if where else "")


def _down(share: float, targets: int) -> Pieces:
    """This share of the targets is down."""
    count = round(share * targets)
    return tuple([Level(0.0 if i < count else 1.0) for i in range(targets)])


def _target(selector: Selector, name: str, identity: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """The label of one more target of the selector, in the same identity: an instance of this name, where that and its
    matchers leave room for it."""
    matchers = [m for m in selector.matchers if m.label == "instance"]
    example = (example_labels(matchers) or {}).get("instance", "")
    for instance in (name, f"{example}{name}", f"{example}{name[-2:]}"):
        if "instance" not in identity and all(satisfies(instance, m) for m in matchers):
            return (("instance", instance),)
    label, taken = "target", {*identity, *(m.label for m in selector.matchers)}
    while label in taken:
        label = f"other_{label}"
    return ((label, name),)


def _listed(selector: Selector) -> tuple[Sequence[str], tuple[Matcher, ...]]:
    """The jobs that an alternation names, and the other matchers; none where there is no such list."""
    for matcher in selector.matchers:
        jobs = regex.words(matcher.value) if matcher.label == "job" and matcher.op == "=~" else None
        if jobs and all(jobs):
            return jobs, tuple([m for m in selector.matchers if m is not matcher])
    return (), ()
