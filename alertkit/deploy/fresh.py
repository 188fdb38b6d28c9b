"""Whether the project's build is what its sources say, so that nobody deploys what was written last week."""

from __future__ import annotations

from pathlib import Path

from alertkit.build.last import Last
from alertkit.source import Problems
from alertkit.spec.project import Project, shown_path

_MOST_SHOWN = 3


def up_to_date(project: Project, build: Path | None, problems: Problems) -> bool:
    """Whether a compile would leave everything that is deployed as it is; else a problem (AK739), or those of specs.

    Not asked of another `build` that was named, nor where the sources are not: a machine that only deploys.
    """
    if build is not None or not project.specs.is_dir() or not project.build.is_dir():
        return True
    if Last(project.root, "compile", repr(None)).result() is not None:
        return True
    from alertkit.build import compile_project

    found = compile_project(project, problems, write=False)
    if found is None:
        return False
    rows = [row for row in found.stale if not row.startswith("tests/")]
    if not rows:
        return True
    shown = shown_path(project.build)
    said = ", ".join(rows[:_MOST_SHOWN]) + (f" and {len(rows) - _MOST_SHOWN} more" if len(rows) > _MOST_SHOWN else "")
    problems.add("AK739", f"the build in `{shown}` is not what the specs say now: {said}",
                 help=f"run `alertkit compile`; `--build {shown}` takes the build as it is")  # fmt: skip
    return False
