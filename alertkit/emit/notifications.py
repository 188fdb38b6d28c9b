"""The template files of notifications: a project's own, over those that alertkit brings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from alertkit.compile.messages import MAY_BE_BLANK
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
    from alertkit.template.blank import blanks
    from alertkit.template.notification import check

    texts: dict[str, str] = {}
    optional: set[str] = set()
    spans: dict[str, Span] = {}
    for receiver in routing.receivers:
        for integration in receiver.integrations:
            for path, text in _texts(integration.settings):
                name = f"`{path}` of {integration.kind.removesuffix('_configs')} in `{receiver.name}`"
                if text not in spans:
                    texts[name], spans[text] = text, receiver.span
                    optional |= {name} if path.rpartition(".")[2] in MAY_BE_BLANK else set()

    def place(name: str, offset: int, length: int) -> Span:
        before = templates[name][:offset]
        line, column = before.count("\n") + 1, offset - before.rfind("\n")
        return Span(shown_path(alertmanager / FOLDER / name), line, column, max(1, length))

    mistakes = check(templates, texts, routing.version)
    for mistake in mistakes:
        if mistake.name in texts:
            message, span = f"{mistake.name}: {mistake.message}", spans[texts[mistake.name]]
        else:
            message, span = mistake.message, place(mistake.name, mistake.offset, mistake.length)
        help = "mend it: Alertmanager would drop each message that needs it"
        problems.add("AK520", f"the template is wrong: {message}", span, help)
    for blank in () if mistakes else blanks(templates, {name: texts[name] for name in texts if name not in optional}):
        problems.add(
            "AK521", f"{blank.name} never prints anything",
            place(*blank.place) if blank.place else spans[texts[blank.name]], "give it a text for every alert",
        )  # fmt: skip


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
