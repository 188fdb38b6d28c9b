"""Back to the old state: after a failure, or after a run that was killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from alertkit.deploy.activate import Expected, OnStep, Step, activate
from alertkit.deploy.build import Build, expected_groups
from alertkit.deploy.files import Change, manifest_names, read
from alertkit.deploy.loaded import LoadedGroup
from alertkit.deploy.nudge import PATIENCE
from alertkit.deploy.plan import RULES_MANIFEST
from alertkit.deploy.state import State
from alertkit.deploy.target import Target
from alertkit.deploy.transaction import Checkpoint, Transaction, from_journal
from alertkit.source import Problems


def old_state(target: Target, changes: Sequence[Change]) -> Expected:
    """What the servers must have once `changes` are taken back; asked before they are made.

    Files that cannot be read as rules (somebody's broken edit) are not expected of anybody.
    """
    files: dict[str, bytes] = {}
    folder = target.rules_dirs[0] if target.rules_dirs else None
    # The manifest of before: on disk there may be the new one already.
    manifest = _old(folder / RULES_MANIFEST, changes) if folder else None
    for name in manifest_names(manifest or b""):
        content = _old(folder / name, changes) if folder else None
        if content is not None:
            files[name] = content
    removed = [c.path.name for c in changes if c.old is None and c.new is not None and c.path.suffix == ".yml"]
    groups: tuple[LoadedGroup, ...] | None = None
    if target.rules_dirs:
        groups = expected_groups(Build(Path(), files, None, {}), Problems())
    file = target.alertmanager_file
    return Expected(groups, tuple(removed), _old(file, changes) if file else None, evaluated=False)


def _old(path: Path, changes: Sequence[Change]) -> bytes | None:
    for change in changes:
        if change.path in (path, path.resolve()):
            return change.old
    try:
        return read(path)
    except OSError:
        return None


def put_back(
    target: Target, state: State, change: Transaction, old: Expected, problems: Problems, on_step: OnStep,
    patience: float = PATIENCE, checkpoint: Checkpoint = lambda name: None,
) -> bool:  # fmt: skip
    """Restore the files of before, let all servers read them, verify; says so, or adds problems (AK729).

    False when a file or a server could not be brought back; then the journal stays, for the next run.
    """
    if not change.undo(problems):
        return False
    checkpoint("restored")
    said = Problems()
    good = activate(target, old, said, lambda step: None, checkpoint, patience, all_of_them=True)
    for problem in dict.fromkeys(said):  # who does not reload cannot be asked either
        problems.add("AK729", f"the old files are back, but not loaded and verified: {problem.message}", problem.span,
                     "files are as before; once the server answers, `alertkit apply` makes sure of it")  # fmt: skip
    servers = [server.shown for server in target.prometheus if old.rules is not None]
    if target.alertmanager is not None and old.alertmanager is not None:
        servers.append(target.alertmanager.shown)
    if good:
        change.close()
        reloaded = f", {' and '.join(servers)} reloaded and verified" if servers else ""
        on_step(Step("restore", "files", f"restored: the files of before are back{reloaded}", {"servers": servers}))
    return good


def recover(
    state: State, target: Target, problems: Problems, on_step: OnStep, patience: float = PATIENCE,
    checkpoint: Checkpoint = lambda name: None,
    elsewhere: Callable[[str, Problems], Target | None] = lambda name, problems: None,
) -> bool:  # fmt: skip
    """Finish or undo what a killed run left; only while the lock is held. False and problems when that fails.

    The run may have been one of another environment that shares the folder: `elsewhere` finds that by its name, since
    its servers are those that took the new files.

    It is finished when everything was verified already, else undone: the old state is the one known to be whole.
    """
    before = len(problems)
    journal = state.read_journal(problems)
    if journal is None:
        if len(problems) == before and state.undo.exists():
            state.close_journal()  # killed before the first file changed
        return len(problems) == before
    by = str(journal.get("by", "another run"))
    name = str(journal.get("environment", target.name))
    if name != target.name:
        by = f"{by} for the environment {name}"
        owner = elsewhere(name, problems)
        if owner is None:
            if len(problems) == before:
                problems.add("AK735", f"the journal {state.journal} is of `{name}`, which shares this folder",
                             help=f"run `alertkit apply --env {name}` where its project is, then this")  # fmt: skip
            return False
        target = owner
    if journal.get("phase") == "recording" and isinstance(journal.get("number"), int):
        try:
            state.set_current(journal["number"], target.keep)
            state.close_journal()
        except OSError as error:
            problems.add("AK726", f"{state.folder} cannot be written: {error.strerror or error}",
                         help="check that the disk is not full")  # fmt: skip
            return False
        on_step(Step("restore", "journal", f"finished what was left by {by}: build {journal['number']} is in force"))
        return True
    change = from_journal(state, target, journal, problems, checkpoint)
    if change is None:
        return False
    on_step(Step("restore", "journal", f"undoing what was left by {by}, which did not end"))
    return put_back(target, state, change, old_state(target, change.changes), problems, on_step, patience, checkpoint)
