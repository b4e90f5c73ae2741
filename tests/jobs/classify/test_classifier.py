import hashlib
import io
import json
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flawline.errors import ModelError
from flawline.jobs.classify.calibration import fit_calibration, log_odds
from flawline.jobs.classify.classifier import Classifier
from flawline.jobs.classify.classifier_file import load_classifier, save_classifier
from flawline.jobs.classify.classifier_fit import KINDS, fit_model


def problem(classes=3, rows=120, fields=6, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.sort(rng.integers(0, classes, rows))
    values = rng.normal(size=(rows, fields)) + 1.2 * np.eye(fields)[truth]
    return values.astype(np.float32), truth.astype(np.int64)


@cache
def trained(kind, classes=3, method="sigmoid"):
    values, truth = problem(classes)
    model = fit_model(values, truth, kind, 0)
    calibration = fit_calibration(model.probabilities(values), truth, method)
    names = tuple(f"class {k}" for k in range(classes))
    columns = tuple(f"c{k}" for k in range(values.shape[1]))
    return Classifier(names, columns, model, calibration, {"seed": 0}), values


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_model_says_the_same_alone_as_in_a_batch(kind, classes, tmp_path):
    classifier, values = trained(kind, classes, "isotonic" if classes == 2 else "sigmoid")
    loaded = load_classifier(save_classifier(classifier, tmp_path / "m"))
    together = loaded.calibrated(loaded.raw(values))
    alone = [loaded.calibrated(loaded.raw(row[None]))[0].tolist() for row in values[:25]]
    assert alone == together[:25].tolist()
    np.testing.assert_array_equal(together, classifier.calibrated(classifier.raw(values)))
    np.testing.assert_allclose(together.sum(axis=1), 1)
    assert loaded.classes == classifier.classes
    assert loaded.settings == classifier.settings


@pytest.mark.parametrize("classes", [2, 4])
def test_logistic_and_forest_are_those_of_scikit_learn(classes):
    values, truth = problem(classes)
    new, _ = problem(classes, seed=9)
    logistic = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=0.1, class_weight="balanced", max_iter=10_000, tol=1e-3),
    ).fit(values.astype(float), truth)
    ours = fit_model(values, truth, "logistic", 0).probabilities(new)
    np.testing.assert_allclose(ours, logistic.predict_proba(new.astype(float)), atol=1e-6)
    forest = RandomForestClassifier(
        200, class_weight="balanced", min_samples_leaf=3, random_state=4
    ).fit(values, truth)
    ours = fit_model(values, truth, "forest", 4).probabilities(new)
    np.testing.assert_allclose(ours, forest.predict_proba(new), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_boosting_is_scikit_learns_on_64_levels(classes, monkeypatch):
    values, truth = problem(classes)
    # New rows of values that were learnt from, so that the level of each is known.
    new = np.random.default_rng(9).permuted(values, axis=0)
    seen = []
    fit = HistGradientBoostingClassifier.fit

    def spy(self, *data):
        seen.append((self, data[0]))
        return fit(self, *data)

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", spy)
    ours = fit_model(values, truth, "boosting", 0).probabilities(new)
    ((theirs, learnt),) = seen
    columns = []
    for column, levels, drawn in zip(values.T, learnt.T, new.T, strict=True):
        order = np.argsort(column)
        assert (np.diff(levels[order]) >= 0).all()
        assert len(np.unique(levels)) == 64
        columns.append(levels[order][np.searchsorted(column[order], drawn)])
    np.testing.assert_allclose(ours, theirs.predict_proba(np.stack(columns, axis=1)), atol=1e-6)


def test_a_scikit_learn_that_is_not_understood_is_refused(monkeypatch):
    values, truth = problem()
    monkeypatch.setattr(
        RandomForestClassifier, "predict_proba", lambda self, rows: np.zeros((len(rows), 3))
    )
    with pytest.raises(ModelError, match="differs from scikit-learn"):
        fit_model(values, truth, "forest", 0)


def test_sigmoid_is_the_likeliest_curve_for_platts_targets():
    rng = np.random.default_rng(0)
    stated = rng.uniform(0.01, 0.99, 400)
    truth = (rng.uniform(size=400) < stated**2).astype(np.int64)
    fitted = fit_calibration(np.stack([1 - stated, stated], axis=1), truth, "sigmoid")
    yes, no = truth.sum(), (1 - truth).sum()
    # The same likelihood as doubled rows with the targets as weights.
    odds = log_odds(stated)[:, None]
    target = np.where(truth == 1, (yes + 1) / (yes + 2), 1 / (no + 2))
    same = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(
        np.vstack([odds, odds]),
        np.repeat([1, 0], 400),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    assert fitted.slope[1] == pytest.approx(same.coef_[0, 0], rel=1e-4)
    assert fitted.offset[1] == pytest.approx(same.intercept_[0], rel=1e-4, abs=1e-4)


def test_isotonic_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    stated = rng.uniform(size=300)
    truth = (rng.uniform(size=300) < stated**3).astype(np.int64)
    raw = np.stack([1 - stated, stated], axis=1)
    ours = fit_calibration(raw, truth, "isotonic").apply(raw)
    theirs = IsotonicRegression(y_min=0, y_max=1).fit(stated, truth).predict(stated)
    np.testing.assert_allclose(ours[:, 1], theirs, atol=1e-9)
    nobody = np.array([[0.0, 0.0]])
    assert fit_calibration(raw, truth, "isotonic").apply(nobody).sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_classifier_gives_the_same_bytes(kind, tmp_path):
    one, two = (save_classifier(trained(kind)[0], tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def edited(path, **changes):
    files = contents(path)
    manifest = {**json.loads(files["manifest.json"]), **changes}
    written(path, {**files, "manifest.json": json.dumps(manifest)})


def swapped(path, **arrays):
    """Replace arrays and make the manifest agree, as an attacker would."""
    files = contents(path)
    manifest = json.loads(files["manifest.json"])
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        file = name.replace("__", ".") + ".npy"
        files[file] = buffer.getvalue()
        manifest["sha256"][file] = hashlib.sha256(files[file]).hexdigest()
    written(path, {**files, "manifest.json": json.dumps(manifest)})


def without(name):
    return lambda path: written(path, {n: d for n, d in contents(path).items() if n != name})


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def with_manifest(text):
    return lambda path: written(path, {**contents(path), "manifest.json": text})


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (cut, "model-damaged"),
        (Path.unlink, "model-missing"),
        (without("model.left.npy"), "model-damaged"),
        (without("manifest.json"), "model-damaged"),
        (with_manifest("{"), "model-damaged"),
        (with_manifest("[1]"), "model-damaged"),
        (lambda f: edited(f, kind="ranking model"), "model-damaged"),
        (lambda f: edited(f, schema=9), "model-foreign"),
        (lambda f: edited(f, model="pickle"), "model-damaged"),
        (lambda f: edited(f, classes=["a"]), "model-damaged"),
        (lambda f: edited(f, classes=["a", "a", "a"]), "model-damaged"),
        (lambda f: edited(f, columns=["a"]), "model-damaged"),
        (lambda f: edited(f, settings=None), "model-damaged"),
        (lambda f: swapped(f, model__left=np.zeros((200, 9), np.int32)), "model-damaged"),
        (lambda f: swapped(f, model__threshold=np.array([[np.nan]])), "model-damaged"),
        (lambda f: swapped(f, model__left=np.array([[{}]], object)), "model-damaged"),
    ],
)
def test_a_damaged_or_foreign_model_is_refused(damage, code, tmp_path):
    path = save_classifier(trained("forest")[0], tmp_path / "m")
    damage(path)
    with pytest.raises(ModelError) as caught:
        load_classifier(path)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_tree_that_would_never_end_is_refused(tmp_path):
    classifier, _ = trained("forest")
    folder = save_classifier(classifier, tmp_path / "m")
    swapped(folder, model__left=np.where(classifier.model.left >= 0, 0, -1).astype(np.int32))
    with pytest.raises(ModelError, match="left holds values out of range"):
        load_classifier(folder)
