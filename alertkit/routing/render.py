"""Notifications as people will read them, rendered by Alertmanager's own code in amtool.

Neither `amtool check-config` nor a reload reads inline templates; a mistake shows only when Alertmanager drops a
notification or sends an empty one (alertmanager#584, #2677). So every field of every integration is rendered here.
All fields of one integration go through one process, parted by characters that no template prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alertkit.compile.messages import MAY_BE_BLANK
from alertkit.compile.routing import Receiver
from alertkit.source import Problems, Span

Field = tuple[str, ...]
Run = Callable[[Sequence[str]], tuple[int, str, str]]
"""Runs amtool with arguments: exit code, standard output, standard error."""

_MARK = "\x1e"
_PLACE = re.compile(r"template: ([^:\s]+\.tmpl):(\d+)(?::(\d+))?: ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sample:
    """One alert as Alertmanager has it; times are RFC 3339 texts."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str = "2026-01-05T14:30:00Z"
    ends_at: str = "2026-01-05T15:10:00Z"
    generator_url: str = "http://prometheus.example.com:9090/graph?g0.expr=up&g0.tab=1"


@dataclass(frozen=True, slots=True)
class Message:
    """What one integration of a receiver sends: its fields with their rendered text, in the order of the settings."""

    receiver: str
    kind: str
    status: str
    fields: tuple[tuple[Field, str], ...]

    def text(self, *field: str) -> str:
        return dict(self.fields).get(field, "")


def group_data(
    samples: Sequence[Sample], status: str, receiver: str, group_by: Sequence[str], external_url: str
) -> dict[str, Any]:
    """What Alertmanager hands to templates for a group of alerts; `status` is `firing` or `resolved`."""
    firing = status == "firing"
    alerts = [
        {
            "status": status,
            "labels": dict(sample.labels),
            "annotations": dict(sample.annotations),
            "startsAt": sample.starts_at,
            "endsAt": "0001-01-01T00:00:00Z" if firing else sample.ends_at,
            "generatorURL": sample.generator_url,
            "fingerprint": f"{index:016x}",
        }
        for index, sample in enumerate(samples)
    ]
    labels = _common([sample.labels for sample in samples])
    by_all = "..." in group_by
    return {
        "receiver": receiver,
        "status": status,
        "externalURL": external_url,
        "alerts": alerts,
        "groupLabels": {name: value for name, value in labels.items() if by_all or name in group_by},
        "commonLabels": labels,
        "commonAnnotations": _common([sample.annotations for sample in samples]),
    }


def _common(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first = dict(maps[0]) if maps else {}
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in maps)}


def render(
    receiver: Receiver, data: Mapping[str, Any], templates: Path, scratch: Path, run: Run, problems: Problems
) -> list[Message]:
    """What a receiver would send for `data`; a template that fails or renders blank is a problem.

    Of what is resolved, integrations that do not tell it send nothing.

    `templates` is the folder with the template files, `scratch` a folder for the data's file.
    """
    (scratch / "data.json").write_text(json.dumps(data), encoding="utf-8")
    common = [
        "template", "render", f"--template.glob={templates}/*.tmpl", f"--template.data={scratch / 'data.json'}",
    ]  # fmt: skip

    def expand(text: str) -> tuple[int, str, str]:
        return run([*common, f"--template.text={text}"])

    messages = []
    for integration in receiver.integrations:
        if data["status"] == "resolved" and not integration.settings.get("send_resolved", True):
            continue
        fields = list(_texts(integration.settings))
        code, out, _ = expand(_MARK.join(text for _, text in fields))
        parts: list[str] | None = out.split(_MARK)
        if code or len(parts or ()) != len(fields):
            parts = _one_by_one(fields, expand, receiver, templates, problems)
        if parts is None:
            continue
        values = parts
        for (field, template), value in zip(fields, values, strict=True):
            if "{{" in template and not value.strip() and field[-1] not in MAY_BE_BLANK:
                kind = integration.kind.removesuffix("_configs")
                problems.add(
                    "AK521", f"`{'.'.join(field)}` of {kind} in `{receiver.name}` renders to nothing",
                    receiver.span, f"the template is {template}; give it a text for every alert",
                )  # fmt: skip
        names = [field for field, _ in fields]
        messages.append(
            Message(receiver.name, integration.kind, data["status"], tuple(zip(names, values, strict=True)))
        )
    return messages


def _one_by_one(
    fields: Sequence[tuple[Field, str]],
    expand: Callable[[str], tuple[int, str, str]],
    receiver: Receiver,
    templates: Path,
    problems: Problems,
) -> list[str] | None:
    """Each field alone, to say which one is wrong."""
    values = []
    for field, template in fields:
        code, out, error = expand(template)
        if code:
            problems.add(*_mistake(field, error, receiver, templates))
            return None
        values.append(out)
    return values


def _mistake(field: Field, error: str, receiver: Receiver, templates: Path) -> tuple[str, str, Span, str]:
    """amtool's words for a template's mistake as a problem, at the template's line where it is known."""
    text = " ".join(error.replace("amtool: error:", "").split())
    help = "Alertmanager's templates know .Status, .Alerts, .CommonLabels, .CommonAnnotations, .GroupLabels"
    found = _PLACE.search(text)
    if found and (templates / found[1]).exists():
        span = Span(str(templates / found[1]), int(found[2]), int(found[3] or 0) + 1)
        return "AK520", f"the template fails: {found[4]}", span, help
    return "AK520", f"`{'.'.join(field)}` fails: {text}", receiver.span, help


def _texts(settings: Any, path: Field = ()) -> Iterator[tuple[Field, str]]:
    """All texts of an integration that Alertmanager expands; names of files and secrets are left out."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if not key.endswith("_file") and key not in _NEVER:
                yield from _texts(value, (*path, key))
    elif isinstance(settings, (list, tuple)):
        for index, value in enumerate(settings):
            yield from _texts(value, (*path, str(index)))
    elif isinstance(settings, str):
        yield path, settings


_NEVER = frozenset({
    "api_url", "url", "routing_key", "api_key", "auth_password", "webhook_url", "http_config", "smarthost",
    "auth_username",
})  # fmt: skip
