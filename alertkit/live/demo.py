"""One fault on its way through real servers: broken, pending, firing, routed, delivered; then healed and resolved."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from alertkit.live.simulator import Actor
from alertkit.live.sink import Received
from alertkit.live.slack_text import as_shown, link_line
from alertkit.live.stack import Stack
from alertkit.source import Problems


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that was seen, `seconds` after the fault or its healing: `word` is broken, pending, firing, routed,
    delivered, healed, inactive or resolved."""

    word: str
    seconds: float
    text: str
    message: Received | None = None


@dataclass
class Journey:
    """The life of one fault; each phase yields what it sees, and raises TimeoutError after `patience` seconds: its
    text says what did not happen."""

    stack: Stack
    actor: Actor
    patience: float = 120.0
    seen: list[Received] = field(default_factory=list)
    on_tick: Callable[[], None] = lambda: None

    def fire(self) -> Iterator[Moment]:
        """Break the system, follow the alert until every receiver has its message."""
        began = time.monotonic()
        value = self.actor.bad()
        self.stack.simulator.break_(self.actor, value)
        yield Moment("broken", 0.0, f"{self.actor.claim.signal} becomes {value:g}")
        state = ""
        for now in self._until(began, lambda: f"Prometheus says {self._state() or 'nothing of it'}, not firing"):
            found = self._state()
            if found and found != state:
                state = found
                yield Moment(state, now - began, f"Prometheus says {state}")
            if state == "firing":
                break
        receivers: list[str] = []
        for now in self._until(began, lambda: "Alertmanager has no such alert"):
            receivers = self._receivers()
            if receivers:
                yield Moment("routed", now - began, f"Alertmanager routes it to {', '.join(receivers)}")
                break
        yield from self._messages(began, "delivered", self.expected(receivers), False)

    def heal(self) -> Iterator[Moment]:
        """Heal the system, follow the alert until every receiver that is told of the end has been told."""
        kinds = sorted({message.kind for message in self.seen})
        before = len(self.stack.sink.messages)
        began = time.monotonic()
        self.stack.simulator.heal(self.actor)
        yield Moment("healed", 0.0, "the signal is healthy again")
        for now in self._until(began, lambda: f"Prometheus still says {self._state()}"):
            if not self._state():
                yield Moment("inactive", now - began, "Prometheus says inactive")
                break
        yield from self._messages(began, "resolved", kinds, True, before)

    def expected(self, receivers: list[str]) -> list[str]:
        """The kinds of messages that these receivers send."""
        import yaml

        config = yaml.safe_load((self.stack.folder / "am" / "alertmanager.yml").read_bytes())
        kinds = {
            key.removesuffix("_configs")
            for receiver in config["receivers"]
            if receiver["name"] in receivers
            for key in receiver
            if key.endswith("_configs")
        }
        return sorted(kinds)

    def _messages(self, began: float, word: str, kinds: list[str], resolved: bool, skip: int = 0) -> Iterator[Moment]:
        missing = set(kinds)
        done: set[int] = set()
        for _ in self._until(began, lambda: f"no message of it was {word} to {' and '.join(sorted(missing))}"):
            for index, message in enumerate(list(self.stack.sink.messages)):
                if index < skip or index in done or not self.about(message) or is_resolved(message) != resolved:
                    continue
                done.add(index)
                missing.discard(message.kind)
                if not resolved:
                    self.seen.append(message)
                yield Moment(word, message.at - began, f"to {shown_place(message)}", message)
            if not missing:
                return

    def about(self, message: Received) -> bool:
        """Whether a message tells of this alert in this system."""
        text = str(message.body)
        return self.actor.alert.name in text and self.actor.system in text

    def _state(self) -> str:
        found = ""
        for group in self.stack.prometheus.rules(Problems()) or ():
            for rule in group.rules if group.name == self.actor.system else ():
                if rule.name == self.actor.alert.name:
                    for alert in rule.active:
                        found = "firing" if "firing" in (alert.state, found) else alert.state
        return found

    def _receivers(self) -> list[str]:
        alerts = self.stack.alertmanager.alerts(Problems(), f'alertname="{self.actor.alert.name}"') or []
        mine = [a for a in alerts if a.get("labels", {}).get("system") == self.actor.system]
        return sorted({r["name"] for alert in mine for r in alert.get("receivers") or ()})

    def _until(self, began: float, otherwise: Callable[[], str]) -> Iterator[float]:
        while True:
            now = time.monotonic()
            yield now
            if now - began > self.patience:
                raise TimeoutError(f"after {self.patience:g} s: {otherwise()}")
            self.on_tick()
            time.sleep(0.1)


def is_resolved(message: Received) -> bool:
    """Whether a message says that the alert is over."""
    body = message.body
    if message.kind == "pagerduty":
        return body.get("event_action") == "resolve"
    if message.kind == "slack":
        return str(_attachment(body).get("title", "")).startswith("[RESOLVED")
    return body.get("status") == "resolved"


def shown_place(message: Received) -> str:
    """Where a message went, in words."""
    body = message.body
    if message.kind == "slack":
        return f"Slack {body.get('channel') or '(its default channel)'}"
    if message.kind == "pagerduty":
        return f"PagerDuty, key from {body.get('routing_key')}, {body.get('event_action')}"
    return "webhook"


def message_lines(message: Received, width: int | None = None) -> list[str]:
    """A message about as its channel shows it; `width` in columns, None for lines of any length."""
    body = message.body
    if message.kind == "slack":
        return _slack_lines(_attachment(body), width)
    if message.kind == "pagerduty":
        payload = body.get("payload") or {}
        lines = [str(payload.get("summary", "incident over")), f"dedup key {str(body.get('dedup_key'))[:16]}..."]
        lines += [f"severity {payload['severity']}"] if payload.get("severity") else []
    else:
        lines = [str(body)[:300]]
    return [part for line in lines for part in _wrapped(line, width)]


def _slack_lines(attachment: dict[str, Any], width: int | None) -> list[str]:
    texts = [f"{attachment.get('title')}   ({attachment.get('color')})", *str(attachment.get("text", "")).split("\n")]
    texts += [f"{f.get('title')}: {f.get('value')}" for f in attachment.get("fields") or ()]
    lines: list[str] = []
    links: dict[str, str] = {}
    for text in texts:
        shown, found = as_shown(text)
        lines += _wrapped(shown, width)
        links |= found
    return lines + [link_line(name, url, width) for name, url in links.items()]


def _wrapped(line: str, width: int | None) -> list[str]:
    return [line] if width is None else textwrap.wrap(line, width) or [""]


def _attachment(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (body.get("attachments") or [{}])[0]
    return found
