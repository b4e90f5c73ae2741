"""What every command shares: help, version, speed of starting, unexpected failures."""

import json
import subprocess
import sys

import pytest

from flawline import __version__
from flawline.cli import main as cli


def fresh(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)


def test_help_names_the_commands_and_exit_codes():
    text = fresh("-m", "flawline", "--help").stdout
    assert all(name in text for name in ("rank", "demo", "doctor", "Exit codes"))


def test_version():
    assert fresh("-m", "flawline", "--version").stdout == f"flawline {__version__}\n"


@pytest.mark.parametrize("code", ["import flawline", "import flawline.cli.main"])
def test_starting_loads_nothing_heavy(code):
    """The budget is 0.15 s for the import and 0.3 s for the help; heavy modules are what breaks it."""
    heavy = [
        "numpy",
        "cv2",
        "openvino",
        "sklearn",
        "polars",
        "matplotlib",
        "PIL",
        "scipy",
        "jinja2",
    ]
    check = f"{code}; import sys; print([m for m in {heavy!r} if m in sys.modules])"
    assert fresh("-c", check).stdout.strip() == "[]"


def test_an_unexpected_failure_is_no_traceback(monkeypatch, capsys):
    def broken(*_, **__):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cli, "app", broken)
    assert cli.run(["rank", "x"]) == 2
    text = capsys.readouterr().err
    assert "unexpected ZeroDivisionError" in text
    assert "FLAWLINE_DEBUG" in text
    assert cli.run(["rank", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "internal"


def test_a_full_disk_is_told_as_such(monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out/ranking.csv")

    monkeypatch.setattr(cli, "app", full)
    assert cli.run(["rank", "x"]) == 2
    assert "No space left on device: out/ranking.csv" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_failure():
    command = f"{sys.executable} -m flawline doctor --json | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_doctor_tells_versions_cpu_and_backbones(capsys):
    assert cli.run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["versions"]["flawline"] == __version__
    assert found["machine"]["cores"] >= 1
    assert (
        "f32" in found["runtimes"]["chosen by default"]
        or "bf16" in found["runtimes"]["chosen by default"]
    )
    assert found["backbones"]["flawline-small"].startswith("embedded, ")
    assert cli.run(["doctor"]) == 0
    assert "OpenVINO" in capsys.readouterr().out
