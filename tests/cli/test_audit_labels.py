"""`flawline audit-labels`: options, documents and exit codes, with what segmenters see drawn instead of learnt."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import typer

from flawline.cli.audit_labels import audit_labels
from flawline.cli.mask_options import parse_class_names, parse_palette
from flawline.errors import DependencyError, SourceError, UsageError
from flawline.jobs.train.segment import extra

SIDE = 64


def run(arguments):
    """The command on its own, as the `flawline` command holds it."""
    app = typer.Typer()
    app.command("audit-labels")(audit_labels)
    return app([str(argument) for argument in arguments], standalone_mode=False)


def shown(number):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(mask, (20 + 2 * number, 30), 9, (1 + number % 2,), -1)
    return mask


@pytest.fixture
def parts(tmp_path):
    """Eight pictures with masks beside them; the mark of the fourth is missing."""
    folder = tmp_path / "parts"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(8):
        mask = shown(number)
        pixels = np.where(mask > 0, 180, 80 + number).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), pixels)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask * (number != 3))
    return folder


@pytest.fixture
def seeing(monkeypatch):
    """Segmenters that see the truth."""

    def predict_folds(source, plan, settings, work, kept, track):
        for number, sample in enumerate(plan.samples):
            truth = shown(int(sample.name.rpartition("/")[2].partition(".")[0]))
            shares = np.full((3, SIDE, SIDE), 0.01, np.float32)
            np.put_along_axis(shares, truth[None].astype(np.int64), np.float32(0.98), 0)
            kept.write(number, source.pair(sample)[1], shares)

    module = SimpleNamespace(predict_folds=predict_folds)
    monkeypatch.setitem(sys.modules, "flawline.jobs.train.audit.audit_folds", module)
    monkeypatch.setattr(extra, "require_extra", lambda: None)


def test_the_missing_mark_is_found(parts, tmp_path, seeing, capsys):
    out = tmp_path / "audit"
    arguments = [parts / "images", "-o", out, "--annotations", parts / "masks"]
    assert run([*arguments, "--classes", "scratch,stain", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["suspects"] == 1
    worst = document["pictures"][0]
    assert (worst["rank"], worst["image"]) == (1, "3.png")
    assert [(r["kind"], r["given"], r["seen"]) for r in worst["regions"]] == [
        ("missing", "background", "stain")
    ]
    names = {path.name for path in out.iterdir()}
    assert names == {
        "label-audit.csv",
        "label-audit.json",
        "label-audit-coco.json",
        "report.html",
        "work",
    }


def test_what_a_person_reads(parts, tmp_path, seeing, capsys):
    arguments = [parts / "images", "-o", tmp_path / "audit", "--annotations", parts / "masks"]
    assert run([*arguments, "--classes", "1=scratch,2=stain"]) == 1
    printed = capsys.readouterr()
    assert "1 region looks wrong in 1 of 8 masks: 1 missing." in printed.out
    assert "3.png" in printed.out
    assert "wrote" in printed.err


def test_nothing_suspicious_ends_with_0(parts, tmp_path, seeing, capsys):
    cv2.imwrite(str(parts / "masks" / "3.png"), shown(3))
    arguments = [parts / "images", "-o", tmp_path / "audit", "--annotations", parts / "masks"]
    assert run([*arguments, "--classes", "scratch,stain", "-q"]) == 0
    printed = capsys.readouterr()
    assert printed.out == (
        "Only 8 masks to learn from: look at every one\nNo region of 8 masks looks wrong.\n"
    )
    assert printed.err == ""


def test_segmenters_that_learnt_nothing_list_no_suspect_and_end_with_2(
    parts, tmp_path, seeing, monkeypatch, capsys
):
    def predict_folds(source, plan, settings, work, kept, track):
        for number, sample in enumerate(plan.samples):
            kept.write(number, source.pair(sample)[1], np.full((3, SIDE, SIDE), 1 / 3, np.float32))

    monkeypatch.setitem(
        sys.modules,
        "flawline.jobs.train.audit.audit_folds",
        SimpleNamespace(predict_folds=predict_folds),
    )
    out = tmp_path / "audit"
    arguments = [parts / "images", "-o", out, "--annotations", parts / "masks"]
    arguments += ["--classes", "scratch,stain", "--epochs", "1", "-q"]
    assert run(arguments) == 2
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("Not audited: the segmenters learnt nothing, IoU on masks they did not")
    assert second == "None of 8 masks was judged."
    assert third == "Next: the same command with --epochs 3 and another --out"
    assert (out / "label-audit.csv").read_text(encoding="utf-8").count("\n") == 1
    assert run([*arguments, "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["usable"], document["suspects"], document["pictures"]) == ("no", 0, [])
    assert [one["learnt"] for one in document["learning"].values()] == [False] * 3


def test_what_could_not_be_read_ends_with_2(parts, tmp_path, seeing, capsys):
    (parts / "images" / "5.png").write_bytes(b"no picture")
    arguments = [parts / "images", "-o", tmp_path / "audit", "--annotations", parts / "masks"]
    assert run([*arguments, "--classes", "scratch,stain", "--json"]) == 2
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert [item["image"] for item in document["unjudged"]] == ["5.png"]
    assert document["suspects"] == 1
    assert "could not be judged: 5.png" in printed.err


def test_limits_are_taken_without_training_again(parts, tmp_path, seeing, capsys):
    arguments = [parts / "images", "-o", tmp_path / "audit", "--annotations", parts / "masks"]
    arguments += ["--classes", "scratch,stain", "--json"]
    assert run(arguments) == 1
    assert run([*arguments, "--smallest", "1000"]) == 0
    capsys.readouterr()


def test_other_settings_do_not_go_on_with_the_work(parts, tmp_path, seeing):
    arguments = [parts / "images", "-o", tmp_path / "audit", "--annotations", parts / "masks"]
    arguments += ["--classes", "scratch,stain", "-q"]
    assert run(arguments) == 1
    for other in (["--epochs", "3"], ["--folds", "3"], ["--network", "unet"], ["--seed", "1"]):
        with pytest.raises(UsageError, match="the work of an audit of other pictures"):
            run([*arguments, *other])


@pytest.mark.skipif(find_spec("torch") is not None, reason="the extra [train] is installed")
def test_without_the_extra_the_error_names_it(parts, tmp_path):
    arguments = [parts / "images", "-o", tmp_path / "audit", "--annotations", parts / "masks"]
    with pytest.raises(DependencyError, match="training segmenters") as caught:
        run([*arguments, "--classes", "scratch,stain"])
    assert "pip install" in caught.value.hint
    assert not (tmp_path / "audit").exists()


def test_a_source_without_masks(parts, tmp_path, seeing):
    (parts / "plain").mkdir()
    (parts / "images" / "0.png").rename(parts / "plain" / "0.png")
    with pytest.raises(SourceError, match="masks"):
        run([parts / "plain", "-o", tmp_path / "audit", "--classes", "scratch,stain"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--folds", "1"], "2 to 100 folds"),
        (["--folds", "9"], "at least 9 parts"),
        (["--quality", "0.9"], "a quality above 0"),
        (["--patch", "wide"], "`patch` takes"),
        (["--minutes", "0"], "minutes is above 0"),
        (["--epochs", "0"], "epochs is above 0"),
        (["--unlabelled", "guess"], "leave-out"),
        (["--device", "abacus"], "device 'abacus'"),
    ],
)
def test_options_that_make_no_sense(parts, tmp_path, seeing, options, message):
    arguments = [parts / "images", "-o", tmp_path / "audit", "--annotations", parts / "masks"]
    with pytest.raises(UsageError, match=message):
        run([*arguments, "--classes", "scratch,stain", *options])


def test_names_of_classes():
    assert parse_class_names(None) is None
    assert parse_class_names("scratch, stain") == ["scratch", "stain"]
    assert parse_class_names("1=scratch,255=stain") == {1: "scratch", 255: "stain"}


def test_colours_of_classes():
    assert parse_palette(None) is None
    assert parse_palette("scratch=0000ff, stain=#FF0010") == {
        "scratch": (0, 0, 255),
        "stain": (255, 0, 16),
    }


@pytest.mark.parametrize(
    "text", ["scratch", "scratch=blue", "=0000ff", "a=00ff", "a=000000,a=111111"]
)
def test_colours_that_are_none(text):
    with pytest.raises(UsageError, match="NAME=RRGGBB"):
        parse_palette(text)
