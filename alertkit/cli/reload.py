"""`alertkit reload`: apply without asking."""

from __future__ import annotations

from pathlib import Path

import click

from alertkit.cli.deploying import apply_options, run_apply


@click.command("reload")
@apply_options
@click.option("--build", type=click.Path(path_type=Path), help="The compiled build; by default that of the project.")
def command(environment: str, form: str, overwrite: bool, lock_wait: float, build: Path | None) -> None:
    """The same as `alertkit apply --yes`: bring the build into all servers of an environment, or into none.

    Exit codes: 0 loaded and verified, 1 the build is stale, 2 wrong input, 3 a tool, server or disk failed.

    \b
    Examples:
      alertkit compile && alertkit reload --env prod
      alertkit reload --env staging --build build
      alertkit reload --env prod --format json
    """
    run_apply(environment, form, build=build, overwrite=overwrite, lock_wait=lock_wait, yes=True)
