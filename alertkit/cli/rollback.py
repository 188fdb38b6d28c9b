"""`alertkit rollback`: put a build of before into force again."""

from __future__ import annotations

import json

import click

from alertkit.cli.deploying import apply_options, run_apply, this_target


@click.command("rollback")
@apply_options
@click.option("--to", type=click.IntRange(1), metavar="N", help="This kept build; by default the one before.")
@click.option("--list", "listing", is_flag=True, help="Only list the builds that are kept.")
@click.option("--yes", is_flag=True, help="Do not ask (for CI).")
def command(
    environment: str, form: str, overwrite: bool, lock_wait: float, to: int | None, listing: bool, yes: bool
) -> None:
    """Apply a build that was in force before, with plan, confirmation and verification as `apply` does it.

    The last builds are kept beside the rules (`keep:` of the environment says how many). Exit codes as of `apply`.

    \b
    Examples:
      alertkit rollback --env prod
      alertkit rollback --env prod --list
      alertkit rollback --env prod --to 7 --yes
    """
    if not listing:
        run_apply(environment, form, to=to or 0, overwrite=overwrite, lock_wait=lock_wait, yes=yes)
    from alertkit.deploy import State

    target = this_target(environment)
    state = State(target.state) if target.state else None
    kept = state.kept() if state else []
    current = state.current if state else None
    if form == "json":
        rows = [{"number": k.number, "applied": k.applied, "by": k.by, "current": k.number == current} for k in kept]
        click.echo(json.dumps({"environment": environment, "builds": rows}, indent=2))
        return
    for entry in kept:
        mark = "*" if entry.number == current else " "
        click.echo(f"{mark} {entry.number:>4}  {entry.applied}  {entry.by.partition(',')[0]}")
    if not kept:
        click.echo(f"nothing was applied to {environment} yet")
