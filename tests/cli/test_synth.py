"""`flawline synth`: drawn sets from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from flawline.api.synth import parse_drift, parse_label_noise
from flawline.cli.synth import synth
from flawline.errors import UsageError


def run(arguments: list[str]) -> Any:
    """The command on its own, as the `flawline` command holds it."""
    app = typer.Typer()
    app.add_typer(synth)

    @app.callback()
    def several() -> None: ...

    return app(arguments, standalone_mode=False)


def test_a_set_with_its_shares_and_splits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    arguments = ["synth", "heat-sink", str(out), "-n", "12", "--processes", "1"]
    assert (
        run([*arguments, "--label-noise", "missing=0.3, extra=0.1", "--drift", "1.2", "--json"])
        == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["pictures"] == 12
    assert sum(document["shares"].values()) == pytest.approx(1)
    assert sum(document["splits"].values()) == 12
    assert document["label_errors"] > 0
    assert len(list((out / "images").iterdir())) == len(list((out / "truth").iterdir())) == 12


def test_what_a_person_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["synth", "heat-sink", str(tmp_path / "set"), "-n", "4", "--processes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "4 pictures" in printed
    assert "background 9" in printed
    assert "train 4" in printed


def test_label_noise_is_read() -> None:
    noise = parse_label_noise("wrong-class=0.1,shifted=0.2")
    assert (noise.missing, noise.extra, noise.wrong_class, noise.shifted) == (0, 0, 0.1, 0.2)
    assert not parse_label_noise(None).any()


@pytest.mark.parametrize(
    "text", ["missing", "missing=a", "missing=2", "gone=0.1", "missing=0.1,missing=0.1"]
)
def test_label_noise_that_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="NAME=SHARE"):
        parse_label_noise(text)


def test_drift_is_read() -> None:
    assert parse_drift("1.5") == (1.5, 0.0)
    assert parse_drift(" 3% ", 60) == (1.0, 0.03)
    for wrong in ("", "3 percent", "%"):
        with pytest.raises(UsageError, match="such as 1"):
            parse_drift(wrong)
    with pytest.raises(UsageError, match="drift_from"):
        parse_drift("1.5", 60)
