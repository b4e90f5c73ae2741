"""What every command shares: help, version, speed of starting, unexpected failures."""

import json
import os
import subprocess
import sys

import pytest

from flawline.cli import main as cli
from flawline.version import __version__


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

    monkeypatch.setattr(cli, "command_line", lambda: broken)
    assert cli.run(["rank", "x"]) == 2
    text = capsys.readouterr().err
    assert "unexpected ZeroDivisionError" in text
    assert "FLAWLINE_DEBUG" in text
    assert cli.run(["rank", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "internal"


def test_a_full_disk_is_told_as_such(monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out/ranking.csv")

    monkeypatch.setattr(cli, "command_line", lambda: full)
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


def test_doctor_says_what_it_cannot_find_out(monkeypatch, capsys):
    from flawline.networks import machine

    def broken():
        raise ImportError("libopenvino.so: cannot open shared object file")

    monkeypatch.setattr(machine, "openvino", broken)
    assert cli.run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "libopenvino.so" in found["runtimes"]["cannot be found out"]
    assert found["versions"]["flawline"] == __version__


def test_doctor_prints_brackets(monkeypatch, capsys):
    from flawline.networks import machine

    monkeypatch.setattr(machine, "describe_machine", lambda: {"extras": {"a": "flawline[train]"}})
    assert cli.run(["doctor"]) == 0
    assert "flawline[train]" in capsys.readouterr().out


@pytest.mark.parametrize("as_json", [True, False])
def test_output_is_utf8_whatever_the_locale(tmp_path, as_json):
    folder = tmp_path / "良品"
    folder.mkdir()
    result = subprocess.run(
        [sys.executable, "-m", "flawline", "rank", str(folder), *["--json"] * as_json],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        check=False,
    )
    assert result.returncode == 2
    output = (result.stdout if as_json else result.stderr).decode()
    assert "良品" in (json.loads(output)["error"]["message"] if as_json else output)
    assert "Traceback" not in result.stderr.decode()


def test_limits_are_whole_numbers_but_the_ratio():
    from flawline.cli.feature_options import parse_limits
    from flawline.errors import UsageError

    archive, image = parse_limits("max_ratio=350.5, max_pixels=1000")
    assert (archive.max_ratio, image.max_pixels) == (350.5, 1000)
    for text in ("max_ratio=0.5", "max_ratio=inf", "max_pixels=10.5", "max_ratio=1.", "size=3"):
        with pytest.raises(UsageError, match="--limits takes"):
            parse_limits(text)


@pytest.mark.parametrize(
    "redirection", ["--json >&-", ">&-", "--json 2>&-", "--json >/dev/full", ">/dev/full"]
)
def test_streams_that_cannot_be_written_make_no_traceback(redirection):
    command = f"{sys.executable} -m flawline doctor {redirection}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == (2 if "full" in redirection else 0)


def test_ctrl_c_says_that_what_is_done_is_kept(monkeypatch, capsys):
    monkeypatch.setattr(cli, "command_line", lambda: lambda *_, **__: 130)
    assert cli.run(["rank", "x", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"


def test_control_characters_in_names_do_not_reach_the_terminal(capsys):
    assert cli.run(["rank", "evil\x1b[2J\nerror: forged"]) == 2
    text = capsys.readouterr().err
    assert "\x1b[2J" not in text
    assert "\\x1b[2J\\nerror: forged" in text


@pytest.mark.skipif(sys.platform == "win32", reason="names are Unicode there")
def test_names_that_the_locale_cannot_read_are_a_usage_error_that_names_the_way_out(tmp_path):
    folder = tmp_path / "größe"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "flawline", "rank", str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C"},
        check=False,
    )
    assert done.returncode == 2
    assert "expected names in UTF-8" in done.stderr
    assert "PYTHONUTF8=1" in done.stderr
