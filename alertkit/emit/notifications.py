"""The template files of notifications: a project's own, over those that alertkit brings."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from alertkit.compile.route_tree import DEFAULT_TEMPLATES
from alertkit.source import Problems
from alertkit.spec.project import read_text

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
