"""Which labels a result has: first what we say, then that a real Prometheus engine never disagrees."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from alertkit.promql import parse
from alertkit.promql.labels import Labels, result_labels

# Expression and its labels: `open` or `only`, `-x` cannot be there, `+x` surely is, `+x=v` with this value, `x` can be.
TABLE = [
    ("x", "open +__name__=x"),
    ('x{job="a"}', "open +__name__=x +job=a"),
    ('x{pod=""}', "open -pod +__name__=x"),
    ('x{pod!="",job=~"a.*",instance=~".*"}', "open +__name__=x +pod +job"),
    ('x{pod!~"|q"}', "open +__name__=x +pod"),
    ('{__name__=~"x|y"}', "open +__name__"),
    ('(x{job="a"})', "open +__name__=x +job=a"),
    ('-x{job="a"}', "open -__name__ +job=a"),
    ("x + 1", "open -__name__"),
    ("1 < x", "open +__name__=x"),
    ("x > bool 1", "open -__name__"),
    ("1 + 1", "only"),
    ("vector(1)", "only"),
    ("time()", "only"),
    ("scalar(x)", "only"),
    ("hour()", "only"),
    ("hour(x)", "open -__name__"),
    ("abs(x)", "open -__name__"),
    ("sort_desc(x)", "open +__name__=x"),
    ("last_over_time(x[10m])", "open +__name__=x"),
    ('max_over_time(x{job="a"}[10m])', "open -__name__ +job=a"),
    ('avg_over_time(sum by (job) (x{job="a"})[10m:1m])', "only +job=a"),
    ("sum(x)", "only"),
    ("sum by (job, pod) (x)", "only job pod"),
    ('sum by (job, pod) (x{job="a",pod=""})', "only +job=a"),
    ("sum by (pod) (sum by (job) (x))", "only"),
    ('sum without (instance) (x{job="a",instance="i1"})', "open -__name__ -instance +job=a"),
    ("sum without () (x)", "open -__name__"),
    ("sum without (job) (sum by (job, pod) (x))", "only pod"),
    ("sum by (__name__) (x)", "only +__name__=x"),
    ('topk(1, x{job="a"})', "open +__name__=x +job=a"),
    ("topk by (job) (1, sum by (pod) (x))", "only pod"),
    ('count_values("v", x)', "only +v"),
    ('count_values by (job) ("v", x)', "only job +v"),
    ('count_values without (job) ("v", x)', "open -__name__ -job +v"),
    ('count_values without (v) ("v", x)', "open -__name__ -v"),
    ("histogram_quantile(0.5, sum by (le, job) (h_bucket))", "only job"),
    ("histogram_quantile(0.5, h_bucket)", "open -__name__ -le"),
    ('absent(gone{job="a",pod=~"p.*"})', "only +job=a"),
    ('absent((gone{job="a"}))', "only +job=a"),
    ('absent(gone{job="a",job!="b"})', "only job"),
    ('absent(gone{job!="b",job="a"})', "only job"),
    ('absent(sum(gone{job="a"}))', "only"),
    ('absent(gone{job=""})', "only"),
    ('absent_over_time(gone{job="a"}[5m])', "only +job=a"),
    ('absent_over_time(gone{job="a"}[5m:1m])', "only"),
    ("x and y", "open +__name__=x"),
    ("x and on (job, pod) sum by (job) (y)", "open -pod +__name__=x"),
    ('x and on (job) y{job="a"}', "open +__name__=x +job=a"),
    ("x and ignoring (instance, pod) sum by (job) (y)", "only +__name__=x job instance pod"),
    ("x unless on (job) z", "open +__name__=x"),
    ("sum by (job) (x) or sum by (env) (y)", "only job env"),
    ("x or vector(0)", "open"),
    ('x{job="a",pod=""} or y{job="a"}', "open +__name__ +job=a"),
    ("sum by (job) (x) or sum without (pod) (x)", "open -pod -__name__"),
    ("x == x", "open +__name__=x"),
    ("x == bool x", "open -__name__"),
    ("x == on (job, instance) x", "only job instance"),
    ("x - x", "open -__name__"),
    ("x - ignoring (pod) x", "open -__name__ -pod"),
    ("x >= on (job, instance, pod) group_left () x", "open +__name__=x"),
    ('sum by (job) (x{job="a"}) / sum by (job) (y)', "only +job=a"),
    ("sum by (job, pod) (x) / sum by (job, env) (y)", "only job"),
    ("x * on (job) group_left (env) sum by (job, env) (y)", "open -__name__"),
    ('x * on (job) group_left (env) y{env="e"}', "open -__name__ +env=e"),
    ('x{env="q"} * on (job) group_left (env) sum by (job) (y)', "open -__name__ -env"),
    ('y{env="e"} * on (job) group_right (env) x', "open -__name__ +env=e"),
    ("x * ignoring (instance, pod, env) group_left () sum by (job) (y)", "only job instance pod env"),
    ("x * on () group_left () sum(y)", "open -__name__"),
    ('label_replace(x, "to", "v", "", "")', "open +__name__=x +to=v"),
    ('label_replace(vector(1), "to", "v", "job", "")', "only +to=v"),
    ('label_replace(vector(1), "to", "v", "job", ".+")', "only"),
    ('label_replace(x{job="a"}, "to", "$1-${1}", "job", "(.*)")', "open +__name__=x +job=a +to=a-a"),
    ('label_replace(x, "to", "$1", "job", "(.*)")', "open +__name__=x"),
    ('label_replace(x{job!=""}, "to", "$1", "job", "(.*)")', "open +__name__=x +job +to"),
    ('label_replace(sum by (job) (x), "to", "$1", "job", "(b.*)")', "only job to"),
    ('label_replace(x{job="a"}, "job", "", "instance", "i1")', "open +__name__=x"),
    ('label_replace(x{job="a"}, "job", "", "job", "(.*)")', "open -job +__name__=x"),
    ('label_join(x{job="a"}, "to", "-", "job", "job")', "open +__name__=x +job=a +to=a-a"),
    ('label_join(x, "to", "", "job", "pod")', "open +__name__=x"),
    ('label_join(x, "to", "-", "job", "pod")', "open +__name__=x +to"),
    ('label_join(sum by (job) (x), "job", "")', "only"),
]  # fmt: skip

SERIES = [
    'x{job="a",instance="i1",pod="p"}', 'x{job="a",instance="i2"}', 'x{instance="i3",env="q"}', 'x{job="b",pod="r"}',
    'x{job="c"}', 'y{job="c"}', 'y{job="a",env="e"}', 'y{instance="i3",env="f"}', 'z{job="b"}',
    'h_bucket{le="1",job="a"}', 'h_bucket{le="+Inf",job="a"}',
]  # fmt: skip
PROMTOOL = shutil.which("promtool")


def describe(text: str) -> Labels:
    """The `Labels` that a row of the table means."""
    shape, *words = text.split()
    required = {word[1:].split("=")[0] for word in words if word[0] == "+"}
    known = sorted(tuple(word[1:].split("=", 1)) for word in words if word[0] == "+" and "=" in word)
    if shape == "open":
        names = {word[1:] for word in words if word[0] == "-"}
    else:
        names = {word for word in words if word[0] not in "+-"} | required
    return Labels(shape == "open", frozenset(names), frozenset(required), tuple((k, v) for k, v in known))


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_inferred_labels(text: str, expected: str) -> None:
    assert result_labels(parse(text)) == describe(expected)


def test_questions_about_labels() -> None:
    labels = result_labels(parse('sum by (job, pod) (x{job="a"})'))
    assert [labels.may_have(name) for name in ("job", "pod", "env")] == [True, True, False]
    assert [labels.must_have(name) for name in ("job", "pod", "env")] == [True, False, False]
    assert [labels.value(name) for name in ("job", "pod", "env")] == ["a", None, ""]


def engine_labels(expressions: list[str], folder: Path) -> dict[str, list[dict[str, str]]]:
    """What a real engine returns for each expression over SERIES, read from promtool's complaint about no samples."""
    assert PROMTOOL is not None
    expected = [{"expr": text, "eval_time": "10m", "exp_samples": []} for text in expressions]
    series = [{"series": text, "values": "1+1x20"} for text in SERIES]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": expected}
    (folder / "t.yml").write_text(json.dumps({"evaluation_interval": "1m", "tests": [test]}), encoding="utf-8")
    done = subprocess.run([PROMTOOL, "test", "rules", "t.yml"], cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    found: dict[str, list[dict[str, str]]] = {}
    for expr, samples in re.findall(r'expr: "((?:[^"\\]|\\.)*)", time: 10m,\s+exp: ?nil\s+got: ?(.*)', said):
        sets = re.findall(r'\{((?:\w+="[^"]*"(?:, )?)*)\} \S', samples)
        found[json.loads(f'"{expr}"')] = [dict(re.findall(r'(\w+)="([^"]*)"', labels)) for labels in sets]
    assert "error" not in said.lower(), said
    return found


# Without its label the result has duplicates, so the engine refuses it.
SILENT = {'label_join(sum by (job) (x), "job", "")'}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on the PATH")
def test_engine_agrees(tmp_path: Path) -> None:
    asked = [text for text, _ in TABLE if text not in SILENT]
    found = engine_labels(asked, tmp_path)
    assert [text for text in asked if not found.get(text)] == []
    for text, elements in found.items():
        labels = result_labels(parse(text))
        for element in elements:
            assert [name for name in element if not labels.may_have(name)] == [], text
            assert [name for name in labels.required if not element.get(name)] == [], text
            assert {name: element[name] for name, _ in labels.known} == dict(labels.known), text
