import csv
import shutil

import pytest

from flawline.errors import ModelError, UsageError
from flawline.features.compute import FeatureSettings
from flawline.jobs.classify.apply_classifier import apply_classifier
from flawline.jobs.classify.classification_tables import classification_as_dict
from flawline.jobs.classify.classifier_file import load_classifier, save_classifier
from flawline.jobs.classify.classify import classify
from helpers.networks import write_network
from helpers.pictures import parts

PLAIN = FeatureSettings(features=("average_pixels", "level_histogram"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "parts"
    parts(folder, good=14, bad=9)
    return folder


def manifest(folder, rows, name="samples.csv"):
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def rows_of(folder):
    return [
        {"image": f"{kind}/part_{i}.png", "label": kind, "group": i // 2, "lot": i % 7}
        for kind, count in (("good", 14), ("bad", 9))
        for i in range(count)
    ]


def test_easy_parts_are_learned_and_the_missing_groups_are_said(folder):
    found = classify(folder, folds=3, settings=PLAIN)
    assert found.classes == ("bad", "good")
    assert found.evaluation.balanced_accuracy > 0.9
    assert found.evaluation.positive == "bad"
    assert "no groups" in found.warnings[0]
    assert {p.fold for p in found.predictions} == {1, 2, 3}
    assert "every picture for itself" in found.settings["split"]


def test_the_same_source_gives_the_same_document(folder):
    one, two = (classification_as_dict(classify(folder, folds=3, settings=PLAIN)) for _ in range(2))
    assert one == two


def test_groups_of_a_manifest_are_never_torn(folder):
    found = classify(manifest(folder, rows_of(folder)), folds=3, settings=PLAIN)
    assert found.warnings == ()
    assert "by column 'group': 7 groups" in found.settings["split"]
    fold = {}
    for prediction in found.predictions:
        assert fold.setdefault(prediction.sample.group, prediction.fold) == prediction.fold


def test_another_column_may_group(folder):
    source = manifest(folder, rows_of(folder))
    found = classify(source, folds=3, group="lot", settings=PLAIN)
    assert "by column 'lot': 7 groups" in found.settings["split"]
    with pytest.raises(UsageError, match="no column 'shift'") as caught:
        classify(source, group="shift", settings=PLAIN)
    assert "lot" in caught.value.hint


def test_pictures_without_a_label_are_predicted_by_the_final_model(folder):
    rows = rows_of(folder)
    rows[0]["label"] = rows[1]["label"] = ""
    found = classify(manifest(folder, rows, "some.csv"), folds=3, settings=PLAIN)
    assert [p.sample.name for p in found.predictions if p.fold is None] == [
        "good/part_0.png",
        "good/part_1.png",
    ]
    assert found.evaluation.pictures == 21


def test_a_saved_classifier_predicts_as_the_fresh_one(folder, tmp_path):
    network = FeatureSettings(
        features=("average_pixels", "embedding"),
        backbone=str(write_network(tmp_path / "n.onnx")),
        precision="f32",
    )
    found = classify(folder, folds=3, model="forest", settings=network)
    loaded = load_classifier(save_classifier(found.classifier, tmp_path / "classifier"))
    few = tmp_path / "few"
    for name in ("good/part_3.png", "good/part_4.png", "bad/part_1.png"):
        (few / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / name, few / name)
    again = apply_classifier(loaded, few)
    direct = apply_classifier(found.classifier, few)
    assert [p.probabilities for p in again.predictions] == [
        p.probabilities for p in direct.predictions
    ]
    alone = apply_classifier(loaded, folder / "good" / "part_3.png")
    same = next(p for p in again.predictions if p.sample.name == "good/part_3.png")
    assert alone.predictions[0].probabilities == same.probabilities
    assert alone.evaluation is None
    assert again.evaluation is not None
    other = write_network(tmp_path / "other.onnx", seed=1)
    with pytest.raises(ModelError, match="was made with backbone_sha256") as caught:
        apply_classifier(loaded, few, backbone=str(other))
    assert caught.value.code == "model-backbone"
    (tmp_path / "no.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="was made with backbone_sha256"):
        apply_classifier(loaded, few, backbone=str(tmp_path / "no.onnx"))
    moved = shutil.move(tmp_path / "n.onnx", tmp_path / "elsewhere.onnx")
    assert apply_classifier(loaded, few, backbone=str(moved)).predictions


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "svm"}, "logistic, forest, boosting"),
        ({"calibration": "beta"}, "sigmoid, isotonic"),
        ({"folds": 2}, "at least 3 folds"),
        ({"folds": 10}, "10 pictures of every class, 'bad' has 9"),
    ],
)
def test_senseless_arguments_are_refused(folder, arguments, message):
    with pytest.raises(UsageError, match=message):
        classify(folder, settings=PLAIN, **arguments)


def test_one_label_or_one_group_cannot_be_learned(folder):
    with pytest.raises(UsageError, match="at least two labels"):
        classify(folder / "good", settings=PLAIN)
    one = [{**row, "group": 1} for row in rows_of(folder)]
    with pytest.raises(UsageError, match="at least two groups"):
        classify(manifest(folder, one, "one.csv"), settings=PLAIN)
