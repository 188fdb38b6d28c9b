"""Names in routing files and alerts: receivers, calendars, severities and labels that are there to be named."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from alertkit.compile.receivers import too_old
from alertkit.compile.routing import Matcher, Routable, Version
from alertkit.source import Problems, Span
from alertkit.spec.matchers import is_plain_name
from alertkit.spec.receivers import Receiver
from alertkit.spec.routing import Loaded, all_names, walk
from alertkit.spec.validate import suggest


class NameCheck:
    """Reports each name that nothing has, and label names that the target version does not take."""

    def __init__(
        self,
        files: Sequence[Loaded],
        alerts: Sequence[Routable],
        receivers: Mapping[str, tuple[Receiver, Loaded]],
        severities: Collection[str] | None,
        version: Version,
        problems: Problems,
    ) -> None:
        self.files, self.alerts, self.receivers, self.severities = files, alerts, receivers, severities
        self.version, self.problems = version, problems
        self.known = {section: all_names(files, section) for section in ("receivers", "calendars")}

    def run(self) -> None:
        for loaded in self.files:
            if loaded.file.default is not None:
                self._receiver(loaded.file.default, loaded.value("default"))
            for route, path in walk(loaded.file.routes, "routes"):
                listed = isinstance(loaded.document.data, dict)
                for key, names in (("to", route.to), ("active", route.active), ("mute", route.mute)):
                    check = self._receiver if key == "to" else self._calendar
                    for index, name in enumerate(names):
                        check(name, loaded.value(*path, key, index) if listed else loaded.key(*path))
                for name in route.group_by or ():
                    self._gate(name, loaded.word(name, *path, "group_by"))
                for index, matcher in enumerate(route.match):
                    place = self._matcher_place(loaded, path, index, matcher)
                    self._gate(matcher.label, place)
                    self._severity(matcher, place)
            for name in loaded.file.group_by or ():
                self._gate(name, loaded.word(name, "group_by"))
            for index, entry in enumerate(loaded.file.inhibit):
                for matcher in (*entry.when, *entry.mutes.matches):
                    self._gate(matcher.label, loaded.value("inhibit", index))
                for label in entry.mutes.same:  # 0.27 took such a name in a matcher, but not yet in `equal`
                    self._gate(label, loaded.value("inhibit", index), (0, 28))
        for alert in self.alerts:
            for name in alert.notify:
                self._receiver(name, alert.span)
            for calendar in (alert.active, alert.mute):
                if calendar:
                    self._calendar(calendar, alert.span)
            if alert.heartbeat_receiver:
                self._heartbeat(alert)

    def _matcher_place(self, loaded: Loaded, path: Sequence[str | int], index: int, matcher: Matcher) -> Span:
        raw = loaded.value(*path, "match")
        entry = loaded.value(*path, "match", matcher.label)
        return entry if entry != raw else loaded.value(*path, "match", index)

    def _receiver(self, name: str, span: Span) -> None:
        known = self.known["receivers"]
        if known is not None and name not in known:
            self.problems.add("AK500", f"there is no receiver `{name}`", span, suggest(name, known))

    def _calendar(self, name: str, span: Span) -> None:
        known = self.known["calendars"]
        if known is not None and name not in known:
            self.problems.add("AK513", f"there is no calendar `{name}`", span, suggest(name, known))

    def _severity(self, matcher: Matcher, span: Span) -> None:
        words = self.severities
        if words is None or matcher.label != "severity" or matcher.op not in ("=", "!="):
            return
        if matcher.value and matcher.value not in words:
            self.problems.add(
                "AK517", f"no alert has the severity `{matcher.value}`", span, suggest(matcher.value, words)
            )

    def _gate(self, label: str, span: Span, since: Version = (0, 27)) -> None:
        if label != "..." and not is_plain_name(label) and self.version < since:
            too_old(self.problems, f"the label name `{label}`", since, self.version, span)

    def _heartbeat(self, alert: Routable) -> None:
        name = alert.heartbeat_receiver or ""
        self._receiver(name, alert.span)
        if name in self.receivers:
            spec, loaded = self.receivers[name]
            for kind in sorted(spec.model_fields_set - {"webhook", "opsgenie"}):
                self.problems.add(
                    "AK519", f"the heartbeat `{alert.name}` would reach people through {kind}",
                    loaded.key("receivers", name, kind), "give it a receiver that has only a `webhook`",
                )  # fmt: skip
