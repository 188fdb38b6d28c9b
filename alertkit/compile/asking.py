"""Asking an alert's kind for its question and its stimulus: what the kind objects to becomes a located problem."""

from __future__ import annotations

from alertkit.compile.read import Entry
from alertkit.kinds import Context, KindError, Question, Registry, Stimulus
from alertkit.source import Problems

# What a kind says of keys that are missing, have no effect or fit none of its metrics holds whatever the numbers are.
_SURE = frozenset({"AK202", "AK206", "AK207", "AK208", "AK212", "AK310"})


def ask(
    entry: Entry, context: Context, registry: Registry, problems: Problems
) -> tuple[Question, Stimulus | None] | None:
    """The question, and the stimulus where the alert is to be tested; None after a problem."""
    spec = entry.spec
    try:
        question = spec.question(context)
        return question, spec.stimulus(context) if spec.tests == "on" and "tests" not in entry.doubts else None
    except KindError as error:
        for one in (error, *error.more):
            if one.key not in entry.doubts:
                _report(entry, one, problems)
    except Exception as error:
        if not registry.is_plugin(spec.kind):
            raise
        said = f"kind `{spec.kind}` failed: {type(error).__name__}: {error}"
        problems.add("AK214", said, entry.value("kind"), "report it to whoever made that kind")
    return None


def ask_doubtful(entry: Entry, context: Context, registry: Registry, problems: Problems) -> Question | None:
    """The question of an alert of which some numbers could not be read; its labels and metrics do not depend on them.

    Of what the kind objects to, only that is a problem which has nothing to do with those numbers.
    """
    try:
        return entry.spec.question(context)
    except KindError as error:
        for one in (error, *error.more):
            said = f"{one.message} {one.help}"
            sure = one.code in _SURE or one.key == "expr"
            if sure and one.key not in entry.doubts and not any(f"`{key}" in said for key in entry.doubts):
                _report(entry, one, problems)
    except Exception:  # an installed kind need not cope with what it was not told
        if not registry.is_plugin(entry.spec.kind):
            raise
    return None


def _report(entry: Entry, error: KindError, problems: Problems) -> None:
    # What is missing or has no effect is said of the key, all else of its value.
    if error.offset is not None and entry.has(error.key):
        span = entry.within(error.offset, error.length, error.key)
    elif error.item is not None and entry.has(error.key, error.item):
        span = entry.value(error.key, error.item)
    elif error.key and not entry.has(error.key):
        span = entry.key()  # what is wrong is a default
    elif error.key and error.code not in ("AK202", "AK208"):
        span = entry.value(error.key)
    else:
        span = entry.key(*filter(None, [error.key]))
    # A line of `defaults` does not tell which of its alerts is meant.
    whose = f" (alert `{entry.name}`)" if error.key in entry.defaults else ""
    problems.add(error.code, error.message + whose, span, error.help)
