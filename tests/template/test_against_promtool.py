"""`expand` gives what every Prometheus gives, byte for byte; what `check` refuses, Prometheus fails on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alertkit.template import check, expand
from tests.template.corpus import BAD, LABELS, PIPES, TEXTS, VALUES
from tests.template.promtools import Case, run, versions

pytestmark = pytest.mark.skipif(not versions(), reason="no promtool on PATH")
each_promtool = pytest.mark.parametrize("promtool", versions())


def agree(promtool: str, wanted: list[tuple[str, float]], folder: Path) -> int:
    """Run all cases that `expand` knows; returns how many those were."""
    cases = []
    for template, value in wanted:
        text = expand(template, {"__name__": f"x{len(cases)}", **LABELS}, value)
        if text is not None:
            cases.append(Case(template, value, text, LABELS))
    code, output = run(promtool, cases, folder)
    if code != 0:
        pytest.fail(output[:6000], pytrace=False)
    return len(cases)


@each_promtool
def test_every_pipe_on_every_value(promtool: str, tmp_path: Path) -> None:
    wanted = [(f"v {{{{ {pipe} }}}}", value) for pipe in PIPES for value in VALUES]
    assert agree(promtool, wanted, tmp_path) > 0.95 * len(wanted)


@each_promtool
def test_texts(promtool: str, tmp_path: Path) -> None:
    assert agree(promtool, [(text, 2.5) for text in TEXTS], tmp_path) > len(TEXTS) - 6


def pieces() -> st.SearchStrategy[str]:
    """One part of a template: text, a pipe or a small block, trim marks included."""
    plain = st.text(
        st.characters(codec="utf-8", exclude_characters="{}", exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=6
    )
    trim = st.tuples(st.sampled_from(["{{", "{{-"]), st.sampled_from(["}}", "-}}"]))
    pipe = st.sampled_from([*PIPES, "$labels.job", "$labels.um | safeHtml", "$labels.none", "$labels"])
    verb = st.builds(
        'printf "%{}{}{}{}|" $value'.format,
        st.sampled_from(["", "+", "-", " ", "0"]),
        st.sampled_from(["", "1", "7", "14"]),
        st.sampled_from(["", ".", ".0", ".2", ".7", ".17"]),
        st.sampled_from("feEgGv"),
    )
    action = st.tuples(trim, st.one_of(pipe, verb)).map(lambda t: f"{t[0][0]} {t[1]} {t[0][1]}")
    block = st.tuples(pipe, plain, plain).map(lambda t: f"{{{{ if {t[0]} }}}}{t[1]}{{{{ else }}}}{t[2]}{{{{ end }}}}")
    return st.one_of(plain, action, action, block)


TEMPLATES = st.lists(pieces(), min_size=1, max_size=5).map("".join)
NUMBERS = st.one_of(
    st.floats(),
    st.floats(-1e6, 1e6),
    st.integers(-(10**7), 10**7).map(float),
    st.decimals(-(10**5), 10**5, places=3).map(float),
)


@each_promtool
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[*HealthCheck],
    phases=[Phase.generate],  # Shrinking would take a promtool run a step.
)
@given(wanted=st.lists(st.tuples(TEMPLATES, NUMBERS), min_size=80, max_size=120))
def test_random(promtool: str, tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[str, float]]) -> None:
    agree(promtool, wanted, tmp_path_factory.mktemp("random"))


# One version, since a bad template takes a run of its own.
@pytest.mark.parametrize("promtool", versions()[:1])
@pytest.mark.parametrize("template", BAD)
def test_what_check_refuses_fails_in_prometheus(promtool: str, template: str, tmp_path: Path) -> None:
    assert check(template)
    assert expand(template, LABELS, 1.5) is None
    code, output = run(promtool, [Case(template, 1.5, "", LABELS)], tmp_path)
    assert code != 0
    assert any(word in output for word in ("error", "panic", "template: __alert")), output
