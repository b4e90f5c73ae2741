"""What a recipe finds of drawn defects: which pictures may be used, the report, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study.pod_report import write_pod
from flawline.jobs.study.pod_study import PodStudy
from flawline.recipe import Recipe, write_recipe
from helpers.discs import train, write, write_discs
from helpers.drawn_segmenter import segment_recipe
from helpers.networks import write_network


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe, the parts that it learnt from, and other good ones with two bad ones."""
    root = tmp_path_factory.mktemp("pod")
    network = write_network(root / "small.onnx")
    trained = train(write_discs(root / "parts", good=30), network)
    write_recipe(trained.recipe, root / "disc.flaw")
    write_discs(root / "new", good=14, bad=2, first=200)
    return root


@pytest.fixture(scope="module")
def found(shop: Path) -> PodStudy:
    return flawline.study_pod(
        shop / "disc.flaw",
        shop / "new",
        kinds=["spot", "scratch"],
        contrasts=(0.2, 0.5),
        defects=12,
    )


def refusal(*given: Any, **settings: Any) -> FlawlineError:
    with pytest.raises(FlawlineError) as caught:
        flawline.study_pod(*given, **settings)
    return caught.value


def test_only_good_pictures_are_drawn_into(found: PodStudy) -> None:
    used = {*found.test.pictures, *found.test.refused}
    assert used == {f"good/{seed}.png" for seed in range(200, 214)}
    assert len(found.test.pictures) >= 10
    assert found.left_out == ()
    assert found.finding.startswith("disc: at 20 % contrast, ")


def test_pictures_that_were_learnt_from_are_refused(shop: Path) -> None:
    error = refusal(shop / "disc.flaw", shop / "parts")
    assert error.code == "pod-leak"
    assert "learnt from 21 of 30 good pictures" in error.message
    assert "drop_known" in error.hint


def test_pictures_that_set_the_thresholds_may_be_used(shop: Path) -> None:
    error = refusal(shop / "disc.flaw", shop / "parts", drop_known=True)
    assert error.code == "pod-too-few"
    assert "at least 10 good parts that the recipe did not learn from, got 9 (21" in error.message


def test_too_few_good_parts_are_refused(shop: Path, tmp_path: Path) -> None:
    few = write_discs(tmp_path, good=9, first=300)
    error = refusal(shop / "disc.flaw", few)
    assert (error.code, "got 9" in error.message) == ("pod-too-few", True)


def test_too_few_accepted_parts_are_refused(shop: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for place in range(12):
        noise = rng.integers(0, 255, (96, 96, 3), dtype=np.uint8)
        write(tmp_path / "good" / f"{place}.png", noise)
    error = refusal(shop / "disc.flaw", tmp_path)
    assert error.code == "pod-too-few"
    assert "fewer than 10 of 12 good pictures are accepted" in error.message


def test_pictures_that_cannot_be_read_are_listed(shop: Path, tmp_path: Path) -> None:
    write_discs(tmp_path, good=14, first=200)
    (tmp_path / "good" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    study = flawline.study_pod(
        shop / "disc.flaw", tmp_path, kinds=["spot"], contrasts=[0.5], defects=6
    )
    assert [one.image for one in study.unjudged] == ["good/broken.png"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kinds": ["hole"]}, "`kinds` takes spot"),
        ({"contrasts": [2.0]}, "`contrasts` takes shares"),
        ({"defects": 1}, "`defects` takes 6 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    shop: Path, settings: dict[str, Any], words: str
) -> None:
    error = refusal(shop / "disc.flaw", shop / "new", **settings)
    assert isinstance(error, UsageError)
    assert words in error.message


def segmenter(path: Path) -> Recipe:
    recipe: Recipe = segment_recipe(path, thresholds=(0.9, 0.9))
    return recipe


def test_a_segmenter_needs_a_class_that_can_be_drawn(shop: Path, tmp_path: Path) -> None:
    error = refusal(segmenter(tmp_path / "segmenter.onnx"), shop / "new")
    assert error.code == "pod-kinds"
    assert "segmenter of dark, bright" in error.message
    assert "`kinds`" in error.hint


def test_a_segmenter_is_tested_with_kinds_that_are_named(tmp_path: Path) -> None:
    for place in range(10):
        write(tmp_path / "good" / f"{place}.png", np.full((80, 100, 3), 96 + place, np.uint8))
    study = flawline.study_pod(
        segmenter(tmp_path / "segmenter.onnx"),
        tmp_path / "good",
        kinds=["spot"],
        contrasts=[0.1, 0.39],
        defects=12,
    )
    by_contrast = {
        (limit.contrast, limit.pod.found == limit.pod.defects) for limit in study.test.limits
    }
    assert {(-0.39, True), (0.39, True), (-0.1, False), (0.1, False)} == by_contrast


def test_the_report_and_the_document_hold_the_study(found: PodStudy, tmp_path: Path) -> None:
    page = write_pod(found, tmp_path).read_text(encoding="utf-8")
    document = json.loads((tmp_path / "pod.json").read_text(encoding="utf-8"))
    assert document == json.loads(json.dumps(found.as_dict()))
    assert document["self_test"]["sentence"] == found.test.sentence
    assert page.count("<svg") == 4
    assert "At 20 % contrast:" in page
    assert "dark scratches" in page
    assert "fewer than the 60" in page
    assert 'src="http' not in page


def test_the_same_seed_gives_the_same_page(shop: Path, tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        study = flawline.study_pod(
            shop / "disc.flaw", shop / "new", kinds=["spot"], contrasts=[0.5], defects=6, seed=4
        )
        (tmp_path / name).mkdir()
        pages.append(write_pod(study, tmp_path / name).read_bytes())
    assert pages[0] == pages[1]


def test_the_command_prints_and_writes(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["study", "pod", str(shop / "disc.flaw"), str(shop / "new"), "--kinds", "spot"]
    more = ["--contrasts", "0.5", "--defects", "6", "-o", str(tmp_path / "out"), "-q"]
    assert run([*arguments, *more]) == 0
    shown = capsys.readouterr().out
    assert "disc: at 50 % contrast, " in " ".join(shown.split())
    assert "dark spots" in shown
    assert (tmp_path / "out" / "pod.html").is_file()
    assert run([*arguments, *more, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["part"] == "disc"
    assert run([*arguments, "--contrasts", "half", "-q"]) == 2
    assert "--contrasts takes shares" in capsys.readouterr().err
    assert run(["study", "pod", str(shop / "disc.flaw"), str(shop / "parts"), "-q"]) == 2
    assert "leave these out with --drop-known" in capsys.readouterr().err
