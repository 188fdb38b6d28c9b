"""The router gives the answers of amtool and of a running Alertmanager."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertkit.compile.routing import Matcher, Receiver, Route, Routing
from alertkit.emit.alertmanager import alertmanager_yaml
from alertkit.routing.router import Router
from alertkit.source import Span
from alertkit.spec import regex
from tests.routing.amtools import Tools, found
from tests.routing.scratch import Alertmanager, alertmanager

SERVERS = [tool for tool in found() if tool.alertmanager]
RECEIVERS = ("a", "b", "c", "d")
NAMES = ("alertname", "severity", "team", "x")
UTF8_NAMES = ("döner.kebab", "a b", "日本")
VALUES = ("", "a", "ab", "a.b", "a\\b", 'q"q', "a|b", "ü", "日本", "x\ny", "A", "aa", "b ", "it's", "{{ x }}", "#")
PATTERNS = (
    "a", "a.b", "a|b|ü", "", ".*", ".+", "a*", "(a|b).*", "[a-z]+", "[^a]+", "(?i)a", "(?s)x.y", "x.y", "日.", "\\w+",
    "a\\.b", 'q"q', "^a$", "a$", "\\Qa.b\\E", "a{1,2}", "(?:a|ab)(?:b|)", "\\pL+", "[[:upper:]]", "a\\\\b", "a)|(b",
    "|a", "\\bab\\b", "(?m)^y$", "x\ny", "\\s*b\\s*", "\\x61",
)  # fmt: skip


def matchers(names: tuple[str, ...]) -> st.SearchStrategy[Matcher]:
    plain = st.builds(Matcher, st.sampled_from(names), st.sampled_from(["=", "!="]), st.sampled_from(VALUES))
    patterns = [pattern for pattern in PATTERNS if regex.mistake(pattern) is None]
    return plain | st.builds(Matcher, st.sampled_from(names), st.sampled_from(["=~", "!~"]), st.sampled_from(patterns))


def trees(names: tuple[str, ...]) -> st.SearchStrategy[Route]:
    def node(children: st.SearchStrategy[tuple[Route, ...]]) -> st.SearchStrategy[Route]:
        receivers = st.none() | st.sampled_from(RECEIVERS)
        return st.builds(Route, receivers, st.lists(matchers(names), max_size=3).map(tuple), children, st.booleans())

    leaf = node(st.just(()))
    levels = st.recursive(leaf, lambda inner: node(st.lists(inner, max_size=4).map(tuple)), max_leaves=12)
    return st.builds(
        Route, st.sampled_from(RECEIVERS), st.just(()), st.lists(levels, min_size=1, max_size=5).map(tuple)
    )


def label_sets(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    rest = st.dictionaries(st.sampled_from(names), st.sampled_from(VALUES), max_size=4)
    return rest.map(lambda labels: {"alertname": "a", **labels})


def config_of(root: Route) -> str:
    span = Span("routing.yaml", 1, 1)
    return alertmanager_yaml(Routing(root, tuple(Receiver(name, (), span) for name in RECEIVERS), (), (), ("x",)))


@pytest.fixture(scope="module", params=SERVERS, ids=str)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Tools, Alertmanager]]:
    with alertmanager(request.param, tmp_path_factory.mktemp("am")) as running:
        yield request.param, running


@pytest.mark.skipif(not SERVERS, reason="no alertmanager on PATH or in ALERTKIT_TEST_VERSIONS")
def test_servers_are_found() -> None:
    assert SERVERS


@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_same_as_a_running_alertmanager(server: tuple[Tools, Alertmanager], data: st.DataObject) -> None:
    tool, running = server
    names = NAMES + (UTF8_NAMES if tool.version >= (0, 28) else ())
    root = data.draw(trees(names))
    alerts = data.draw(st.lists(label_sets(names), min_size=5, max_size=30))
    running.load(config_of(root))
    router = Router(root)
    theirs = running.receivers(alerts)
    for alert, told in zip(alerts, theirs, strict=True):
        assert router.receivers(alert) == told, (alert, config_of(root))


def features(root: Route, alerts: list[dict[str, str]], depth: int = 0) -> set[str]:
    """What a tree and label sets make use of."""
    found = {m.op for m in root.matchers} | ({"continue"} if root.continue_ else set())
    found |= {f"depth {depth}"} | {"UTF-8" for m in root.matchers if not m.value.isascii() or not m.label.isascii()}
    found |= {"missing label" for m in root.matchers for alert in alerts if m.label not in alert}
    found |= {"empty label" for alert in alerts if "" in alert.values()}
    return found.union(*(features(child, alerts, depth + 1) for child in root.routes))


@pytest.mark.parametrize("tool", found(), ids=str)
def test_same_as_amtool(tool: Tools, tmp_path: Path) -> None:
    names = NAMES + (UTF8_NAMES if tool.version >= (0, 28) else ())
    config = tmp_path / "am.yml"
    used: set[str] = set()
    reached: set[tuple[str, ...]] = set()

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(trees(names), st.lists(label_sets(names), min_size=1, max_size=2))
    def check(root: Route, alerts: list[dict[str, str]]) -> None:
        config.write_text(config_of(root), encoding="utf-8")
        router = Router(root)
        used.update(features(root, alerts))
        for alert in alerts:
            words = [str(Matcher(name, "=", value)) for name, value in alert.items()]
            done = subprocess.run(
                [tool.amtool, "config", "routes", "test", f"--config.file={config}", *words],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            mine = router.receivers(alert)
            assert done.stdout.strip() == ",".join(mine), (alert, config.read_text())
            reached.add(tuple(mine))

    check()
    wanted = {"=", "!=", "=~", "!~", "continue", "depth 2", "depth 3", "UTF-8", "missing label", "empty label"}
    assert wanted <= used and any(len(receivers) > 1 for receivers in reached)


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?!a)", "(?<=a)b", "(a)\\1", "a++", "(?<name>a)", "\\C", "a{1001}", "[", "(", "a**", "\\Z"]
)
def test_what_re2_has_not_is_refused(pattern: str) -> None:
    assert regex.mistake(pattern) is not None


@pytest.mark.parametrize("tool", found(), ids=str)
@pytest.mark.parametrize("pattern", [*PATTERNS, "a++", "\\C", "(?=a)", "a{1001}", "(a){1000}{2}", "\\Z", "[", "\\pX"])
def test_the_same_patterns_are_refused(tool: Tools, pattern: str, tmp_path: Path) -> None:
    root = Route("a", (), (Route("b", (Matcher("x", "=~", pattern),)),))
    config = tmp_path / "am.yml"
    config.write_text(config_of(root), encoding="utf-8")
    assert tool.check(config)[0] is (regex.mistake(pattern) is None)
