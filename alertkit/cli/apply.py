"""`alertkit apply`: put the build into running servers, all or nothing."""

from __future__ import annotations

from pathlib import Path

import click

from alertkit.cli.deploying import apply_options, run_apply, verbose_option


@click.command("apply")
@apply_options
@click.option("--build", type=click.Path(path_type=Path), help="The compiled build; by default that of the project.")
@verbose_option
@click.option("--yes", is_flag=True, help="Do not ask (for CI).")
def command(
    environment: str, form: str, overwrite: bool, lock_wait: float, build: Path | None, yes: bool, verbose: bool
) -> None:
    """Show the plan, ask, then bring the build into all servers of an environment, or into none.

    Files are written aside and swapped, servers reloaded, and their API must say that exactly the planned rules and
    routing are loaded and evaluate without errors for one interval. Otherwise the old files come back and are
    verified again. What a killed run left is finished or undone first. It does not compile, and refuses a build
    that is older than its specs unless --build names it.

    Exit codes: 0 loaded and verified, 1 the build is stale, 2 wrong input, 3 a tool, server or disk failed.

    \b
    Examples:
      alertkit compile && alertkit apply --env prod
      alertkit apply --env prod --yes
      alertkit apply --env prod --lock-wait 5m --yes --format json
    """
    run_apply(environment, form, build=build, overwrite=overwrite, lock_wait=lock_wait, yes=yes, verbose=verbose)
