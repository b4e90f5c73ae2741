"""The self-test at the end of a training: when it runs, what it tells, and when it refuses the recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from flawline.cli.main import run
from flawline.data.source import open_source
from flawline.errors import UsageError
from flawline.inspector import self_test as testing
from flawline.jobs.train import self_test as trained_tests
from flawline.jobs.train.recalibration import with_calibration
from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.jobs.train.training_pictures import write_training_report
from flawline.jobs.train.view import ViewSettings
from helpers.discs import heard, roles, train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module", autouse=True)
def few_defects() -> Iterator[None]:
    """Few defects of each size: what a training does with the answer needs no more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trained_tests, "DEFECTS", 9)
        yield


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_discs(tmp_path_factory.mktemp("parts"), good=30)


@pytest.fixture(scope="module")
def tested(parts: Path, network: Path) -> AnomalyTraining:
    return train(parts, network, self_test="check")


def test_the_sentence_stands_in_messages_metrics_and_report(
    tested: AnomalyTraining, parts: Path, tmp_path: Path
) -> None:
    assert tested.self_test is not None
    assert tested.messages[-1] == f"self-test: {tested.self_test.sentence}"
    metrics = tested.recipe.manifest.metrics["self_test"]
    assert metrics["sentence"] == tested.self_test.sentence
    assert len(metrics["limits"]) == 8
    with open_source(parts) as source:
        page = write_training_report(tested, source, tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    assert "What it cannot see" in text
    assert text.count("<svg") == 5


def test_defects_are_drawn_into_held_out_pictures(tested: AnomalyTraining) -> None:
    assert tested.self_test is not None
    own = roles(tested)
    assert {own[name] for name in tested.self_test.pictures} == {"calibration"}


def test_without_held_out_pictures_another_detector_is_tested(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = write_discs(tmp_path, good=26)
    seen: list[tuple[str, ...]] = []

    def spy(read, samples: Sequence, inspector, plan, **more):  # type: ignore[no-untyped-def]
        seen.append(tuple(sample.name for sample in samples))
        assert inspector.recipe.sha256 != ""
        found = testing.self_test(read, samples, inspector, plan, **more)
        states.append(inspector.recipe)
        return found

    states: list = []
    monkeypatch.setattr(trained_tests, "self_test", spy)
    trained = train(parts, network, held_out=None, self_test="report", set_aside=False)
    assert set(roles(trained).values()) == {"train"}
    assert len(seen[0]) == 6
    own, final = states[0].arrays, trained.recipe.arrays
    assert any((own[name] != final[name]).any() for name in own if name.startswith("detector_"))
    assert states[0].settings.threshold == trained.recipe.settings.threshold


def test_too_few_pictures_are_no_test(tmp_path: Path, network: Path) -> None:
    trained = train(write_discs(tmp_path, good=12), network, self_test="check")
    assert trained.self_test is None
    assert "no self-test of what the recipe cannot see" in trained.messages[-1]
    assert "self_test" not in trained.recipe.manifest.metrics


def test_it_can_be_turned_off(parts: Path, network: Path) -> None:
    titles: list[str] = []
    trained = train(parts, network, self_test="off", track=heard(titles))
    assert trained.self_test is None
    assert not [title for title in titles if "self-test" in title]
    with pytest.raises(UsageError, match="self_test 'never' is not one of check, report, off"):
        train(parts, network, self_test="never")


def test_the_same_training_gives_the_same_recipe(
    tested: AnomalyTraining, parts: Path, network: Path
) -> None:
    assert train(parts, network, self_test="check").recipe.sha256 == tested.recipe.sha256


def test_a_smallest_defect_that_is_not_found_is_refused(
    parts: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(read, samples, inspector, plan, **more):  # type: ignore[no-untyped-def]
        found = testing.self_test(read, samples, inspector, plan, **more)
        trials = [replace(trial, found=False) for trial in found.trials]
        return replace(found, limits=testing.detection_limits(trials))

    monkeypatch.setattr(trained_tests, "self_test", missing)
    view = ViewSettings(window=(64, 64), min_defect="6 px")
    with pytest.raises(UsageError) as caught:
        train(parts, network, view=view, self_test="check")
    assert caught.value.code == "self-test-min-defect"
    assert "a defect of 6 px would not be found" in caught.value.message
    assert "0 of 8 were" in caught.value.message
    assert "`self_test=report`" in caught.value.hint
    assert train(parts, network, view=view, self_test="report").self_test is not None


def test_the_command_takes_it(
    parts: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "anomaly", str(parts), "--backbone", str(network), "--window", "64"]
    more = ["--held-out", "0.3", "--effort", "none", "-o", str(tmp_path / "disc.flaw"), "-q"]
    assert run([*arguments, *more]) == 0
    assert "self-test: at 20 % contrast, " in capsys.readouterr().out
    assert run([*arguments, *more, "--self-test", "off"]) == 0
    assert "self-test" not in capsys.readouterr().out


def test_an_update_keeps_no_self_test_by_older_thresholds() -> None:
    old = {"calibration": 1, "self_test": {"sentence": "finds dark spots"}, "segments": 2}
    assert with_calibration(old, {"calibration": 3}) == {"calibration": 3, "segments": 2}
