"""Receivers of the routing file: who is told, and through which integrations.

Every field is optional here, because the file's `defaults:` may give it; what must be there in the end is checked by
the compiler. A secret is the name of a file; an inline one is refused before its text could get into any message.
Source: Alertmanager documentation, "Configuration", receiver integration settings.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from alertkit.spec.validate import Model, field_names

INTEGRATIONS = ("slack", "pagerduty", "webhook", "email", "opsgenie", "msteams")


def _inline(value: Any, info: ValidationInfo) -> str:
    """An inline secret: only where the file allows it; its text never gets into a message."""
    name = info.field_name or "secret"
    if not (info.context or {}).get("insecure_inline_secrets"):
        instead = {"webhook": "webhook_file", "url": "url_file"}.get(name, f"{name}_file")
        raise PydanticCustomError(
            "AK503", "a secret stands in `{name}`",
            {"name": name, "help": f"put it into a file that only Alertmanager reads, and name that: `{instead}:`"},
        )  # fmt: skip
    if not isinstance(value, str) or not value.strip():
        raise PydanticCustomError("AK503", "`{name}` must be text", {"name": name, "help": "put it in quotes"})
    return value


def _file(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PydanticCustomError(
            "AK504", "this must be the path of a file", {"help": "write a path that the Alertmanager host has"}
        )
    if "://" in value or "\n" in value:
        raise PydanticCustomError(
            "AK503", "a secret stands where a file's name belongs",
            {"help": "put it into a file that only Alertmanager reads, and give the path of that file"},
        )  # fmt: skip
    return value


def _channel(value: Any) -> str:
    """Slack: `#channel`, `@person`, an id (C024BE91L), or a template."""
    text = value if isinstance(value, str) else ""
    if re.match(r"[#@]\S+\Z", text) or re.match(r"[CGDU][A-Z0-9]{7,}\Z", text) or "{{" in text:
        return text
    shown = text or "nothing"
    raise PydanticCustomError(
        "AK505", "`{shown}` is not a Slack channel",
        {"shown": shown, "help": f'write "#{text}" in quotes: YAML takes a bare # for a comment' if text
         else 'write "#name" in quotes: YAML takes a bare # for a comment'},
    )  # fmt: skip


def _url(value: str) -> str:
    if not re.match(r"https?://[^/\s]+", value):
        raise PydanticCustomError("AK504", "this is not a URL", {"help": "write http://host/ or https://host/"})
    if re.match(r"https?://[^/\s]*@", value):
        raise PydanticCustomError("AK503", "a secret stands in the URL", {"help": "take user and password out of it"})
    return value


def _address(value: str) -> str:
    if not re.match(r"[^@\s]+:\d+\Z", value):
        raise PydanticCustomError(
            "AK504", "`{value}` is not host:port", {"value": value, "help": "write it like mail.example.com:587"}
        )
    return value


Inline = Annotated[str | None, BeforeValidator(_inline)]
SecretFile = Annotated[str | None, BeforeValidator(_file)]
Channel = Annotated[str | None, BeforeValidator(_channel)]
Url = Annotated[str, AfterValidator(_url)]
Address = Annotated[str, AfterValidator(_address)]


class Integration(Model):
    """What every integration has."""

    send_resolved: bool | None = None


class Slack(Integration):
    """A message in Slack; `webhook_file` holds the URL of an incoming webhook."""

    channel: Channel = None
    webhook_file: SecretFile = None
    webhook: Inline = None
    username: str | None = None
    icon_emoji: str | None = None


class PagerDuty(Integration):
    """An incident in PagerDuty; `routing_key_file` holds the key of an Events API v2 integration."""

    routing_key_file: SecretFile = None
    routing_key: Inline = None
    url: Url | None = None
    component: str | None = None


class Webhook(Integration):
    """Alertmanager's own JSON, posted to a URL.

    `url_file` holds a URL that is a secret (Alertmanager 0.26 or newer). `url` is a URL without one, and stands beside
    `credentials_file`, the bearer token for it.
    """

    url_file: SecretFile = None
    url: str | None = None
    credentials_file: SecretFile = None
    max_alerts: Annotated[int, Field(ge=0, le=2**32)] | None = None

    @field_validator("url", mode="before")
    @classmethod
    def _secret_url(cls, value: Any, info: ValidationInfo) -> Any:
        """A URL without `credentials_file` beside it carries its secret in itself, or has none to protect."""
        allowed = (info.context or {}).get("insecure_inline_secrets")
        if isinstance(value, str) and is_local(value):
            return _url(value)
        if allowed:
            return _inline(value, info)
        if isinstance(value, str) and _harmless(value):
            return _url(value)
        return _inline(value, info)


def is_local(url: str) -> bool:
    """Whether a URL stays on the Alertmanager's own machine."""
    return re.match(r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(/|\Z)", url) is not None


def _harmless(url: str) -> bool:
    """Whether a URL shows its whole text to be no secret: no user, no query, no part that looks like a token."""
    found = re.match(r"https?://[^/@?#\s]+(/[^?#\s]*)?\Z", url)
    parts = [part for part in ((found and found[1]) or "").split("/") if part]
    return found is not None and all(re.match(r"([a-z_-]{1,24}|v\d{1,2})\Z", part) for part in parts)


class Email(Integration):
    """A mail; `smarthost` is host:port of the relay, `password_file` holds the password of `username` there."""

    to: str | None = None
    from_: str | None = Field(default=None, alias="from")
    smarthost: Address | None = None
    username: str | None = None
    password_file: SecretFile = None
    password: Inline = None
    require_tls: bool | None = None


class Opsgenie(Integration):
    """An alert in Opsgenie or a service with its API; `api_key_file` holds the key of an API integration."""

    api_key_file: SecretFile = None
    api_key: Inline = None
    url: Url | None = None
    priority: Literal["P1", "P2", "P3", "P4", "P5"] | None = None
    team: str | None = None


class MsTeams(Integration):
    """A card in Microsoft Teams (Alertmanager 0.28 or newer); `webhook_file` holds the URL of a workflow."""

    webhook_file: SecretFile = None
    webhook: Inline = None


def _several(value: Any) -> Any:
    if not isinstance(value, (dict, list)):
        raise PydanticCustomError(
            "AK203", "expected a mapping",
            {"help": "write its settings as a mapping, like `slack: {channel: \"#alerts\"}`"},
        )  # fmt: skip
    return [value] if isinstance(value, dict) else value


_Many = BeforeValidator(_several)


class Receiver(Model):
    """Somebody who is told: each key is one integration, or a list of several of that kind."""

    slack: Annotated[list[Slack], _Many] = Field(default_factory=list)
    pagerduty: Annotated[list[PagerDuty], _Many] = Field(default_factory=list)
    webhook: Annotated[list[Webhook], _Many] = Field(default_factory=list)
    email: Annotated[list[Email], _Many] = Field(default_factory=list)
    opsgenie: Annotated[list[Opsgenie], _Many] = Field(default_factory=list)
    msteams: Annotated[list[MsTeams], _Many] = Field(default_factory=list)

    @model_validator(mode="after")
    def _some_integration(self) -> Receiver:
        if not any(getattr(self, name) for name in INTEGRATIONS):
            raise PydanticCustomError(
                "AK508", "the receiver has no integration, so nobody would be told",
                {"help": f"add one of {', '.join(INTEGRATIONS)}", "at": "key"},
            )  # fmt: skip
        return self


class Defaults(Model):
    """What the integrations of all receivers share unless they say otherwise."""

    slack: Slack = Slack()
    pagerduty: PagerDuty = PagerDuty()
    webhook: Webhook = Webhook()
    email: Email = Email()
    opsgenie: Opsgenie = Opsgenie()
    msteams: MsTeams = MsTeams()


SETTINGS = frozenset(
    key for model in (Slack, PagerDuty, Webhook, Email, Opsgenie, MsTeams) for key in field_names(model)
)
