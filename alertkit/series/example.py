"""Example label values: the shortest honest answer to "which series would this selector match?"."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import chain, islice, permutations, product

from alertkit.spec.selector import Matcher, Selector, satisfies

# An example need not be longer; nested counts would make gigabytes.
LONGEST = 128
# So many pairs of examples are tried one behind the other.
MOST_JOINED = 256


def example_labels(matchers: Iterable[Matcher]) -> dict[str, str] | None:
    """Labels that satisfy all `matchers`; None when no example was found."""
    wanted: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        wanted.setdefault(matcher.label, []).append(matcher)
    labels = {}
    for label, group in wanted.items():
        value = _example(tuple(group))
        if value is None:
            return None
        if value:
            labels[label] = value
    return labels


@lru_cache(maxsize=2048)
def _example(matchers: tuple[Matcher, ...]) -> str | None:
    patterns = [m.value for m in matchers if m.op == "=~"]
    members = [_members(pattern) for pattern in patterns]
    simple = [m.value for m in matchers if m.op == "="]
    simple += [*chain(*members), matchers[0].label, "x", "other", "0", "200", ""]
    # Where `x.*` is not to be `x`, and for `x.*` that is also `.*y`.
    longer = chain(*(_members(pattern, True) for pattern in patterns))
    joined = islice((a + b for one, other in permutations(members, 2) for a, b in product(one, other)), MOST_JOINED)
    for candidate in chain(simple, longer, joined):
        if all(satisfies(candidate, m) for m in matchers):
            return candidate
    return None


_ATOM = re.compile(
    r"\\[dwsDWS.]|\\.|\[\^?\]?[^\]]*\]|\(\?[a-zA-Z]+\)|\((?:\?[a-zA-Z]*:)?|\)|\||[*+?]|\{\d+(?:,\d*)?\}|.", re.DOTALL
)
_CLASSES = {r"\d": "0", r"\w": "a", r"\s": " ", r"\D": "a", r"\W": "-", r"\S": "a", ".": "a"}


def _members(pattern: str, whole: bool = False) -> list[str]:
    """A few strings that the pattern probably matches: one for each branch of its top-level alternation, without what
    may be left out, or `whole`."""
    branches: list[list[str]] = [[]]
    stack: list[list[list[str]]] = []
    for token in _ATOM.findall(pattern.removeprefix("^").removesuffix("$")):
        if token.startswith("(?") and token.endswith(")"):
            continue  # flags, such as `(?i)`
        if token.startswith("("):
            stack.append(branches)
            branches = [[]]
        elif token == ")" and stack:
            group = "".join(branches[0])
            branches = stack.pop()
            branches[-1].append(group)
        elif token == "|":
            branches.append([])
        elif token in ("*", "?"):
            if branches[-1] and not whole:
                branches[-1].pop()
        elif token == "+":
            continue
        elif token[0] == "{" and len(token) > 2:
            if branches[-1]:
                count = min(int(re.findall(r"\d+", token)[0][:3]), 64)
                branches[-1][-1] = (branches[-1][-1] * count)[:LONGEST]
        elif token[0] == "[" and len(token) > 2:
            branches[-1].append("!" if token[1] == "^" else token[1])
        elif token in _CLASSES:
            branches[-1].append(_CLASSES[token])
        else:
            branches[-1].append(token[-1])
    return ["".join(branch) for branch in branches]


def apart(whole: Selector, part: Selector, identity: Collection[str] = ()) -> tuple[tuple[str, str], ...]:
    """Labels for a series of `whole` that `part` does not select; () when the two share no series anyway.

    Labels of the `identity` are left alone, which the two share.
    """
    if whole.metric != part.metric:
        return ()
    labels = example_labels(part.matchers) or {}
    if not all(satisfies(labels.get(m.label, ""), m) for m in whole.matchers):
        return ()
    given = {m.label for m in whole.matchers}
    for matcher in part.matchers:
        if matcher in whole.matchers or matcher.label in identity:
            continue
        refused = _members(matcher.value) if matcher.op == "!~" else [matcher.value] if matcher.op == "!=" else []
        same = [m for m in whole.matchers if m.label == matcher.label]
        listed = [member for m in same if m.op == "=~" for member in _members(m.value)]
        # A class such as `[2-5]..` has one member here: the status codes are what it usually lists.
        for candidate in (*refused, "other", "ok", "0", "x", *listed, "200", "302", "404", "500"):
            if not satisfies(candidate, matcher) and all(satisfies(candidate, m) for m in same):
                return ((matcher.label, candidate),)
    return (("alertkit", "other"),) if not given else ()
