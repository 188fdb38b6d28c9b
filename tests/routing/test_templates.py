"""What `compile` says of notification templates without a tool, and that Alertmanager's own code agrees."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from alertkit.emit.notifications import default_template
from alertkit.template.blank import blanks
from alertkit.template.notification import FUNCTIONS, SINCE, check
from tests.routing.amtools import Tools, found, ids

TITLE = {"title": '{{ template "alertkit.title" . }}'}


def said(body: str, version: tuple[int, int] = (0, 25)) -> str:
    """The first mistake of a title with this body, with the text that it is about."""
    text = f'{{{{ define "alertkit.title" }}}}{body}{{{{ end }}}}'
    mistakes = check({"alertkit.tmpl": default_template(), "own.tmpl": text}, TITLE, version)
    if not mistakes:
        return ""
    first = mistakes[0]
    assert first.name == "own.tmpl"
    return f"{text[first.offset : first.offset + first.length]} | {first.message}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{{ .Severity }}", ".Severity | the group has no `.Severity`; it has Receiver, Status, Alerts, GroupLabels, "
                            "CommonLabels, CommonAnnotations, ExternalURL"),
        ("{{ .CommonLabel.x }}", ".CommonLabel | the group has no `.CommonLabel`, did you mean `.CommonLabels`?"),
        ("{{ range .Alerts }}{{ .Label.x }}{{ end }}", ".Label | an alert has no `.Label`, did you mean `.Labels`?"),
        ("{{ range .Alerts.Firing }}{{ .Value }}{{ end }}",
         ".Value | an alert has no `.Value`; it has Status, Labels, Annotations, StartsAt, EndsAt, GeneratorURL, "
         "Fingerprint"),
        ("{{ (index .Alerts 0).Nope }}", ".Nope | an alert has no `.Nope`; it has Status, Labels, Annotations, "
                                         "StartsAt, EndsAt, GeneratorURL, Fingerprint"),
        ("{{ range .CommonLabels.SortedPairs }}{{ .Key }}{{ end }}",
         ".Key | a pair of name and value has no `.Key`; it has Name, Value"),
        ("{{ with .Alerts.Fired }}{{ end }}", ".Fired | a list of alerts has no `.Fired`, did you mean `.Firing`?"),
        ("{{ if }}{{ end }}", "}} | `if` wants a value"),
        ("{{ if .Status }}", "define | this `define` has no `{{ end }}`"),
        ("{{ $x }}", "$x | unknown variable `$x`"),
        ("{{ humanise 3 }}", "humanise | unknown function `humanise`"),
        ("{{ humanize 3 }}", "humanize | unknown function `humanize`; Prometheus has it, Alertmanager does not"),
        ("{{ .Status | toupper }}", "toupper | unknown function `toupper`, did you mean `toUpper`?"),
        ("{{ .Status | trimSpace }}", "trimSpace | the function `trimSpace` works from Alertmanager 0.28 on, and this "
                                      "is compiled for 0.25"),
        ('{{ template "alertkit.titel" . }}', "template | no template is named `alertkit.titel`, "
                                              "did you mean `alertkit.title`?"),
        ("{{ range .Status }}{{ end }}", ".Status  | `range` cannot run over text"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_its_place(body: str, message: str) -> None:
    assert said(body) == message


@pytest.mark.parametrize(
    "body",
    [
        '{{ .CommonLabels.whatever }}{{ .GroupLabels.SortedPairs.Values | join " " }}',
        '{{ range $i, $a := .Alerts.Firing }}{{ $i }}{{ $a.Labels.x }}{{ .StartsAt.UTC.Format "15:04" }}{{ end }}',
        '{{ $n := len .Alerts }}{{ if gt $n 1 }}{{ $n }}{{ end }}{{ with index .Alerts 0 }}{{ .Fingerprint }}{{ end }}',
        '{{ range (.CommonLabels.Remove (stringSlice "a")).SortedPairs }}{{ .Name }}={{ .Value }}{{ end }}',
        '{{ template "slack.default.title" . }}{{ define "own" }}{{ .Whatever }}{{ end }}',
    ],
)  # fmt: skip
def test_what_is_right_is_left_alone(body: str) -> None:
    assert said(body) == ""


@pytest.mark.parametrize(
    ("body", "blank"),
    [
        ("", True), (" \n ", True), ("{{/* x */}}", True), ("{{ $x := .Status }}", True),
        ("{{ if .Status }} {{ else }}{{ end }}", True), ('{{ template "empty" . }}', True),
        ('{{ template "alertkit.title" . }}', True), ("x", False), ("{{ .Status }}", False),
        ("{{ range .Alerts }}{{ else }}none{{ end }}", False), ('{{ template "slack.default.title" . }}', False),
        ('{{ template "empty" . }}{{ template "alertkit.subject" . }}', False),
        ('{{ block "own" . }}x{{ end }}', False),
    ],
)  # fmt: skip
def test_what_never_prints_is_found(body: str, blank: bool) -> None:
    own = f'{{{{ define "alertkit.title" }}}}{body}{{{{ end }}}}{{{{ define "empty" }}}} {{{{ end }}}}'
    found = blanks({"alertkit.tmpl": default_template(), "own.tmpl": own}, TITLE)
    assert [(one.name, one.place) for one in found] == ([("title", ("own.tmpl", 3, 6))] if blank else [])


def test_alertkits_own_templates_are_right() -> None:
    assert check({"alertkit.tmpl": default_template()}, TITLE, (0, 25)) == []


@pytest.mark.parametrize("tool", found(), ids=ids())
def test_functions_and_fields_are_those_of_the_version(tool: Tools) -> None:
    def known(action: str) -> bool:
        text = (
            f"{{{{ if false }}}}{{{{ {action} }}}}{{{{ end }}}}"
            if not action.startswith(".")
            else f"{{{{ {action} }}}}"
        )
        command = [tool.amtool, "template", "render", "--template.glob=/dev/null", f"--template.text={text}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return "not defined" not in done.stderr + done.stdout and "can't evaluate" not in done.stderr + done.stdout

    assert [name for name, since in FUNCTIONS.items() if known(name) != (tool.version >= since)] == []
    assert [name for (_, name), since in SINCE.items() if known(f".{name}") != (tool.version >= since)] == []


def test_compile_reports_a_bad_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from alertkit.cli import main

    files = {
        "rules_src/a.yaml": "system: a\nalerts:\n  A: {kind: threshold, metric: m, above: 1}\n",
        "alertmanager/routing.yaml": "receivers:\n  r: {slack: {channel: '#{{.X}}', webhook_file: /s}}\ndefault: r\n",
        "alertmanager/templates/own.tmpl": 'first line\n{{ define "alertkit.title" }}{{ .Severity }}{{ end }}\n',
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["compile"], catch_exceptions=False)
    assert result.exit_code == 2 and not (tmp_path / "build").exists()
    assert (
        "alertmanager/templates/own.tmpl:2:33: error[AK520]: the template is wrong: the group has no `.Severity`"
        in (result.stderr)
    )
    assert (
        "alertmanager/routing.yaml:2:3: error[AK520]: the template is wrong: `channel` of slack in `r`" in result.stderr
    )
