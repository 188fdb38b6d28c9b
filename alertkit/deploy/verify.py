"""Whether a server has loaded exactly the rules of a build, and if not, what differs.

Expressions are compared only when the caller knows how (`same_query`): servers print them in their own way.
Source: Prometheus HTTP API, /api/v1/rules; the file of a group is the server's path, so only its name is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from alertkit.deploy.loaded import LoadedGroup, LoadedRule
from alertkit.spec.duration import format_duration

SameQuery = Callable[[str, str], bool]


def differences(
    wanted: Sequence[LoadedGroup],
    loaded: Sequence[LoadedGroup],
    *,
    rules_dir: Path | None = None,
    removed: Collection[str] = (),
    same_query: SameQuery | None = None,
) -> list[str]:
    """One sentence for each difference; none when exactly `wanted` is loaded.

    Groups of files that alertkit does not own are nobody's business; `removed` are names of files that must no
    longer be loaded. A file of the same name in another folder counts only when there is none in `rules_dir`.
    """
    names = {group.file for group in wanted} | set(removed)
    ours = by_place([g for g in loaded if PurePosixPath(g.file).name in names], rules_dir)
    found: list[str] = []
    for group in wanted:
        there = ours.pop((group.file, group.name), None)
        if there is None:
            found.append(f"group {group.name} of {group.file} is not loaded")
        else:
            found += [f"{text} in group {group.name}" for text in _group(group, there, same_query)]
    found += [f"group {name} of {file} is still loaded" for file, name in sorted(ours)]
    return found


def by_place(groups: Iterable[LoadedGroup], rules_dir: Path | None) -> dict[tuple[str, str], LoadedGroup]:
    """By file and group name; a file of that name in another folder counts only when `rules_dir` has none loaded."""
    here = {str(rules_dir), str(rules_dir.resolve())} if rules_dir else set()
    groups = list(groups)
    exact = {PurePosixPath(g.file).name for g in groups if str(PurePosixPath(g.file).parent) in here}
    return {
        (name, g.name): g
        for g in groups
        if (name := PurePosixPath(g.file).name) not in exact or str(PurePosixPath(g.file).parent) in here
    }


def _group(wanted: LoadedGroup, loaded: LoadedGroup, same_query: SameQuery | None) -> list[str]:
    found: list[str] = []
    if wanted.interval and wanted.interval != loaded.interval:
        found.append(f"the interval is {_time(loaded.interval)}, not {_time(wanted.interval)}")
    rest = list(loaded.rules)
    pairs: list[tuple[LoadedRule, LoadedRule]] = []
    # Rules of one name are told apart by their labels: the severities of one alert.
    for closeness in (_same_labels, _same_name):
        taken = {id(pair[0]) for pair in pairs}
        for rule in wanted.rules:
            match = next((r for r in rest if id(rule) not in taken and closeness(rule, r)), None)
            if match is not None:
                pairs.append((rule, match))
                rest.remove(match)
    paired = {id(rule) for rule, _ in pairs}
    for rule in wanted.rules:
        if id(rule) not in paired:
            found.append(f"{_called(rule)} is not loaded")
    found += [f"{_called(rule)} is loaded, but not in the build" for rule in rest]
    order = {id(rule): index for index, rule in enumerate(wanted.rules)}
    for rule, there in sorted(pairs, key=lambda pair: order[id(pair[0])]):
        found += [f"{_called(rule)}: {text}" for text in _rule(rule, there, same_query)]
    if not found and [id(r) for _, r in sorted(pairs, key=lambda p: order[id(p[0])])] != [id(r) for r in loaded.rules]:
        found.append("the rules stand in another order")
    return found


def _same_labels(one: LoadedRule, other: LoadedRule) -> bool:
    return _same_name(one, other) and dict(one.labels) == dict(other.labels)


def _same_name(one: LoadedRule, other: LoadedRule) -> bool:
    return (one.kind, one.name) == (other.kind, other.name)


def _rule(wanted: LoadedRule, loaded: LoadedRule, same_query: SameQuery | None) -> list[str]:
    found: list[str] = []
    for word, want, have in (
        ("for", wanted.for_, loaded.for_),
        ("keep_firing_for", wanted.keep_firing_for, loaded.keep_firing_for),
    ):
        if want != have:
            found.append(f"{word} is {_time(have)}, not {_time(want)}")
    found += _mapping("label", wanted.labels, loaded.labels)
    found += _mapping("annotation", wanted.annotations, loaded.annotations)
    if same_query is not None and not same_query(wanted.query, loaded.query):
        found.append(f"the expression is {_short(loaded.query)}, not {_short(wanted.query)}")
    return found


def _mapping(word: str, wanted: Mapping[str, str], loaded: Mapping[str, str]) -> list[str]:
    found = []
    for key in sorted({*wanted, *loaded}):
        want, have = wanted.get(key), loaded.get(key)
        if want == have or (not want and not have):
            continue
        if have is None:
            found.append(f"{word} {key} is missing")
        else:
            found.append(f"{word} {key} is {_short(have)}, {'not ' + _short(want) if want is not None else 'not none'}")
    return found


def _called(rule: LoadedRule) -> str:
    severity = rule.labels.get("severity")
    return f"{'alert' if rule.kind == 'alerting' else 'record'} {rule.name}{f' ({severity})' if severity else ''}"


def _time(milliseconds: int) -> str:
    return format_duration(milliseconds)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"
