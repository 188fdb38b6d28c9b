"""Who is told of an alert, when, on which path through the tree, and what mutes it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alertkit.compile.routing import InhibitRule, Matcher, Routing
from alertkit.routing.mutes import Calendar, Inhibitor, Muted
from alertkit.routing.router import Labels, Node, Router
from alertkit.spec.matchers import quote, quote_name


@dataclass(frozen=True, slots=True)
class Told:
    """One receiver that a route notifies. `silenced` says why it does not at the asked moment (None: it does)."""

    node: Node
    silenced: str | None

    @property
    def receiver(self) -> str:
        return self.node.receiver


@dataclass(frozen=True, slots=True)
class Answer:
    """`muted` is the inhibition by what was said to fire; it silences all receivers.

    `free` are labels of unknown value, `depends` those of them that the routes look at; `mutable` the rules that would
    mute it if something fired.
    """

    labels: Labels
    told: tuple[Told, ...]
    muted: Muted | None
    mutable: tuple[InhibitRule, ...]
    depends: tuple[str, ...]
    free: tuple[str, ...] = ()

    @property
    def notified(self) -> list[str]:
        """Names of the receivers that get a message, in order, each once."""
        return list(dict.fromkeys(self.messages))

    @property
    def messages(self) -> list[str]:
        """The same with a name for each message: a receiver that two routes name gets two."""
        return [] if self.muted else [told.receiver for told in self.told if told.silenced is None]


class Oracle:
    """Answers for one routing."""

    def __init__(self, routing: Routing) -> None:
        self.routing = routing
        self.router = Router(routing.root)
        self.inhibitor = Inhibitor(routing.inhibit_rules)
        self.calendar = Calendar(routing)
        self._asked = {m.label for node in self.router.nodes for m in node.route.matchers}

    def answer(
        self,
        labels: Labels,
        at: datetime.datetime | None = None,
        firing: Iterable[Labels] = (),
        free: Iterable[str] = (),
    ) -> Answer:
        """`at` is an aware moment (None: calendars are not looked at); `firing` other alerts at that time.

        The labels named in `free` are there with a value that is not known; a `?` in `firing` is that same value.
        """
        present = {**labels, **dict.fromkeys(free, "?")}
        told = tuple(
            Told(node, self.calendar.silences(node, at) if at else None) for node in self.router.routes(labels)
        )
        return Answer(
            labels,
            told,
            self.inhibitor.muted(present, firing),
            tuple(self.inhibitor.possible(present)),
            tuple(sorted(self._asked & set(free))),
            tuple(sorted(free)),
        )

    def narrower(self, labels: Labels, firing: Iterable[Labels], free: Iterable[str]) -> str:
        """An alert with some labels of `free` given, as it is shown, that one of `firing` mutes; "" if there is none.

        For an alert with these labels that none of them mutes as it is; see `answer`.
        """
        present, others = {**labels, **dict.fromkeys(free, "?")}, list(firing)
        if self.inhibitor.muted(present, others):
            return ""
        for other in others:
            shared = {name: other[name] for name in sorted(free) if other.get(name, "?") != "?"}
            if shared and self.inhibitor.muted({**present, **shared}, [other]):
                return shown_labels({"alertname": labels.get("alertname", ""), **shared})
        return ""


def shown_labels(labels: Mapping[str, str], free: Iterable[str] = ()) -> str:
    """`Name{label="value", other=?}`, sorted, without the name among the labels."""
    name = labels.get("alertname", "")
    texts = {key: quote(value) for key, value in labels.items() if key != "alertname"} | dict.fromkeys(free, "?")
    return f"{name}{{{', '.join(f'{quote_name(key)}={text}' for key, text in sorted(texts.items()))}}}"


def shown_matchers(matchers: Iterable[Matcher]) -> str:
    return ", ".join(str(matcher) for matcher in matchers) or "everything"
