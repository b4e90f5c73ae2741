"""A detector that chooses its own set-up."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from flawline.data.source import open_source
from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.setup import effort
from flawline.jobs.train.setup.effort import EFFORTS, Search
from flawline.jobs.train.training_files import trained_as_dict
from flawline.jobs.train.training_pictures import write_training_report
from flawline.jobs.train.training_verdict import training_verdict
from flawline.jobs.train.view import ViewSettings
from helpers.discs import disc, heard, roles, spoilt, train, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


def stained(pixels: np.ndarray, seed: int) -> np.ndarray:
    """Stain a part softly, so that no two are near-copies."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.normal(0, 10, (7, 7, 3)), pixels.shape[1::-1])
    return np.clip(pixels + soft, 0, 255).astype(np.uint8)


def marked(seed: int, turn: float, hole: bool = False) -> np.ndarray:
    """A disc with a dark key at its rim, turned by some degrees; a hole is as dark as the key."""
    rng = np.random.default_rng(seed)
    pixels = np.full((96, 96, 3), 60, np.uint8)
    cv2.circle(pixels, (48, 48), 40, (170, 165, 160), -1)
    for angle, size in ((0, 9), (100, 6)):
        x, y = 48 + 28 * np.cos(np.radians(angle)), 48 + 28 * np.sin(np.radians(angle))
        cv2.circle(pixels, (round(x), round(y)), size, (30, 30, 30), -1)
    if hole:
        x, y = 48 + 28 * np.cos(np.radians(200)), 48 + 28 * np.sin(np.radians(200))
        cv2.circle(pixels, (round(x), round(y)), 7, (30, 30, 30), -1)
    matrix = cv2.getRotationMatrix2D((47.5, 47.5), turn, 1)
    turned = cv2.warpAffine(pixels, matrix, (96, 96), borderMode=cv2.BORDER_REPLICATE)
    return stained(turned + rng.normal(0, 3, turned.shape), seed)


@pytest.fixture(scope="module")
def turned(tmp_path_factory, network):
    folder = tmp_path_factory.mktemp("turned")
    rng = np.random.default_rng(0)
    for index in range(36):
        write(folder / "good" / f"{index}.png", marked(index, rng.uniform(0, 360)))
    for index in range(12):
        write(folder / "bad" / f"{index}.png", marked(100 + index, rng.uniform(0, 360), hole=True))
    return folder


@pytest.fixture(scope="module")
def chosen(turned, network):
    return train(turned, network, search=Search("normal", ("alignment", "method")))


def test_turned_parts_are_aligned_without_being_told(chosen):
    settings = chosen.recipe.settings
    assert settings.alignment.method in ("rigid", "polar")
    assert chosen.set_up.chosen.alignment == settings.alignment.method
    assert 10 <= chosen.set_up.known <= 12
    assert chosen.set_up.drawn == 0
    plain = next(
        t
        for t in chosen.set_up.trials
        if t.candidate.complexity
        == min(trial.candidate.complexity for trial in chosen.set_up.trials)
    )
    best = next(t for t in chosen.set_up.trials if t.candidate == chosen.set_up.chosen)
    assert best.scores.losses(0.05).mean() < plain.scores.losses(0.05).mean() - 0.2


def test_what_was_tried_is_told(chosen, tmp_path):
    found = trained_as_dict(chosen, tmp_path / "part.flaw")["setup"]
    assert found["effort"] == "normal"
    assert found["chosen"]["alignment"] == chosen.recipe.settings.alignment.method
    assert {row["alignment"] for row in found["tried"]} == {"none", "shift", "rigid", "polar"}
    assert all(("auroc" in row) != ("problem" in row) for row in found["tried"])
    assert chosen.recipe.manifest.settings["setup"] == found
    assert any(line.startswith("set-up chosen among") for line in chosen.messages)
    assert "by which the set-up was chosen" in training_verdict(chosen).text


def test_the_report_has_a_table_of_trials(chosen, turned, tmp_path):
    with open_source(turned) as source:
        page = write_training_report(chosen, source, tmp_path / "part.html").read_text("utf-8")
    table = page[page.index("<h2>What was tried</h2>") :]
    rows = table[: table.index("</table>")].split("<tr>")[2:]
    assert len(rows) == len(chosen.set_up.trials)
    assert sum(">chosen<" in row for row in rows) == 1
    best = next(row for row in rows if ">chosen<" in row)
    assert chosen.set_up.chosen.text in best


def test_pictures_for_calibration_take_no_part(turned, network, chosen):
    used = {sample for sample, role in roles(chosen).items() if role == "train"}
    held = {sample for sample, role in roles(chosen).items() if role == "calibration"}
    names = {f"good/{index}.png" for index in range(36)}
    assert used | (held & names) <= names
    assert not used & held
    assert 20 <= chosen.set_up.good <= len(used)


def test_the_same_pictures_give_the_same_choice(turned, network):
    first, again = (
        train(turned, network, search=Search("normal", ("foreground",))) for _ in range(2)
    )
    assert len(first.set_up.trials) == 2
    assert again.set_up.as_dict() == first.set_up.as_dict()
    assert again.recipe.sha256 == first.recipe.sha256


def test_defects_are_drawn_where_no_bad_part_is_known(network, tmp_path):
    write_discs(tmp_path, good=32)
    done = train(tmp_path, network, search=Search("normal", ("light",)))
    assert done.set_up.known == 0
    assert done.set_up.drawn > 15
    assert len(done.set_up.trials) == 4
    assert "drawn defects" in done.set_up.sentence
    assert training_verdict(done).usable == "unknown"
    assert set(roles(done)) == {f"good/{index}.png" for index in range(32)}


def test_beside_drawn_defects_a_good_picture_is_judged_by_itself(network, tmp_path):
    """The highest of a part's pictures beside single drawn ones would make parts of many pictures look bad."""
    write_discs(tmp_path, good=48)
    rows = [f"good/{n}.png,good,part {n // 4}" for n in range(48)]
    manifest = tmp_path / "samples.csv"
    manifest.write_text("\n".join(["image,label,group", *rows]) + "\n", "utf-8")
    done = train(manifest, network, search=Search("normal", ("foreground",)))
    assert done.set_up.by_picture
    trial = done.set_up.trials[0]
    assert len(trial.scores.good) == done.set_up.good > 12
    assert f"against {done.set_up.good} good pictures" in done.set_up.sentence
    assert trial.scores.auroc > 0.65


def test_resolution_is_chosen_up_to_that_of_the_pictures(network, tmp_path):
    for index in range(36):
        write(tmp_path / "good" / f"{index}.png", stained(disc(index, 160), index))
    for index in range(12):
        pixels = stained(disc(200 + index, 160), 200 + index)
        pixels[60 + index : 63 + index, 70:73] = 255 * (index % 2)
        write(tmp_path / "bad" / f"{index}.png", pixels)
    done = train(
        tmp_path,
        network,
        view=ViewSettings(window=(48, 48)),
        search=Search("quick", ("window",)),
    )
    # "quick" keeps the resolution.
    assert done.set_up.trials == ()
    assert done.recipe.settings.picture.window == (48, 48)
    done = train(
        tmp_path,
        network,
        view=ViewSettings(window=(48, 48)),
        search=Search("normal", ("window",)),
    )
    windows = [trial.candidate.window for trial in done.set_up.trials]
    assert windows[0] == (48, 48)
    assert windows[-1] == (160, 160)
    assert windows == sorted(set(windows))
    losses = {t.candidate: t.scores.losses(0.05).mean() for t in done.set_up.trials}
    assert losses[done.set_up.chosen] <= losses[done.set_up.trials[0].candidate]
    assert done.recipe.settings.picture.window == done.set_up.chosen.window


def test_what_is_named_stays(turned, network):
    done = train(
        turned,
        network,
        method="patch-memory",
        view=ViewSettings(window=(64, 64), alignment="shift"),
        search=Search("quick", ("light",)),
    )
    assert done.set_up.trials == ()
    assert done.recipe.settings.alignment.method == "shift"
    assert done.recipe.settings.detector.method == "patch-memory"


def test_few_parts_keep_the_usual_set_up(network, tmp_path):
    titles = []
    write_discs(tmp_path, good=12, bad=2)
    done = train(tmp_path, network, search=Search(), track=heard(titles))
    assert done.set_up.trials == ()
    assert not any(title.startswith("trying") for title in titles)
    assert "8 good pictures of 8 parts trials tell nothing" in done.set_up.sentence
    plain = train(tmp_path, network)
    assert plain.set_up is None
    assert "setup" not in plain.recipe.manifest.settings
    for name, array in plain.recipe.arrays.items():
        assert array.tobytes() == done.recipe.arrays[name].tobytes(), name


def test_work_is_bounded(turned, network, monkeypatch):
    monkeypatch.setattr(
        effort, "EFFORTS", {**EFFORTS, "quick": replace(EFFORTS["quick"], work=150.0)}
    )
    done = train(turned, network, search=Search("quick", ("alignment",)))
    problems = [trial.problem for trial in done.set_up.trials]
    assert problems == ["", *["beyond effort quick"] * 3]
    assert done.recipe.settings.alignment.method == "none"


def test_what_cannot_be_aligned_is_tried_without(network, tmp_path):
    for index in range(36):
        pixels = stained(disc(index), index)
        write(tmp_path / "good" / f"{index}.png", pixels[: 80 if index % 2 else 96])
    for index in range(10):
        write(tmp_path / "bad" / f"{index}.png", spoilt(100 + index))
    done = train(tmp_path, network, search=Search("quick", ("alignment",)))
    problems = {trial.candidate.alignment: trial.problem for trial in done.set_up.trials}
    assert problems["none"] == ""
    assert "one shape" in problems["rigid"]
    assert done.recipe.settings.alignment.method == "none"
    assert Inspector(done.recipe) is not None


def test_an_unknown_effort_is_an_error():
    with pytest.raises(UsageError, match="none, quick, normal, thorough"):
        Search("hard")
    assert AnomalySettings().search is None
