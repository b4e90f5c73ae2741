"""Patches that are kept give the states and scores of the pictures themselves, and are read once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flawline.core.view.framing import Framing
from flawline.detectors.fitting import PatchNetwork, fit_detector
from flawline.detectors.registry import METHODS
from flawline.errors import ImageError, SourceError
from flawline.inspector import Inspector
from flawline.inspector.view import View
from flawline.jobs.train.kept_patches import keep_patches
from flawline.jobs.train.patch_store import PatchStore
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import recipe_with
from flawline.types import Sample
from helpers.discs import disc, spoilt, train, write_discs
from helpers.networks import write_network
from helpers.pictures import as_picture

VIEWS = {
    "whole": View(Framing((64, 64))),
    "windows": View(Framing((64, 64), 1.0, 32)),
}
SAMPLES = [Sample(str(index)) for index in range(8)]
PICTURES = {
    sample.name: disc(int(sample.name)) if int(sample.name) < 7 else spoilt(7) for sample in SAMPLES
}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx").read_bytes()


def reading(counted=None):
    def read(samples, function):
        for sample in samples:
            if counted is not None:
                counted.append(sample.name)
            yield sample, function(as_picture(PICTURES[sample.name]))

    return read


def kept_of(network, view, method="patch-gaussian", counted=None, store=None):
    patches = PatchNetwork(method, network, window=view.framing.window, precision="f32")
    return keep_patches(reading(counted), SAMPLES, view, patches, store=store)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_state_is_that_of_the_pictures(network, view, method):
    names = [sample.name for sample in SAMPLES[:6]]
    windows = [
        window.pixels
        for name in names
        for window in view.look(as_picture(PICTURES[name])).windows()
    ]
    assert len(windows) == (6 if view.framing.scale == "fit" else 24)
    direct = fit_detector(
        method,
        network,
        lambda: windows,
        window=(64, 64),
        one_window=view.framing.scale == "fit",
        precision="f32",
    )
    kept = kept_of(network, view, method).fit(method, names)
    assert kept.settings == direct.settings
    assert set(kept.arrays) == set(direct.arrays)
    for name, array in direct.arrays.items():
        if "memory" not in name or name == "memory_windows":
            # Rounding moves a few patches from one kind of content to the next.
            part = 5e-2 if name.startswith("content") else 5e-3
            largest = max(np.abs(array).max(), 1e-6)
            assert np.abs(kept.arrays[name] - array).max() < part * largest, name


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("view", ["whole", "windows", "aligned"])
def test_scores_are_those_of_the_inspector(tmp_path, method, view):
    path = write_network(tmp_path / "small.onnx")
    folder = write_discs(tmp_path, good=24, bad=2)
    settings = {
        "whole": ViewSettings(window=(64, 64)),
        "windows": ViewSettings(window=(64, 64), min_defect="8 px"),
        "aligned": ViewSettings(window=(64, 64), alignment="shift"),
    }[view]
    done = train(folder, path, method=method, view=settings, held_out=None, set_aside=False)
    inspector = Inspector(done.recipe)
    own = inspector.model._view
    patches = PatchNetwork(method, path.read_bytes(), window=own.framing.window, precision="f32")
    kept = keep_patches(reading(), SAMPLES, own, patches)
    names = [sample.name for sample in SAMPLES]
    state = kept.fit(method, names[:6])
    arrays = {f"detector_{name}": array for name, array in state.arrays.items()}
    assert set(arrays) <= set(done.recipe.arrays)
    same = Inspector(recipe_with(done.recipe, arrays={**done.recipe.arrays, **arrays}))
    scored = dict(kept.scored(state, names))
    assert list(scored) == names
    for name in names:
        found = same.find(as_picture(PICTURES[name]))
        assert scored[name].score == pytest.approx(found.score, rel=0.01, abs=0.02)
        assert scored[name].peak == pytest.approx(found.peak, rel=0.01, abs=0.02)
    assert max(scored, key=lambda name: scored[name].score) == "7"


@pytest.mark.parametrize(
    ("memory", "scratch", "more"), [(2**20, 0, 0), (1200, 2**20, 0), (1200, 2400, 1), (0, 0, 1)]
)
def test_pictures_are_read_once_where_there_is_room(network, memory, scratch, more):
    names = [sample.name for sample in SAMPLES]
    read, usual = [], kept_of(network, VIEWS["whole"])
    size = usual.patches("0").nbytes // 2
    assert 3600 // 8 < size <= 1200
    kept = kept_of(network, VIEWS["whole"], counted=read, store=PatchStore(memory, scratch))
    assert read == names
    state = kept.fit("patch-gaussian", names, basis=usual.basis(names))
    assert read.count("0") == 1 + (more and not memory)
    assert read.count("7") == 1 + more
    direct = usual.fit("patch-gaussian", names)
    scores, direct_scores = dict(kept.scored(state, names)), dict(usual.scored(direct, names))
    assert list(scores) == names
    for name in names:
        assert np.allclose(kept.patches(name), usual.patches(name), rtol=1e-3, atol=1e-3)
        assert scores[name].score == pytest.approx(direct_scores[name].score, rel=0.02, abs=0.02)


def test_features_keep_three_digits_whatever_their_range(network):
    kept = kept_of(network, VIEWS["whole"])
    patches = PatchNetwork("patch-gaussian", network, window=(64, 64), precision="f32")
    for name, pixels in PICTURES.items():
        window = next(VIEWS["whole"].look(as_picture(pixels)).windows())
        exact = patches(window.pixels)
        spread = exact.std(axis=0)
        assert (np.abs(kept.patches(name)[0] - exact) < 5e-3 * spread + 1e-4).all()


def test_no_picture_is_an_error(network):
    kept = kept_of(network, VIEWS["whole"])
    with pytest.raises(SourceError, match="no picture to learn from"):
        kept.fit("patch-gaussian", [])
    patches = PatchNetwork("patch-gaussian", network, window=(64, 64), precision="f32")
    nothing = keep_patches(reading(), [], VIEWS["whole"], patches)
    with pytest.raises(SourceError, match="no picture to learn from"):
        nothing.fit("patch-gaussian", [])


def test_a_picture_of_which_nothing_is_looked_at_has_no_score(network):
    kept = kept_of(network, VIEWS["whole"])
    state = kept.fit("patch-gaussian", ["0", "1", "2"])
    nothing = replace(kept.looks["3"], inside=np.zeros((8, 8), bool))
    blind = replace(kept, looks={**kept.looks, "3": nothing})
    with pytest.raises(ImageError, match="region of interest"):
        list(blind.scored(state, ["3"]))


def test_a_store_holds_what_was_added_in_memory_or_file():
    arrays = {str(n): np.full((2, n, 3), n, np.float16) for n in range(1, 9)}
    for memory, scratch, held in ((0, 10_000, 8), (100, 10_000, 8), (10_000, 0, 8), (12, 24, 2)):
        store = PatchStore(memory, scratch)
        for name, array in arrays.items():
            store.add(name, array)
        known = [name for name in reversed(arrays) if name in store]
        assert len(known) == held
        for name in known:
            assert store[name].dtype == np.float16
            assert np.array_equal(store[name], arrays[name])
