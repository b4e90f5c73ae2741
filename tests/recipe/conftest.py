"""A small recipe for the tests of this folder."""

import hashlib

import numpy as np
import pytest

from flawline.recipe import (
    BackboneRecord,
    PictureRecord,
    PictureSettings,
    RecipeManifest,
    RecipeSettings,
    ThresholdSettings,
    new_recipe,
)


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def picture(name, role):
    return PictureRecord(sha(name), name, role)


@pytest.fixture
def settings():
    return RecipeSettings(
        part="casting",
        picture=PictureSettings(mm_per_px=0.05, min_defect="0.3 mm"),
        threshold=ThresholdSettings(review=2.5, reject=3.0, region=2.8, basis="n = 312"),
    )


@pytest.fixture
def manifest():
    return RecipeManifest(
        BackboneRecord("small", sha("weights"), "Apache-2.0", {"mean": [1.0, 2.0, 3.0]}),
        pictures=(
            picture("good/2.png", "train"),
            picture("good/10.png", "train"),
            picture("good/3.png", "calibration"),
            picture("good/4 übel.png", "set-aside"),
            PictureRecord(sha("good/2.png"), "copies/2.png", "duplicate"),
            picture("copies/3.png", "duplicate"),
        ),
        seeds={"training": 7},
        settings={"detector": {"layers": ["stride8", "stride16"], "coreset": 0.1}},
        metrics={"auroc": 0.98, "share": {"b": 1, "a": None}},
    )


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "detector_memory": rng.normal(size=(40, 8)).astype(np.float32),
        "calibration_scores": np.sort(rng.normal(size=30)),
        "count": np.array(3, np.int64),
    }


@pytest.fixture
def recipe(settings, arrays, manifest):
    return new_recipe(settings, b"onnx" * 500, arrays, manifest, {"region.png": b"\x89PNG mask"})
