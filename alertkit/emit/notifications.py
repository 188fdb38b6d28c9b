"""The template files of notifications: a project's own, over those that alertkit brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from alertkit.compile.route_tree import DEFAULT_TEMPLATES
from alertkit.compile.routing import Routing
from alertkit.source import Problems, Span
from alertkit.spec.project import read_text, shown_path

FOLDER = "templates"


def default_template() -> str:
    """The text of alertkit's own templates."""
    return files("alertkit.emit").joinpath(FOLDER, DEFAULT_TEMPLATES).read_text(encoding="utf-8")


def template_files(alertmanager: Path, problems: Problems) -> dict[str, str]:
    """Name -> text of the files for `build/templates/`, in the order in which Alertmanager reads them.

    `alertmanager` is the project's folder of that name. A file of the project's named like alertkit's replaces it;
    others come after it, so that what they define again holds.
    """
    found = {DEFAULT_TEMPLATES: default_template()}
    folder = alertmanager / FOLDER
    for path in sorted(folder.glob("*.tmpl")) if folder.is_dir() else ():
        text = read_text(path, problems)
        if text is not None:
            found[path.name] = text.replace("\r\n", "\n")
    return found


def check_templates(alertmanager: Path, templates: dict[str, str], routing: Routing, problems: Problems) -> None:
    """Report what is wrong in template files and in the templates of receivers, as far as it shows without a run."""
    from alertkit.template.notification import check

    texts: dict[str, str] = {}
    spans: dict[str, Span] = {}
    for receiver in routing.receivers:
        for integration in receiver.integrations:
            for path, text in _texts(integration.settings):
                name = f"`{path}` of {integration.kind.removesuffix('_configs')} in `{receiver.name}`"
                if text not in spans:
                    texts[name], spans[text] = text, receiver.span
    for mistake in check(templates, texts, routing.version):
        if mistake.name in texts:
            message, span = f"{mistake.name}: {mistake.message}", spans[texts[mistake.name]]
        else:
            before = templates[mistake.name][: mistake.offset]
            line, column = before.count("\n") + 1, mistake.offset - before.rfind("\n")
            shown = shown_path(alertmanager / FOLDER / mistake.name)
            message, span = mistake.message, Span(shown, line, column, max(1, mistake.length))
        problems.add("AK520", f"the template is wrong: {message}", span, "`alertkit render ALERT` shows the result")


def _texts(settings: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The templates among an integration's settings."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            yield from _texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(settings, (list, tuple)):
        for value in settings:
            yield from _texts(value, path)
    elif isinstance(settings, str) and "{{" in settings:
        yield path, settings
