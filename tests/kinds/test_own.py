"""User-defined kinds: what they compile to, that promtool agrees with their proofs, and every mistake in its place."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alertkit.kinds.own_file import read_kinds
from alertkit.source import Problems
from tests.kinds.compiled import PROMTOOL, compiled, expressions, prove

QUEUE = """
    description: Messages wait in a queue
    parameters:
      queue: {type: text}
      metric: {type: metric, default: queue_messages_ready}
      window: {type: duration, default: 5m}
    unit: number
    signal: max by (<< by >>) (avg_over_time(<< metric >>{queue="<< queue >>"}[<< window >>]))
    stimulus:
      '<< metric >>{queue="<< queue >>"}': << value >>
    summary: Queue << queue >> holds {{ $value | humanize }} messages
"""
SHARE = """
    description: Share of failed jobs
    parameters:
      failed: {type: metric}
      all: {type: metric}
      window: {type: duration, default: 10m}
    by: [job]
    unit: ratio
    range: [0, 1]
    signal: |
      # a comment, which does not swallow the comparison
      sum by (<< by >>) (rate(<< failed >>[<< window >>]))
      /
      sum by (<< by >>) (rate(<< all >>[<< window >>]))
    stimulus:
      << failed >>: rate << 100 * value >>/s
      '<< all >>{result="fine"}': rate << 100 - 100 * value >>/s
"""
AGE = """
    description: Something is old
    parameters: {timestamp: {type: metric}}
    unit: s
    signal: time() - << timestamp >>
    stimulus: {<< timestamp >>: clock << value >> in ms}
"""
SIMPLE = """
    description: A peak
    parameters:
      gauge: {type: metric}
      op: {type: choice, choices: [max, min, quantile], default: max}
      q: {type: number, default: 0.9}
      limit: {type: quantity, unit: MB, default: 1GB}
    signal: >-
      << op >>_over_time(<< q ~ ", " if op == "quantile" else "" >><< gauge >>[10m]) / (<< limit >> / << limit >>)
    stimulus: {<< gauge >>: << value >>}
"""
SPEC = """
    system: shop
    alerts:
      Backlog:
        kind: queue_backlog
        queue: mails
        by: [instance]
        above: {warning: 100, critical: 500}
        clear: 80
        for: 5m
        missing: alert
      Where:
        kind: queue_backlog
        queue: 'a"b\\c'
        metric: queue_ready_seconds{vhost="main"}
        where: {job: rabbit}
        unit: s
        above: 1m
        for: 2m
      Share: {kind: share, failed: 'jobs_total{result="failed"}', all: jobs_total, above: {warning: 5%, critical: 10%}}
      Below: {kind: share, failed: 'jobs_total{result="failed"}', all: jobs_total, below: 50%, by: [], for: 5m}
      Peak: {kind: peak, gauge: disk_bytes, by: [host], above: 80, clear: 70, for: 5m}
      Low: {kind: peak, gauge: disk_bytes, op: min, below: 80, for: 5m, keep_firing_for: 5m}
      Quantile: {kind: peak, gauge: disk_bytes, op: quantile, outside: [10, 80], for: 5m}
"""
KINDS = {"queue_backlog.yaml": QUEUE, "share.yaml": SHARE, "age.yaml": AGE, "peak.yaml": SIMPLE}


def problems(folder: Path, kind: str, use: str = "") -> str:
    spec = f"system: shop\nalerts: {{A: {{{use or 'kind: heartbeat, receiver: x'}}}}}\n"
    system, drawn = compiled(spec, {"mine.yaml": kind}, folder)
    assert drawn and (system is None or not use)
    return drawn


def test_compiles(tmp_path: Path) -> None:
    system, drawn = compiled(SPEC, KINDS, tmp_path)
    assert drawn == ""
    found = expressions(system)
    assert 'max by (instance) (avg_over_time(queue_messages_ready{queue="mails"}[5m]))' in found
    assert "shop_instance:queue_messages_ready:queue_backlog > 500" in found
    one = 'max(avg_over_time(queue_ready_seconds{queue="a\\"b\\\\c",vhost="main",job="rabbit"}[5m])) > 60'
    assert any(" ".join(expr.split()).replace("( ", "(").replace(" )", ")") == one for expr in found)
    assert system is not None
    texts = dict(system.alerts[0].rules[0].annotations)
    assert texts["summary"] == "Queue mails holds {{ $value | humanize }} messages"


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_proofs_hold(tmp_path: Path) -> None:
    system, _ = compiled(SPEC, KINDS, tmp_path)
    assert system is not None
    claimed = {alert.name for alert in system.alerts if alert.claim is not None}
    assert claimed == {"Backlog", "Where", "Share", "Below", "Peak", "Low", "Quantile"}
    assert prove(system, tmp_path) > 50


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_numbers_that_may_be_missed_by_a_bit_are_not_claimed(tmp_path: Path) -> None:
    third = """
        description: Three tenths of something
        parameters: {gauge: {type: metric}}
        signal: << gauge >> * 3 / 0.7
        stimulus: {<< gauge >>: << value * 0.7 / 3 >>}
    """
    spec = """
        system: shop
        alerts:
          Missed: {kind: third, gauge: a, not_equals: 0.1}
          MissedShare: {kind: share, failed: b_total, all: c_total, equals: 30%}
          Zero: {kind: third, gauge: d, equals: 0}
          Held: {kind: age_of, gauge: e, not_equals: 0.1}
          Above: {kind: third, gauge: f, above: 0.1}
    """
    held = third.replace("* 3 / 0.7", "").replace("* 0.7 / 3", "")
    system, drawn = compiled(spec, {"third.yaml": third, "share.yaml": SHARE, "age_of.yaml": held}, tmp_path)
    assert drawn == "" and system is not None
    unproven = {alert.name: alert.unproven for alert in system.alerts if alert.claim is None}
    assert unproven.keys() == {"Missed", "MissedShare"}
    said = "what kind `third` computes hits such a number exactly by accident only: use `above` or `below`"
    assert unproven["Missed"] == said
    assert prove(system, tmp_path) > 10


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_a_wrong_signal_is_noticed(tmp_path: Path) -> None:
    """A proof of a kind whose signal is not what its stimulus says fails."""
    wrong = SIMPLE.replace("/ (<< limit >> / << limit >>)", "* << limit >>")
    system, drawn = compiled(
        "system: s\nalerts: {A: {kind: peak, gauge: x, above: 80}}", {"peak.yaml": wrong}, tmp_path
    )
    assert drawn == "" and system is not None
    with pytest.raises(AssertionError, match="FAILED"):
        prove(system, tmp_path)


def test_without_a_stimulus(tmp_path: Path) -> None:
    kind = "description: x\nparameters: {m: {type: metric}}\nsignal: << m >>\n"
    system, drawn = compiled("system: s\nalerts: {A: {kind: mine, m: x, above: 1}}", {"mine.yaml": kind}, tmp_path)
    assert drawn == "" and system is not None and system.alerts[0].claim is None


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_two_metrics_and_a_range_without_an_end(tmp_path: Path) -> None:
    """Two metrics are two series, although both are examples only while the kind file is checked."""
    kind = """
        description: more is produced than consumed
        parameters: {produced: {type: metric}, consumed: {type: metric}}
        signal: sum(<< produced >>) - sum(<< consumed >>)
        stimulus: {<< produced >>: << value + 1 >>, << consumed >>: 1}
        range: [0, null]
    """
    spec = "system: s\nalerts: {A: {kind: mine, produced: x, consumed: y, above: 1}}"
    system, drawn = compiled(spec, {"mine.yaml": kind}, tmp_path)
    assert drawn == "" and system is not None
    assert prove(system, tmp_path) > 5
    never, drawn = compiled(spec.replace("above: 1", "below: 0"), {"mine.yaml": kind}, tmp_path)
    assert never is None and "the value is never below 0" in drawn


HEAD = "description: x\nparameters:\n  m: {type: metric}\n"


@pytest.mark.parametrize(
    ("kind", "place", "message"),
    [
        (HEAD + "  n: {type: txt}\nsignal: << m >>\n", "4:13", "AK421]: `txt` is not a type of parameters"),
        (HEAD + "  for: {type: text}\nsignal: << m >>\n", "4:3", "AK421]: `for` means something else already"),
        (HEAD + "  N-: {type: text}\nsignal: << m >>\n", "4:3", "AK421]: `N-` cannot be the name of a parameter"),
        (HEAD + "  n: {type: text}\nsignal: << m >>\n", "4:3", "AK421]: the parameter `n` is used nowhere"),
        (HEAD + "  n: {type: choice}\nsignal: << m >> * << n >>\n", "4:3", "AK421]: a choice needs `choices`"),
        (HEAD + "  w: {type: duration, default: 5}\nsignal: rate(<< m >>[<< w >>])\n", "4:32", "AK422]"),
        (HEAD + "  w: {type: integer, default: 5.5}\nsignal: << m >> * << w >>\n", "4:31", "AK422]"),
        (HEAD + "  q: {type: quantity, unit: s, default: 5MB}\nsignal: << m >> * << q >>\n", "4:41", "AK422]"),
        (HEAD + "signal: rate(<< m >>[<< windo >>])\n", "4:25", "AK423]: unknown variable `windo`"),
        (HEAD + "signal: rate(<< m >>[5m)\n", "4:21", "AK424]: `[` is never closed"),
        (HEAD + "signal: rat(<< m >>[5m])\n", "4:9", "AK424]: there is no function `rat`, did you mean `rate`?"),
        (HEAD + "signal: |\n  sum by (<< by >>) (\n    rat(<< m >>[5m])\n  )\n", "6:5", "AK424]: there is no function"),
        (HEAD + "signal: << m >>[5m]\n", "4:9", "AK425]: the signal is no instant vector"),
        (HEAD + "by: [job]\nsignal: sum(<< m >>)\n", "5:9", "AK426]: the result of the signal lacks the identity"),
        (HEAD + "signal: sum(max by (<< by >>) (<< m >>))\n", "4:9", "AK426]"),
        (HEAD + "signal: << m >>\nstimulus: {<< m >>: counter << value >>}\n", "5:21", "AK427]: `counter` is no word"),
        (HEAD + "signal: << m >>\nstimulus: {<< m >>: rate << value >>}\n", "5:37", "AK427]: a rate is given per time"),
        (HEAD + "signal: << m >>\nstimulus: {<< m >>: << valu >>}\n", "5:24", "AK427]: unknown variable `valu`"),
        (HEAD + "signal: << m >>\nstimulus: {other: << value >>}\n", "5:12", "AK428]: the signal does not read"),
        (
            HEAD + "signal: '<< m >>{a=\"b\"}'\nstimulus: {<< m >>: << value >>}\n",
            "5:12", 'AK428]: the signal does not read this series: it wants a="b"',
        ),
        (HEAD + "signal: << m >>\nstimulus: {'<< m >>{a=b}': << value >>}\n", "5:21", "AK427]: expected a matcher"),
        (HEAD + "signal: << m >>\nsummary: << n >>\n", "5:13", "AK423]: unknown variable `n`"),
        (HEAD + "signal: << m >>\nsummary: '{{ $value'\n", "5:11", "AK403]"),
        (HEAD + "signal: << m >>\nstimulus: {}\n", "5:1", "AK427]: nothing in the stimulus depends on `value`"),
        (HEAD + "signal: << m >>\nstimulus: {<< m >>: 5}\n", "5:1", "AK427]: nothing in the stimulus depends"),
        (HEAD + "signal: << m >>\nrise: soon\n", "5:7", "AK301]"),
        (HEAD + "signal: << m >>\nrange: [1, 0]\n", "5:8", "AK302]"),
        (HEAD + "signal: << m >>\nsigna: x\n", "5:1", "AK201]: unknown key `signa`"),
        (HEAD, "1:1", "AK202]: the key `signal` is missing"),
        ("- a\n", "1:1", "AK203]: a kind file is a mapping"),
        ("", "1:1", "AK101]"),
    ],
)  # fmt: skip
def test_mistakes_in_a_kind_file(tmp_path: Path, kind: str, place: str, message: str) -> None:
    drawn = problems(tmp_path, kind)
    assert f"mine.yaml:{place}: error[{message}" in drawn


def test_all_mistakes_in_one_go(tmp_path: Path) -> None:
    kind = """
        description: x
        parameters: {m: {type: metric}, w: {type: duration, default: soon}, unused: {type: text}}
        signal: sum(<< m >>[<< w >>])
        summary: '{{ nonsense }}'
    """
    drawn = problems(tmp_path, kind)
    assert {code for code in ("AK421", "AK422", "AK403") if f"[{code}]" in drawn} == {"AK421", "AK422", "AK403"}
    kind = HEAD + "signal: << m >>[5m]\nstimulus: {<< m >>: x, '<< m >>{a=\"1\"}': rate 3}\n"
    drawn = problems(tmp_path, kind)
    assert drawn.count("error[AK427]") == 2 and "error[AK425]" in drawn


@pytest.mark.parametrize(
    ("use", "place", "message"),
    [
        ("kind: mine, m: x, by: [job], above: 1", "2:36", "AK426]: kind `mine` cannot tell alerts apart by `job`"),
        ("kind: mine, above: 1", "2:10", "AK202]: the key `m` is missing"),
        ("kind: mine, m: x, n: 1, above: 1", "2:32", "AK201]: unknown key `n`"),
        ("kind: mine, m: x", "2:10", "AK303]: the threshold is missing"),
        ("kind: mine, m: x, w: 10s, above: 1", "2:35", "AK312]: the window 10s is shorter than two scrapes"),
        ("kind: mine, m: x, op: '(', above: 1", "2:36", "AK429]"),
        ("kind: mine, m: x, above: 5MB", "2:39", "AK305]"),
    ],
)
def test_mistakes_in_an_alert(tmp_path: Path, use: str, place: str, message: str) -> None:
    kind = HEAD + "  w: {type: duration, default: 5m}\n  op: {type: text, default: '+'}\n"
    kind += "signal: sum(rate(<< m >>[<< w >>])) << op >> 0\nstimulus: {<< m >>: rate << value >>/s}\n"
    assert f"spec.yaml:{place}: error[{message}" in problems(tmp_path, kind, use)


def test_names_of_kinds(tmp_path: Path) -> None:
    for name in ("ratio.yaml", "Mine.yaml", "twice.yaml", "twice.yml"):
        (tmp_path / name).write_text("description: x\nsignal: up\n")
    found = Problems()
    registry = read_kinds(tmp_path, found)
    assert [p.code for p in found.ordered()] == ["AK420"] * 3
    assert list(registry)[-1] == "twice"


def test_no_folder(tmp_path: Path) -> None:
    found = Problems()
    assert list(read_kinds(tmp_path / "none", found))[-1] == "expr" and not found


def test_the_digest_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("description: x\nsignal: up\n")
    one = read_kinds(tmp_path, Problems()).digest
    (tmp_path / "a.yaml").write_text("description: x\nsignal: up * 2\n")
    assert one != read_kinds(tmp_path, Problems()).digest != ""


WORDS = st.sampled_from([
    "<< ", " >>", "m", "by", "value", "{", "}", "(", ")", "[5m]", "rate", "clock", "/s", '"', "'", "\\", "1", " ", "\n",
    "sum by", "|", "{{", "}}", "#", ",", "=", "x", "\u00e9", "-", ":", "null", "alertkit_metric_9_", "% ", "e999", "~",
])  # fmt: skip
TEXTS = st.lists(WORDS, max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_text_ends_in_a_traceback(signal: str, series: str, what: str, summary: str, default: str) -> None:
    """Whatever stands in a kind file or in an alert of that kind, it compiles or is a problem."""
    parameters = {"m": {"type": "metric"}, "t": {"type": "text", "default": default}}
    kind = {
        "description": "x", "parameters": parameters, "signal": signal + "<< m >><< t >>", "summary": summary,
        "stimulus": {series or "<< m >>": what}, "rise": default,
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        use = {"kind": "mine", "m": "up", "t": what, "above": 5, "for": "5m"}
        spec = json.dumps({"system": "s", "alerts": {"A": use}})
        system, drawn = compiled(spec, {"mine.yaml": json.dumps(kind)}, Path(folder))
        assert (system is None) == bool(drawn) or "mine.yaml" in drawn
        kind["signal"], kind["stimulus"] = f"max by (<< by >>) (<< m >>{{a='{default}<< t >>'}})", {"<< m >>": what}
        kind["signal"] += " or << m >>"
        compiled(spec, {"mine.yaml": json.dumps(kind)}, Path(folder))
