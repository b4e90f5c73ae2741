"""What every model keeps to, whatever it learnt: each method of detectors, and each kind of segmenter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from flawline.data.as_picture import as_picture
from flawline.data.source import open_source
from flawline.detectors.registry import METHODS, method_of
from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import read_recipe, write_recipe
from helpers.discs import disc, spoilt, train, write_discs
from helpers.drawn_segmenter import segment_recipe
from helpers.networks import write_network

TILED = ViewSettings(window=(64, 64), min_defect="3 px")
KINDS = [*METHODS, "aligned", "tiles", "segmenter", "segmenter with flips", "segmenter that merges"]


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    root = tmp_path_factory.mktemp("contract")
    network, parts = write_network(root / "small.onnx"), write_discs(root / "parts", good=20)
    aligned = ViewSettings(window=(64, 64), alignment="shift", light="level")
    made = {method: train(parts, network, method=method).recipe for method in METHODS}
    made["aligned"] = train(parts, network, view=aligned).recipe
    made["tiles"] = train(parts, network, view=TILED).recipe
    thresholds = (0.6, 0.6)
    made["segmenter"] = segment_recipe(root / "a.onnx", thresholds=thresholds)
    made["segmenter with flips"] = segment_recipe(
        root / "b.onnx", thresholds=thresholds, flips=True
    )
    made["segmenter that merges"] = segment_recipe(
        root / "c.onnx", thresholds=thresholds, merge=9.0, smallest=3
    )
    return made


@pytest.fixture(params=KINDS)
def recipe(recipes, request):
    return recipes[request.param]


@pytest.fixture
def inspector(recipe):
    return Inspector(recipe)


def pictures() -> dict[str, np.ndarray]:
    good = {f"good/{seed}": disc(seed) for seed in range(100, 102)}
    return {**good, **{f"bad/{seed}": spoilt(seed) for seed in range(100, 102)}}


def told(found) -> tuple:
    """All of an inspection that a picture decides, arrays by their bytes."""
    plain = {name: value for name, value in found.as_dict().items() if name != "image"}
    return plain, found.map.tobytes(), found.class_mask.tobytes(), found.columns


def test_shapes_and_ranges(inspector):
    model = inspector.model
    assert model.classes[0] == "background"
    assert len(model.classes) > 1
    assert model.precision in ("f32", "bf16")
    regions = 0
    for pixels in pictures().values():
        found = inspector.inspect(pixels)
        size = pixels.shape[:2]
        assert np.isfinite(found.map).all()
        assert found.map.dtype == np.float32
        assert np.less_equal(found.map.shape, size).all()
        assert np.isfinite(found.score)
        assert found.class_mask.dtype == np.uint8
        assert found.class_mask.shape == size
        assert found.class_mask.max() < len(model.classes)
        assert bool(found.regions) == bool(found.class_mask.any())
        for region in found.regions:
            left, top, width, height = region.box
            window = found.class_mask[top : top + height, left : left + width]
            assert (window == model.classes.index(region.label)).any()
            assert region.area > 0
            assert region.peak <= found.score or not model.tells_classes
            assert np.isfinite(list(region.measures.values())).all()
            assert set(region.measures) <= set(found.columns)
        regions += len(found.regions)
        assert np.isfinite(list(found.measures.values())).all()
    assert regions >= 2


def test_areas_of_all_regions_are_the_pixels_of_the_class_mask(inspector):
    for pixels in pictures().values():
        found = inspector.inspect(pixels)
        assert sum(region.area for region in found.regions) == np.count_nonzero(found.class_mask)


def test_probabilities_are_those_of_classes(inspector):
    found = inspector.find(as_picture(spoilt(100)))
    assert (found.probabilities is not None) == inspector.model.tells_classes
    if found.probabilities is not None:
        assert found.probabilities.shape == (len(inspector.classes), 96, 96)
        np.testing.assert_allclose(found.probabilities.sum(0), 1, atol=1e-5)


def test_a_picture_gives_the_same_bytes_each_time_and_stays_as_it_is(inspector):
    for pixels in pictures().values():
        before = pixels.copy()
        assert told(inspector.inspect(pixels)) == told(inspector.inspect(pixels))
        np.testing.assert_array_equal(pixels, before)


def test_a_picture_alone_is_judged_as_among_others_and_by_any_thread(inspector):
    given = pictures()
    alone = {name: told(inspector.inspect(pixels)) for name, pixels in given.items()}
    with open_source(given) as source:
        among = {sample.name: told(found) for sample, found in inspector.inspect_many(source)}
    backwards = {name: told(inspector.inspect(given[name])) for name in reversed(given)}
    with ThreadPoolExecutor(4) as pool:
        names = [*given] * 3
        threaded = list(pool.map(lambda name: told(inspector.inspect(given[name])), names))
    # A file and an array have hashes of their own.
    for found in (*alone.values(), *among.values(), *backwards.values(), *(t for t in threaded)):
        del found[0]["sha256"]
    assert among == alone == backwards
    assert threaded == [alone[name] for name in names]


def test_grey_is_colour_of_equal_channels(inspector):
    grey = cv2.cvtColor(spoilt(101), cv2.COLOR_RGB2GRAY)
    one, other = inspector.inspect(grey), inspector.inspect(np.dstack([grey] * 3))
    assert one.map.tobytes() == other.map.tobytes()
    assert one.class_mask.tobytes() == other.class_mask.tobytes()
    assert (one.score, one.verdict) == (other.score, other.verdict)
    assert one.measures == other.measures


@pytest.mark.parametrize("name", ["part", "part.flaw"])
def test_a_recipe_written_and_read_judges_the_same(recipe, inspector, tmp_path, name):
    place = write_recipe(recipe, tmp_path / name)
    opened, read = Inspector.open(place), Inspector(read_recipe(place))
    for pixels in pictures().values():
        expected = told(inspector.inspect(pixels))
        assert told(opened.inspect(pixels)) == told(read.inspect(pixels)) == expected


def test_every_method_of_the_registry_is_there():
    for name in METHODS:
        assert method_of(name).shrink >= 1
    with pytest.raises(UsageError, match="patch-gaussian, patch-memory, patch-both, fast"):
        method_of("patch-flow")
