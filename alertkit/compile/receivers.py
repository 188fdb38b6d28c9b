"""Receivers: integrations with the defaults of the files, in Alertmanager's words, gated by its version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alertkit.compile import messages
from alertkit.compile.routing import Integration, Receiver, Version
from alertkit.source import Problems, Span
from alertkit.spec.receivers import (
    INTEGRATIONS,
    Defaults,
    Email,
    MsTeams,
    Opsgenie,
    PagerDuty,
    Slack,
    Webhook,
    is_local,
)
from alertkit.spec.receivers import Receiver as ReceiverSpec
from alertkit.spec.routing import Loaded

# Integration or field -> the version from which it works.
SINCE: dict[str, Version] = {"webhook.url_file": (0, 26), "msteams": (0, 28)}

Settings = dict[str, Any]


def compile_receiver(
    name: str,
    spec: ReceiverSpec,
    loaded: Loaded,
    shared: Sequence[Defaults],
    version: Version,
    ping: bool,
    problems: Problems,
) -> Receiver:
    """One receiver; `shared` are the `defaults:` that it has, the nearest first.

    `ping`: only heartbeats come here, so of a webhook it is enough to be called.
    """
    integrations: list[Integration] = []
    for kind in INTEGRATIONS:
        for index, own in enumerate(getattr(spec, kind)):
            entry = own
            for defaults in shared:
                entry = _merged(entry, getattr(defaults, kind))
            raw = loaded.document.data["receivers"][name][kind]
            span = loaded.key("receivers", name, kind, *([index] if isinstance(raw, list) else []))
            gate = SINCE.get(kind)
            if gate and version < gate:
                too_old(problems, kind, gate, version, span)
                continue
            built = _BUILD[kind](entry, version, ping, span, problems)
            if built:
                integrations.append(built)
    return Receiver(name, tuple(integrations), loaded.key("receivers", name))


def too_old(problems: Problems, what: str, since: Version, version: Version, span: Span) -> None:
    """Report what the target version does not have."""
    wanted, target = ".".join(map(str, since)), ".".join(map(str, version))
    problems.add(
        "AK512", f"{what} works from Alertmanager {wanted} on, and this is compiled for {target}", span,
        f'if all your Alertmanagers are that new, write `alertmanager_version: "{wanted}"` into alertkit.yaml '
        f"(for once: `--alertmanager-version {wanted}`), or do without it",
    )  # fmt: skip


def _merged(own: Any, base: Any) -> Any:
    """The entry with defaults under it; a secret of its own, file or inline, replaces the default's."""
    given = {name: getattr(own, name) for name in own.model_fields_set}
    below = {name: getattr(base, name) for name in base.model_fields_set}
    for pair in (("webhook_file", "webhook"), ("routing_key_file", "routing_key"), ("url_file", "url"),
                 ("password_file", "password"), ("api_key_file", "api_key")):  # fmt: skip
        if any(name in given for name in pair):
            below = {name: value for name, value in below.items() if name not in pair}
    return type(own).model_construct(**{**below, **given})


def _missing(problems: Problems, what: str, key: str, span: Span) -> None:
    problems.add("AK504", f"{what} needs `{key}`", span, f"add `{key}:` here or under `defaults:`")


def _either(
    problems: Problems, what: str, pair: tuple[str, str], theirs: tuple[str, str], entry: Any, span: Span
) -> Settings:
    """The setting of a secret: the file's name, or the inline value where that is allowed."""
    file, inline = (getattr(entry, name) for name in pair)
    if file and inline:
        problems.add("AK504", f"{what} has both `{pair[0]}` and `{pair[1]}`", span, "keep one of the two")
    if not file and not inline:
        _missing(problems, what, pair[0], span)
    return {theirs[0]: file} if file else {theirs[1]: inline}


def _common(entry: Any, resolved: bool) -> Settings:
    return {"send_resolved": resolved if entry.send_resolved is None else entry.send_resolved}


def _slack(entry: Slack, version: Version, ping: bool, span: Span, problems: Problems) -> Integration:
    secret = _either(problems, "slack", ("webhook_file", "webhook"), ("api_url_file", "api_url"), entry, span)
    if not entry.channel:
        _missing(problems, "slack", "channel", span)
    # What Alertmanager's own templates would give is set here: Debian's packages read them from the host, where
    # another version's may lie.
    settings = {
        **_common(entry, True), **secret, "channel": entry.channel,
        "username": entry.username or "Alertmanager", **({"icon_emoji": entry.icon_emoji} if entry.icon_emoji else {}),
        **messages.SLACK,
    }  # fmt: skip
    return Integration("slack_configs", settings)


def _pagerduty(entry: PagerDuty, version: Version, ping: bool, span: Span, problems: Problems) -> Integration:
    pair = ("routing_key_file", "routing_key")
    settings = {**_common(entry, True), **_either(problems, "pagerduty", pair, pair, entry, span)}
    if entry.url:
        settings["url"] = entry.url
    settings |= messages.PAGERDUTY
    if entry.component:
        settings["component"] = entry.component
    return Integration("pagerduty_configs", settings)


def _webhook(entry: Webhook, version: Version, ping: bool, span: Span, problems: Problems) -> Integration | None:
    if entry.url_file and version < SINCE["webhook.url_file"]:
        if not ping:
            too_old(problems, "`url_file` of a webhook", SINCE["webhook.url_file"], version, span)
            return None
        # A watchdog service counts requests and does not read them; Slack's integration has always posted to a URL
        # that stands in a file.
        return Integration("slack_configs", {
            **_common(entry, False), "api_url_file": entry.url_file, "channel": "", "username": "Alertmanager",
            **messages.PING,
        })  # fmt: skip
    secret = _either(problems, "webhook", ("url_file", "url"), ("url_file", "url"), entry, span)
    settings = {**_common(entry, not ping), **secret}
    if entry.max_alerts is not None:
        settings["max_alerts"] = entry.max_alerts
    if entry.credentials_file:
        settings["http_config"] = {"authorization": {"type": "Bearer", "credentials_file": entry.credentials_file}}
        if entry.url and entry.url.startswith("http:") and not is_local(entry.url):
            problems.add("AK503", "the token would be sent without encryption", span, "use https:// in `url`")
    return Integration("webhook_configs", settings)


def _email(entry: Email, version: Version, ping: bool, span: Span, problems: Problems) -> Integration:
    for key, value in (("to", entry.to), ("from", entry.from_), ("smarthost", entry.smarthost)):
        if not value:
            _missing(problems, "email", key, span)
    settings: Settings = {
        **_common(entry, True), "to": entry.to, "from": entry.from_, "smarthost": entry.smarthost,
    }  # fmt: skip
    if entry.username:
        pair, theirs = ("password_file", "password"), ("auth_password_file", "auth_password")
        settings |= {"auth_username": entry.username, **_either(problems, "email", pair, theirs, entry, span)}
    if entry.require_tls is not None:
        settings["require_tls"] = entry.require_tls
    return Integration("email_configs", settings | messages.EMAIL)


def _opsgenie(entry: Opsgenie, version: Version, ping: bool, span: Span, problems: Problems) -> Integration:
    pair = ("api_key_file", "api_key")
    settings = {**_common(entry, True), **_either(problems, "opsgenie", pair, pair, entry, span)}
    if entry.url:
        settings["api_url"] = entry.url
    settings |= messages.OPSGENIE
    if entry.priority:
        settings["priority"] = entry.priority
    if entry.team:
        settings["responders"] = [{"name": entry.team, "type": "team"}]
    return Integration("opsgenie_configs", settings)


def _msteams(entry: MsTeams, version: Version, ping: bool, span: Span, problems: Problems) -> Integration:
    theirs = ("webhook_url_file", "webhook_url")
    secret = _either(problems, "msteams", ("webhook_file", "webhook"), theirs, entry, span)
    return Integration("msteamsv2_configs", {**_common(entry, True), **secret, **messages.MSTEAMS})


_Builder = Callable[[Any, Version, bool, Span, Problems], Integration | None]
_BUILD: Mapping[str, _Builder] = {
    "slack": _slack, "pagerduty": _pagerduty, "webhook": _webhook, "email": _email, "opsgenie": _opsgenie,
    "msteams": _msteams,
}  # fmt: skip
