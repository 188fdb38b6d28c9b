"""Whatever goes wrong while rules are applied: all servers run the whole old state or the whole new one."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertkit.deploy import Options, Step
from alertkit.deploy.client import Server as Client
from alertkit.source import Problems
from tests.live.site import MANY_TO_MANY, Proxy, Site, rules, running_site
from tests.servers import binaries, free_port, versions

# The oldest and the newest version are enough: what is shown here is alertkit's own behaviour.
CHOSEN = [v for v in versions("prometheus") if getattr(v, "id", "") != "2.53"]


@pytest.fixture(scope="module", params=CHOSEN)
def site_of_version(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(request.param, tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(site_of_version: Site) -> Site:
    """The old state applied, the new one built."""
    return site_of_version.prepared()


CHILD = """
import os, signal, sys
from pathlib import Path
from alertkit.deploy import Options, apply
from alertkit.source import Problems
from alertkit.spec.project import read_project
left = int(sys.argv[2])
def checkpoint(name):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
problems = Problems()
apply(read_project(Path(sys.argv[1]), problems), "prod", problems, Options(evaluated=False, checkpoint=checkpoint))
sys.exit(7 if problems else 0)
"""


def test_killed_at_every_step(site: Site) -> None:
    """kill -9; the next run finishes or undoes it, then does its own work; the journal says which."""
    told: set[str] = set()
    names: list[str] = []
    assert site.apply(Options(patience=2, evaluated=False, checkpoint=names.append))[0].done
    site.old()
    assert site.apply()[0].done
    site.new()
    oldest = b"2.42" in urllib.request.urlopen(f"{site.servers[0].url}/api/v1/status/buildinfo").read()
    # Of steps that are made once for each file, the first, the second and the last.
    steps = {names.index(name) for name in names} | {len(names) - 1 - names[::-1].index(name) for name in names}
    steps |= {i for i, name in enumerate(names) if names[:i].count(name) == 1}
    assert len(steps) > 15
    for step in sorted(i + 1 for i in steps)[:: 1 if oldest else 5]:
        child = subprocess.run([sys.executable, "-c", CHILD, str(site.root), str(step)], timeout=60)
        assert child.returncode == -signal.SIGKILL, step
        site.put("old", a=(site.root / "one" / "a.yml").read_text())
        # A run that stops before its own changes shows what was left is in order.
        outcome, problems = site.apply(
            Options(patience=2, evaluated=False, overwrite=True, confirm=lambda plan: False, on_step=site.steps.append)
        )
        assert problems == [] and outcome.state == "unchanged", step
        told |= {s.text.split()[0] for s in site.steps if s.target in ("journal",)}
        finished = any(s.text.startswith("finished") for s in site.steps)
        now = site.state()
        assert now in ("old", "new"), (step, now)
        assert not finished or now == "new"
        assert site.leftovers() == []
        if now == "new":
            site.old()
            assert site.apply()[0].done and site.state() == "old"
        site.new()
    assert told >= ({"undoing", "finished"} if oldest else {"undoing"})


def test_ctrl_c_at_every_step(site: Site) -> None:
    """Whenever it comes, all servers run the old state or the new one, whole, and nothing is left to be done."""
    names: list[str] = []
    assert site.apply(Options(patience=2, evaluated=False, checkpoint=names.append))[0].done
    site.old()
    assert site.apply()[0].done
    site.new()
    ends = []
    for step in sorted({names.index(name) for name in names} | {len(names) - 2, len(names) - 1}):
        left = step + 1

        def checkpoint(name: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            site.apply(Options(patience=2, evaluated=False, checkpoint=checkpoint))
        now = site.state()
        assert now in ("old", "new"), (names[step], now)
        assert site.leftovers() == [], names[step]
        ends.append(now)
        if now == "new":
            site.old()
            assert site.apply()[0].done and site.state() == "old"
            site.new()
    assert ends[0] == "old" and ends == sorted(ends, reverse=True)


@pytest.mark.parametrize(
    ("mode", "code"),
    [("500", "AK711"), ("swallow", "AK727"), ("slow", "AK702"), ("cut", "AK706"), ("redirect", "AK705"),
     ("401", "AK707")],
)  # fmt: skip
def test_one_of_the_pair_misbehaves(site: Site, mode: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mode == "slow":
        monkeypatch.setitem(Client.__init__.__kwdefaults__, "timeout", 2.0)
    site.proxy.mode = mode
    outcome, problems = site.apply()
    assert [p.code for p in problems][:1] == [code]
    assert outcome.state == "old" and site.state() == "old"
    assert site.steps[-1].text.startswith("restored: the files of before are back")
    assert site.leftovers() == []


@pytest.mark.parametrize(
    ("mode", "code"),
    [("500", "AK711"), ("slow", "AK702"), ("cut", "AK706"), ("redirect", "AK705"), ("401", "AK707"), ("page", "AK712")],
)
def test_what_was_reloaded_cannot_be_verified(
    site: Site, mode: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may well run the new rules, but who cannot ask does not know: the whole pair goes back."""
    if mode == "slow":
        monkeypatch.setitem(Client.__init__.__kwdefaults__, "timeout", 2.0)
    site.proxy.later = mode
    outcome, problems = site.apply()
    assert [p.code for p in problems] == [code]
    assert outcome.state == "old" and site.state() == "old"
    assert site.steps[-1].text.startswith("restored: the files of before are back")
    assert site.leftovers() == []


def test_a_server_goes_down_after_the_files_were_swapped(site: Site) -> None:
    """Its files are as before, the other servers run the old state; when it is back, the next run makes sure of it."""
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(Proxy(site.servers[1].url))
        site.configure(urls=[site.servers[0].url, proxy.url])

        def checkpoint(name: str) -> None:
            if name == "swapped":
                stack.close()

        outcome, problems = site.apply(Options(patience=2, evaluated=False, checkpoint=checkpoint))
        assert [p.code for p in problems] == ["AK701", "AK729"] and outcome.state == "unclear"
        assert "the old files are back, but not loaded and verified" in problems[1].message
        assert site.state() == "old" and site.journal.exists()
        again, problems = site.apply()
        assert again.state == "unclear" and {p.code for p in problems} == {"AK729"} and site.state() == "old"
    with Proxy(site.servers[1].url, port=int(proxy.url.rpartition(":")[2])):
        outcome, problems = site.apply()
        assert outcome.done and problems == [] and site.state() == "new"
        assert site.steps[0].text.startswith("undoing what was left by") and site.leftovers() == []


def test_a_server_down_is_noticed_first(site: Site) -> None:
    site.configure(urls=[site.servers[0].url, f"http://127.0.0.1:{free_port()}"])
    outcome, problems = site.apply()
    assert {p.code for p in problems} == {"AK701"}
    assert outcome.state == "unchanged" and site.state() == "old"


def test_alertmanager_refuses_what_prometheus_took(site: Site) -> None:
    """amtool sees the build's folder, Alertmanager also the templates that stand in its own."""
    templates = site.root / "am" / "t.tmpl"
    templates.write_text("{{ nonsense")
    config = site.root / "build" / "alertmanager.yml"
    config.write_text(config.read_text() + "templates: ['*.tmpl']\n")
    outcome, problems = site.apply()
    templates.unlink()
    assert [p.code for p in problems] == ["AK711"]
    assert outcome.state == "old" and site.state() == "old"


def test_a_rule_that_does_not_evaluate_goes_back(site: Site) -> None:
    site.put("new", a=rules("a", expr=MANY_TO_MANY))
    outcome, problems = site.apply(Options(patience=2, on_step=site.steps.append))
    assert {p.code for p in problems} == {"AK736"}
    assert outcome.state == "old" and site.state() == "old"


def test_disk_full_at_every_write(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for number in range(1, 60, 3):
        left = number
        outcome, problems = site.apply()
        if not problems:
            break
        assert {p.code for p in problems} == {"AK726"}, problems
        assert outcome.state in ("old", "unchanged") and site.state() == "old", number
        assert site.leftovers() == []
    assert site.state() == "new" and number > 10


def test_a_folder_that_cannot_be_written(site: Site) -> None:
    site.configure("    state_dir: /proc/alertkit\n")
    outcome, problems = site.apply()
    assert {p.code for p in problems} == {"AK726"}
    assert outcome.state == "unchanged" and site.state() == "old"


def test_a_file_changed_by_hand(site: Site) -> None:
    path = site.root / "two" / "a.yml"
    path.write_text(path.read_text() + "# by hand\n")
    outcome, problems = site.apply()
    assert [p.code for p in problems] == ["AK731"] and str(path) in problems[0].message
    assert outcome.state == "unchanged"
    outcome, problems = site.apply(Options(patience=2, evaluated=False, overwrite=True))
    assert outcome.done and site.state() == "new"
    assert (site.root / "two" / "a.yml.by-hand").read_text().endswith("# by hand\n")
    (site.root / "two" / "a.yml.by-hand").unlink()


HOLDER = """
import sys, time
from pathlib import Path
from alertkit.deploy import Options, apply
from alertkit.source import Problems
from alertkit.spec.project import read_project
root = Path(sys.argv[1])
def checkpoint(name):
    if name == "swapped":
        (root / "held").touch()
        while not (root / "go").exists():
            time.sleep(0.02)
problems = Problems()
outcome = apply(read_project(root, problems), "prod", problems, Options(evaluated=False, checkpoint=checkpoint))
sys.exit(0 if outcome.done else 1)
"""


def test_two_at_once(site: Site) -> None:
    """The second is told who holds the lock, or waits for it and then does its own work."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(site.root)]) as child:
        while not (site.root / "held").exists():
            assert child.poll() is None
        outcome, problems = site.apply()
        assert [p.code for p in problems] == ["AK730"] and f"process {child.pid}," in problems[0].message
        assert outcome.state == "unchanged"
        waiting: list[str] = []

        def on_step(step: Step) -> None:
            if step.action == "wait":
                waiting.append(step.text)
                (site.root / "go").touch()
                # What is built now is for the one that waits; the other has read its build long ago.
                site.old()

        options = Options(patience=2, evaluated=False, lock_wait=60, on_step=on_step)
        outcome, problems = site.apply(options)
        assert child.wait(60) == 0
    for name in ("held", "go"):
        (site.root / name).unlink()
    assert outcome.done and problems == [], problems
    assert site.state() == "new"
    assert len(waiting) == 1 and f"process {child.pid}," in waiting[0]


def test_rollback(site: Site) -> None:
    first, _ = site.apply()
    assert first.done and site.state() == "new"
    back, problems = site.apply(Options(to=0, patience=2, evaluated=False))
    assert back.done and site.state() == "old", problems
    again, _ = site.apply(Options(to=first.number, patience=2, evaluated=False))
    assert again.done and site.state() == "new"
    _outcome, problems = site.apply(Options(to=999))
    assert [p.code for p in problems] == ["AK733"] and site.state() == "new"


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_credentials_come_from_files(site: Site, kind: str) -> None:
    expected = "Basic YW5uOmdlaGVpbQ==" if kind == "basic" else "Bearer geheim"
    secret = site.root / "secret"
    secret.write_text("geheim\n")
    extra = "username: ann, password_file: secret" if kind == "basic" else "bearer_token_file: secret"
    with Proxy(site.servers[1].url, auth=expected) as guarded:
        urls = [site.servers[0].url, guarded.url]
        site.configure(urls=urls)
        outcome, problems = site.apply()
        assert {p.code for p in problems} == {"AK707"} and site.state() == "old"
        site.configure(f"    http: {{{extra}}}\n", urls)
        outcome, problems = site.apply()
        assert outcome.done and site.state() == "new", problems
        secret.unlink()
        outcome, problems = site.apply()
        assert "AK714" in {p.code for p in problems}
    texts = [p.read_bytes() for p in site.journal.parent.rglob("*") if p.is_file()]
    assert not any(b"geheim" in text for text in texts) and "geheim" not in str(problems) + str(site.steps)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls_is_verified(site: Site, tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key.pem"), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    both = tmp_path / "both.pem"
    both.write_text((tmp_path / "key.pem").read_text() + certificate.read_text())
    with Proxy(site.servers[1].url, both) as secure:
        urls = [site.servers[0].url, secure.url]
        site.configure(urls=urls)
        outcome, problems = site.apply()
        assert {p.code for p in problems} == {"AK704"} and site.state() == "old"
        assert outcome.state == "unchanged"
        site.configure(f"    http: {{ca_file: {certificate}}}\n", urls)
        assert site.apply()[0].done and site.state() == "new"


def test_reload_by_signal(site: Site) -> None:
    for name, server in (("0", site.servers[0]), ("1", site.servers[1]), ("am", site.alertmanager)):
        (site.root / f"{name}.pid").write_text(f"{server.service.pid}\n")
    site.configure(
        "    reload_by: signal\n    prometheus_pid_file: [0.pid, 1.pid]\n"
        "    alertmanager_reload_by: signal\n    alertmanager_pid_file: am.pid\n"
    )
    assert site.apply()[0].done and site.state() == "new"
    site.old()
    for name, text in (("1", "nobody\n"), ("am", "999999999\n")):
        right = (site.root / f"{name}.pid").read_text()
        (site.root / f"{name}.pid").write_text(text)
        outcome, problems = site.apply()
        assert {p.code for p in problems} == {"AK715"} and f"{name}.pid" in problems[0].message
        assert outcome.state == "unchanged" and site.state() == "new"
        (site.root / f"{name}.pid").write_text(right)
    site.put("new", a=rules("a", expr=MANY_TO_MANY))
    outcome, problems = site.apply(Options(patience=2))
    assert {p.code for p in problems} == {"AK736"} and outcome.state == "old" and site.state() == "new"
    site.old()
    assert site.apply()[0].done and site.state() == "old"


@pytest.mark.skipif(not [b for b in binaries("prometheus") if "/3." in str(b)], reason="needs a Prometheus 3.5")
def test_reload_by_watching(tmp_path: Path) -> None:
    from tests.servers import start_prometheus

    binary = next(b for b in binaries("prometheus") if "/3." in str(b))
    arguments = ("--enable-feature=auto-reload-config", "--config.auto-reload-interval=1s")
    (tmp_path / "rules").mkdir()
    (tmp_path / "build" / "rules").mkdir(parents=True)
    from alertkit.deploy import Prometheus, apply
    from alertkit.spec.project import read_project

    (tmp_path / "build" / "rules" / "a.yml").write_text(rules("a"))
    with start_prometheus(binary, tmp_path / "rules", arguments=arguments) as server:
        (tmp_path / "alertkit.yaml").write_text(
            f"environments:\n  prod: {{prometheus: '{server.url}', rules_dir: rules, reload_by: watch}}\n"
        )
        project = read_project(tmp_path, Problems())
        assert project is not None
        outcome = apply(project, "prod", problems := Problems())
        assert outcome.done, problems
        assert [g.name for g in Prometheus(server.url).rules(problems) or ()] == ["a"]
        (tmp_path / "build" / "rules" / "a.yml").write_text(rules("b", expr=MANY_TO_MANY))
        outcome = apply(project, "prod", problems := Problems())
        assert (outcome.state, {p.code for p in problems}) == ("old", {"AK736"})
        assert [g.name for g in Prometheus(server.url).rules(Problems()) or ()] == ["a"]
    with start_prometheus(binary, tmp_path / "rules") as server:  # not watching
        (tmp_path / "alertkit.yaml").write_text(
            f"environments:\n  prod: {{prometheus: '{server.url}', rules_dir: rules, reload_by: watch}}\n"
        )
        project = read_project(tmp_path, Problems())
        assert project is not None
        outcome = apply(project, "prod", problems := Problems())
        assert (outcome.state, [p.code for p in problems]) == ("unchanged", ["AK708"])
