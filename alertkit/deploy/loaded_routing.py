"""An `alertmanager.yml`, of whatever origin, as a tree that the router can walk, and what differs between two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from alertkit.compile.routing import Matcher, Route
from alertkit.deploy.compare import Difference
from alertkit.routing.router import Router
from alertkit.spec.matchers import parse_matcher

_SECRET = ("url", "key", "password", "secret", "token", "credentials")
_PARTS = (("receivers", "name"), ("time_intervals", "name"), ("mute_time_intervals", "name"))


@dataclass(frozen=True, slots=True)
class AlertmanagerConfig:
    """The parsed file, and its routes ready for questions (None: they use something that cannot be read here)."""

    data: Mapping[str, Any]
    router: Router | None


def read_config(text: str | bytes) -> AlertmanagerConfig | None:
    """None when it is no YAML mapping."""
    import yaml

    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    try:
        router = Router(_route(data["route"]))
    except (KeyError, TypeError, ValueError, AttributeError, PydanticCustomError, RecursionError):
        router = None
    return AlertmanagerConfig(data, router)


def _route(data: Mapping[str, Any]) -> Route:
    return Route(
        data.get("receiver"), tuple(_matchers(data)), tuple(_route(child) for child in data.get("routes") or ()),
        bool(data.get("continue")), tuple(data["group_by"]) if data.get("group_by") is not None else None,
        _time(data.get("group_wait")), _time(data.get("group_interval")), _time(data.get("repeat_interval")),
        tuple(data.get("active_time_intervals") or ()), tuple(data.get("mute_time_intervals") or ()),
    )  # fmt: skip


def _matchers(data: Mapping[str, Any]) -> Iterator[Matcher]:
    for text in data.get("matchers") or ():
        yield parse_matcher(text)
    for label, value in (data.get("match") or {}).items():
        yield Matcher(str(label), "=", str(value))
    for label, value in (data.get("match_re") or {}).items():
        yield Matcher(str(label), "=~", str(value))


def _time(text: Any) -> int | None:
    from alertkit.spec.duration import parse_duration

    return None if text is None else parse_duration(str(text))


def differences(old: Mapping[str, Any], new: Mapping[str, Any], exact: bool) -> list[Difference]:
    """What differs outside the routes. Not `exact`: `old` is as Alertmanager prints it, with defaults, no secrets."""
    found: list[Difference] = []
    for key, name in _PARTS:
        olds = {entry.get(name): entry for entry in old.get(key) or ()}
        news = {entry.get(name): entry for entry in new.get(key) or ()}
        word = key.removesuffix("s").replace("_", " ")
        for entry in dict.fromkeys([*olds, *news]):
            if entry not in news:
                found.append(Difference(f"{word} {entry}", "", "", "removed"))
            elif entry not in olds:
                found.append(Difference(f"{word} {entry}", "", "", "added"))
            else:
                found += _entries(f"{word} {entry}", olds[entry], news[entry], exact)
    for key in ("global", *(("templates",) if exact else ())):
        if key in new:
            found += _entries(key, old.get(key), new[key], exact)
        elif exact and key in old:
            found.append(Difference(key, "", "", "removed"))
    ones, others = ([_inhibition(rule) for rule in data.get("inhibit_rules") or ()] for data in (old, new))
    found += [Difference("inhibition", text, "", "removed") for text in ones if text not in others]
    found += [Difference("inhibition", "", text, "added") for text in others if text not in ones]
    return found


def _entries(place: str, old: Any, new: Any, exact: bool) -> list[Difference]:
    if isinstance(new, dict) and isinstance(old, dict):
        found = []
        for key in new if not exact else dict.fromkeys([*old, *new]):
            found += _entries(f"{place} {key}".replace("_configs", ""), old.get(key), new.get(key), exact)
        return found
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return [d for one, other in zip(old, new, strict=True) for d in _entries(place, one, other, exact)]
    if not exact and "_file" in place and str(old).endswith(str(new)):
        return []  # Alertmanager prints relative paths as absolute ones
    if old == new or (old == "<secret>") or (not old and not new) or (not exact and _text(old) == _text(new)):
        return []
    if "_file" not in place and any(word in place for word in _SECRET):
        return [Difference(place, "(not shown)", "(not shown)")]
    change = "changed" if _text(old) and _text(new) else "added" if _text(new) else "removed"
    return [Difference(place, _text(old), _text(new), change)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        value = ", ".join(str(item) for item in value)
    text = " ".join(str(value).split()) if value is not None else ""
    return text if len(text) <= 80 else text[:77] + "..."


def _inhibition(rule: Mapping[str, Any]) -> str:
    """One inhibition in words; Alertmanager prints matchers and lists in its own way, so both are read first."""

    def side(which: str) -> str:
        texts = [parse_matcher(text) for text in rule.get(f"{which}_matchers") or ()]
        texts += [Matcher(str(k), "=", str(v)) for k, v in (rule.get(f"{which}_match") or {}).items()]
        texts += [Matcher(str(k), "=~", str(v)) for k, v in (rule.get(f"{which}_match_re") or {}).items()]
        return ", ".join(sorted(str(m) for m in texts))

    try:
        equal = ", ".join(sorted(rule.get("equal") or ()))
        return f"{side('source')} mutes {side('target')}{f' with the same {equal}' if equal else ''}"
    except (PydanticCustomError, TypeError, AttributeError):
        return str(rule)
