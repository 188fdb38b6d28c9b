"""Files that somebody wrote to be read, and that are not: an alert that never comes, a test that never runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alertkit.source import Problems, Span
from alertkit.source.yaml_files import below, subfolders, wrongly_named
from alertkit.spec.project import Project
from alertkit.spec.root import shown_path


def overlooked(
    project: Project, folder: Path, problems: Problems, counts: Callable[[Path], bool] = lambda path: True
) -> None:
    """Report YAML that is passed over in a folder of the project; of what is in subfolders, only what `counts`."""
    for path in wrongly_named(folder):
        problems.add(
            "AK115", f"this file is not read, as its name ends with `{path.suffix}`", Span(shown_path(path), 1, 1),
            f"rename it to `{path.stem}{path.suffix.lower()}`",
        )  # fmt: skip
    for top in subfolders(folder):
        # These have a meaning of their own, wherever they are; and a link may lead to where it came from.
        own = (project.specs, project.specs / "kinds", project.tests, project.alertmanager, project.build)
        apart = {*(path.resolve() for path in own), *folder.resolve().parents}
        found = [path for path in below(top, apart) if counts(path)]
        if found:
            more = f", like {len(found) - 1} more below `{top.name}/`" if len(found) > 1 else ""
            problems.add(
                "AK115", f"this file is not read, as it is in a subfolder{more}", Span(shown_path(found[0]), 1, 1),
                f"move it to `{shown_path(folder)}/` itself, or out of it; what begins with a dot is left alone",
            )  # fmt: skip
