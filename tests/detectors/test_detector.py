"""What every detector of good parts must keep to, and the arithmetic of each against plain NumPy."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from flawline.detectors import gaussians, patch_features
from flawline.detectors.detector import (
    CELL,
    Detector,
    DetectorState,
    detector_backbone,
    detector_model,
    input_size,
)
from flawline.detectors.fitting import extend_detector, fit_detector
from flawline.detectors.gaussians import (
    CONTENT_RIDGE,
    RIDGE,
    block_side,
    blocks,
    content_gaussians,
    content_moments,
    distances_apart,
    find_centres,
    no_moments,
    packed,
    place_gaussians,
    place_moments,
    unpacked,
)
from flawline.detectors.graph import score_node
from flawline.detectors.memory import SIZE, spread_out, thinned
from flawline.detectors.nodes import OpenVINONodes
from flawline.detectors.patch_features import Basis
from flawline.detectors.registry import METHODS
from flawline.detectors.usual_distances import usual_distances
from flawline.errors import ModelError, SourceError, UsageError
from flawline.inspector.parts import detector_state, joined_arrays
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import core
from flawline.recipe import (
    BackboneRecord,
    DetectorSettings,
    PictureSettings,
    RecipeManifest,
    RecipeSettings,
    new_recipe,
    read_recipe,
    write_recipe,
)
from helpers.examples import examples
from helpers.networks import PREPARATION, weights_of, write_network

WINDOW = (64, 64)


def good(count: int, seed: int = 0, window: tuple[int, int] = WINDOW) -> list[np.ndarray]:
    """Pictures of one part: a disc on a slope of grey, with noise."""
    height, width = window
    part = np.repeat(np.linspace(60, 120, width)[None, :, None], height, 0).repeat(3, 2).copy()
    cv2.circle(part, (width // 2, height // 2), min(window) // 3, (170, 160, 150), -1)
    rng = np.random.default_rng(seed)
    noisy = (part + rng.normal(0, 6, (*window, 3)) + rng.normal(0, 3) for _ in range(count))
    return [np.clip(pixels, 0, 255).astype(np.uint8) for pixels in noisy]


def with_defect(pixels: np.ndarray) -> np.ndarray:
    """Black and white squares over the cells of rows 5 and 6, columns 1 and 2."""
    spoilt = pixels.copy()
    spoilt[40:56, 8:24] = np.kron(np.indices((4, 4)).sum(axis=0) % 2 * 255, np.ones((4, 4)))[
        ..., None
    ]
    return spoilt


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module")
def backbone(network):
    return network.read_bytes()


def fit(method, backbone, windows: Iterable[np.ndarray], **options) -> DetectorState:
    options = {"window": WINDOW, "precision": "f32", **options}
    kept = list(windows)
    return fit_detector(method, backbone, lambda: kept, **options)


def extend(state, backbone, windows: Iterable[np.ndarray], **options) -> DetectorState:
    options = {"window": WINDOW, "precision": "f32", **options}
    kept = list(windows)
    return extend_detector(state, backbone, lambda: kept, **options)


def opened(state, backbone, window=WINDOW):
    network = detector_backbone(state.method, backbone, window=window, precision="f32")
    return Detector(state, network, window=window)


@pytest.fixture(scope="module", params=[*METHODS, "tiles", "tiles patch-both"])
def state(request, backbone):
    """Every method, and Gaussians by content as for pictures that are cut into windows."""
    if request.param.startswith("tiles"):
        method = request.param.partition(" ")[2] or "patch-gaussian"
        return fit(method, backbone, good(20), one_window=False)
    return fit(request.param, backbone, good(20))


def same_bytes(one: DetectorState, other: DetectorState) -> bool:
    return (
        one.settings == other.settings
        and one.arrays.keys() == other.arrays.keys()
        and all(
            array.dtype == other.arrays[name].dtype
            and array.tobytes() == other.arrays[name].tobytes()
            for name, array in one.arrays.items()
        )
    )


def lies_on_the_defect(scores: np.ndarray, method: str) -> bool:
    """Whether the highest cell does; "fast" sees cells of twice the side."""
    row, column = np.unravel_index(scores.argmax(), scores.shape)
    slack = int(method == "fast")
    return abs(row - 5.5) < 1 + slack and abs(column - 1.5) < 1 + slack


# What every method keeps to.


def test_a_planted_defect_scores_highest_and_in_its_place(state, backbone):
    detector = opened(state, backbone)
    [clean] = good(1, seed=9)
    plain, spoilt = detector(clean), detector(with_defect(clean))
    assert spoilt.shape == (64 // CELL, 64 // CELL)
    assert spoilt.dtype == np.float32
    assert lies_on_the_defect(spoilt, state.method)
    assert spoilt.max() > plain.max()
    if "memory" not in state.arrays:
        # Far from the defect nothing is seen of it; a memory has no places and keeps to this too.
        assert np.array_equal(spoilt[0, 5:], plain[0, 5:])


def test_a_score_never_depends_on_the_others(state, backbone):
    detector = opened(state, backbone)
    windows = [with_defect(w) if place % 3 else w for place, w in enumerate(good(24, seed=2))]
    alone = [detector(window) for window in windows]
    with ThreadPoolExecutor(6) as pool:
        among = list(pool.map(detector, windows * 3))
    for place, scores in enumerate(among):
        assert np.array_equal(scores, alone[place % 24])
    again = opened(state, backbone)
    assert all(np.array_equal(again(w), s) for w, s in zip(windows, alone, strict=True))


@pytest.mark.parametrize("cores", [1, 5])
def test_the_same_windows_give_the_same_bytes(state, backbone, monkeypatch, cores):
    monkeypatch.setattr(patch_features, "cpu_count", lambda: cores)
    again = fit(state.method, backbone, good(20), one_window=state.settings["one_window"])
    assert same_bytes(again, state)


def test_another_seed_is_another_state(backbone):
    one, two = (
        fit("patch-gaussian", backbone, good(40), one_window=False, seed=seed) for seed in (0, 1)
    )
    assert not same_bytes(one, two)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_windows_are_enough(method, count, backbone):
    learnt = good(count)
    detector = opened(fit(method, backbone, learnt), backbone)
    for window in (*learnt, *good(2, seed=5), with_defect(learnt[0])):
        assert np.isfinite(detector(window)).all()
    [new] = good(1, seed=7)
    assert detector(with_defect(new)).max() > detector(new).max()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("greys", [(0,), (255, 255, 255), (90,) * 12, (0, 80, 255)])
def test_constant_pictures_give_finite_scores(method, greys, backbone):
    learnt = [np.full((*WINDOW, 3), grey, np.uint8) for grey in greys]
    state = fit(method, backbone, learnt)
    detector = opened(state, backbone)
    for window in (*learnt, *good(1), with_defect(learnt[0])):
        assert np.isfinite(detector(window)).all()
    if len(set(greys)) == 1:
        assert detector(with_defect(learnt[0])).max() > detector(learnt[0]).max()
    more = extend(state, backbone, learnt)
    assert np.isfinite(opened(more, backbone)(learnt[0])).all()


@pytest.mark.parametrize("method", ["patch-gaussian", "fast"])
def test_no_kind_of_content_is_without_patches(method, backbone):
    """One without any would stand at the mean of all patches and call what looks like that usual."""
    flat = [np.full((*WINDOW, 3), 90, np.uint8)] * 3
    for windows in (flat, good(3), [*flat, *good(1)]):
        learnt = fit(method, backbone, windows, one_window=False).arrays
        assert learnt["content_count"].min() > 0
        assert len(learnt["content_means"]) == len(learnt["content_centres"])


@pytest.mark.parametrize("method", METHODS)
def test_windows_need_not_be_square(method, backbone):
    window = (64, 128)
    state = fit(method, backbone, good(8, window=window), window=window)
    detector = opened(state, backbone, window)
    [clean] = good(1, seed=3, window=window)
    scores = detector(with_defect(clean))
    assert scores.shape == (8, 16)
    assert lies_on_the_defect(scores, method)


def test_a_state_survives_the_recipe(state, backbone, tmp_path):
    json.loads(json.dumps(dict(state.settings), allow_nan=False))
    for array in state.arrays.values():
        assert array.dtype.kind in "iuf"
        assert np.isfinite(array).all()
    recipe = new_recipe(
        RecipeSettings(
            part="disc",
            picture=PictureSettings(window=WINDOW),
            detector=DetectorSettings(method=state.method, precision="f32"),
        ),
        backbone,
        joined_arrays(detector=state.arrays),
        RecipeManifest(
            BackboneRecord("small", "0" * 64, "Apache-2.0", PREPARATION.as_dict()),
            settings={"detector": dict(state.settings)},
        ),
    )
    write_recipe(recipe, tmp_path / "disc.flaw")
    read = read_recipe(tmp_path / "disc.flaw")
    restored = detector_state(read)
    assert same_bytes(restored, state)
    window = with_defect(good(1)[0])
    assert np.array_equal(opened(restored, read.model)(window), opened(state, backbone)(window))
    # What training adds to later comes back whole, too.
    new = good(4, seed=4)
    assert same_bytes(extend(restored, backbone, new), extend(state, backbone, new))


def test_the_whole_detector_as_one_model_gives_the_same_map(state, backbone):
    model = detector_model(state, backbone, window=WINDOW)
    seen = input_size(state.method, WINDOW)
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    [window] = good(1, seed=6)
    small = cv2.resize(window, seen[::-1], interpolation=cv2.INTER_AREA)
    [scores] = compiled({0: small[None]}).values()
    scores = cv2.resize(scores[0, 0], (8, 8), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(scores, opened(state, backbone)(window), rtol=1e-4, atol=1e-3)


def test_windows_that_are_part_of_a_picture_have_no_places(backbone):
    tiles = fit("patch-gaussian", backbone, good(6), one_window=False)
    whole = fit("patch-gaussian", backbone, good(6))
    assert not [name for name in tiles.arrays if name.startswith("place_")]
    assert tiles.settings["one_window"] is False
    assert not [name for name in whole.arrays if name.startswith("content_")]
    assert whole.arrays["place_constants"].any()
    assert np.isfinite(opened(tiles, backbone)(good(1)[0])).all()


def test_a_basis_taken_over_is_not_learnt_again(state, backbone):
    calls = []
    new = good(10, seed=8)

    def windows():
        calls.append(1)
        return new

    options = {"window": WINDOW, "precision": "f32"}
    options["one_window"] = state.settings["one_window"]
    like = fit_detector(state.method, backbone, windows, like=state, **options)
    times = {"patch-memory": 2, "patch-both": 4}.get(state.method, 1)
    assert len(calls) == times
    for name in ("mean", "directions"):
        assert np.array_equal(like.arrays[name], state.arrays[name])
    assert like.settings["windows"] == 10
    fit_detector(state.method, backbone, windows, **options)
    assert len(calls) == 2 * times + 1


def test_what_cannot_be_learnt_is_an_error(state, backbone):
    with pytest.raises(UsageError, match="patch-gaussian, patch-memory, patch-both, fast"):
        fit("padim", backbone, good(1))
    with pytest.raises(SourceError, match="no picture"):
        fit(state.method, backbone, [])
    with pytest.raises(SourceError, match="no picture"):
        fit(state.method, backbone, [], like=state, one_window=state.settings["one_window"])
    with pytest.raises(SourceError, match="no picture"):
        extend(state, backbone, [])
    with pytest.raises(ModelError):
        fit(state.method, b"no network", good(1))


# More pictures later.


@pytest.mark.parametrize("method", ["patch-gaussian", "fast"])
def test_learning_later_gives_the_places_of_learning_at_once(method, backbone):
    first, later = good(20), [with_defect(w) for w in good(13, seed=1)]
    start = fit(method, backbone, first)
    one_by_one = extend(extend(start, backbone, later[:6]), backbone, later[6:])
    at_once = fit(method, backbone, [*first, *later], like=start)
    assert one_by_one.settings == at_once.settings
    for name in at_once.arrays:
        if name.startswith("place_"):
            ours, wanted = one_by_one.arrays[name], at_once.arrays[name]
            scale = max(1.0, float(np.abs(wanted).max()))
            np.testing.assert_allclose(ours, wanted, rtol=2e-4, atol=2e-5 * scale, err_msg=name)


@pytest.mark.parametrize("count", [1, 20])
def test_every_window_counts_alike_whenever_it_came(count, backbone):
    start = fit("patch-gaussian", backbone, good(count), one_window=False)
    more = extend(extend(start, backbone, good(count, seed=1)), backbone, good(count, seed=2))
    patches = [state.arrays["content_count"].sum() for state in (start, more)]
    assert patches[1] == pytest.approx(3 * patches[0])


def test_contents_learnt_later_are_drawn_from_all_places(backbone, monkeypatch):
    """Every n-th patch would be the same columns of every window."""
    monkeypatch.setattr("flawline.detectors.patch_gaussian._SAMPLES", 8 * 20)
    start = fit("patch-gaussian", backbone, good(20), one_window=False)
    half = good(1)[0].copy()
    half[:, 8:] = 255
    more = extend(start, backbone, [half] * 20)
    bright = opened(more, backbone)(half)[:, 3:].mean()
    assert bright < opened(start, backbone)(half)[:, 3:].mean()


def test_a_memory_takes_what_is_new_and_keeps_its_size(backbone):
    start = fit("patch-memory", backbone, good(30))
    odd = [with_defect(w) for w in good(3, seed=1)]
    more = extend(start, backbone, odd)
    for memory in (start.arrays["memory"], more.arrays["memory"]):
        assert 0 < len(memory) <= SIZE
        assert len(np.unique(memory, axis=0)) == len(memory)
    assert (
        opened(more, backbone)(odd[1])[5:7, 1:3].max()
        < opened(start, backbone)(odd[1])[5:7, 1:3].max() - 1
    )
    assert more.settings["windows"] == 33


def test_a_memory_is_one_greedy_choice_among_all_patches(backbone, network, monkeypatch):
    monkeypatch.setattr("flawline.detectors.patch_memory.SIZE", 40)
    windows = [with_defect(w) if place == 7 else w for place, w in enumerate(good(12))]
    arrays = fit("patch-memory", backbone, windows).arrays
    weights = weights_of(network)
    seen = np.concatenate([numpy_patches(window, weights) for window in windows])
    variances = arrays["variances"].astype(np.float64)
    seen = (seen - arrays["mean"]) @ arrays["directions"].T / np.sqrt(variances + variances.mean())
    gaps = np.linalg.norm(seen[:, None] - arrays["memory"], axis=2)
    assert arrays["memory"].shape == (40, seen.shape[1])
    assert gaps.min(axis=0).max() < 1e-3  # Each is a patch that was seen.
    wanted = radius(seen, farthest_first(seen, 40))
    assert gaps.min(axis=1).max() == pytest.approx(wanted, rel=1e-3)


def test_patches_beyond_what_is_held_are_drawn_evenly(backbone, monkeypatch):
    """However many windows come: half of them here would exceed the bound, and none is left out."""
    monkeypatch.setattr("flawline.detectors.patch_memory.POOL", 1000)
    pools = []

    def recorded(pool, count):
        pools.append(pool)
        return thinned(pool, count)

    monkeypatch.setattr("flawline.detectors.patch_memory.thinned", recorded)
    windows = [*good(39), good(1, seed=3)[0][::-1].copy()]
    one, again = (fit("patch-memory", backbone, windows) for _ in range(2))
    extend(one, backbone, windows)
    assert same_bytes(one, again)
    first, _, later = pools
    assert 700 < len(first) <= 1000
    assert len(first) % len(windows) == 0
    assert len(later) <= 1000 + len(one.arrays["memory"])
    share = len(first) // len(windows)
    spreads = np.array([rows.std(axis=0).mean() for rows in first.reshape(40, share, -1)])
    assert (spreads > 0.5 * spreads.mean()).all()


def test_usual_distances_are_those_of_the_place_where_many_windows_were_seen():
    rng = np.random.default_rng(4)
    seen = rng.gamma(9, size=(40_000, 63))
    moments = np.stack([seen.mean(axis=0), (seen**2).mean(axis=0)])
    mean, deviation = usual_distances(moments, len(seen), (7, 9))
    np.testing.assert_allclose(mean, seen.mean(axis=0), rtol=1e-3)
    np.testing.assert_allclose(deviation, seen.std(axis=0), rtol=5e-3)


def test_usual_distances_of_few_windows_lean_on_the_ring():
    """Every cell of a ring alike, and the border apart from what lies inside."""
    ring = np.minimum.outer([0, 1, 2, 3, 2, 1, 0], [0, 1, 2, 3, 4, 3, 2, 1, 0]).ravel()
    rng = np.random.default_rng(4)
    seen = 5.0 - ring + rng.normal(0, 0.5, 63)
    mean, _ = usual_distances(np.stack([seen, seen**2]), 1, (7, 9))
    assert np.abs(mean - (5 - ring)).max() < 0.5 * np.abs(seen - (5 - ring)).max()


@pytest.mark.parametrize("grid", [(1, 1), (1, 9), (2, 2)])
def test_windows_that_are_all_alike_give_finite_scores(grid):
    mean, deviation = usual_distances(np.zeros((2, grid[0] * grid[1])), 3, grid)
    assert np.isfinite(mean).all()
    assert (deviation > 0).all()


def test_a_false_alarm_widens_what_is_usual_at_its_place(backbone):
    start = fit("patch-memory", backbone, good(30))
    more = extend(start, backbone, [with_defect(w) for w in good(3, seed=1)])
    assert int(more.arrays["memory_windows"][0]) == 33
    assert more.arrays["memory_moments"].shape == (2, 64)


def test_learning_later_holds_one_window_at_a_time(state, backbone, monkeypatch):
    """Thousands of new pictures are read as a stream."""
    monkeypatch.setattr(patch_features, "cpu_count", lambda: 1)
    kept, most = 0, 0
    original = Basis.project

    class Tracked(np.ndarray):
        pass

    def project(self, patches):
        nonlocal kept, most
        kept += 1
        most = max(most, kept)
        found = original(self, patches).view(Tracked)
        import weakref

        def gone():
            nonlocal kept
            kept -= 1

        weakref.finalize(found, gone)
        return found

    monkeypatch.setattr(Basis, "project", project)
    extend(state, backbone, good(60) * 3)
    assert most <= 70


# The arithmetic, in plain NumPy.


def numpy_patches(window: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The maps of the small network, smoothed: (cells, 6)."""
    scaled = (window.astype(np.float64) - PREPARATION.mean) / PREPARATION.std
    height, width = window.shape[0] // 8, window.shape[1] // 8
    blocks = scaled.reshape(height, 8, width, 8, 3)
    maps = np.maximum(np.einsum("hiwjc,ocij->hwo", blocks, weights), 0)
    return binomial(maps).reshape(-1, maps.shape[2])


def binomial(maps: np.ndarray) -> np.ndarray:
    """Maps (h, w, C) weighted 1 2 1 along rows and columns, the edge continued outwards."""
    smooth = maps.astype(np.float64)
    for axis in (0, 1):
        sides = [(1, 1) if own == axis else (0, 0) for own in range(3)]
        wide, length = np.pad(smooth, sides, mode="edge"), smooth.shape[axis]
        shifted = [np.take(wide, range(start, start + length), axis) for start in range(3)]
        smooth = (shifted[0] + 2 * shifted[1] + shifted[2]) / 4
    return smooth


def numpy_scores(patches: np.ndarray, arrays, grid: tuple[int, int]) -> np.ndarray:
    """Raw scores (cells,) of patches (cells, C), from the formulas in the docstrings."""
    x = (patches - arrays["mean"]) @ arrays["directions"].T.astype(np.float64)
    k = x.shape[1]
    scores = np.zeros(len(x))
    if "gaussian_moments" in arrays:
        own = {name: array for name, array in arrays.items() if not name.startswith("gaussian_")}
        gaussians = {name: array for name, array in own.items() if not name.startswith("memory")}
        [kind] = {"place", "content"} & {name.partition("_")[0] for name in own}
        energies = numpy_scores(patches, gaussians, grid) - own[f"{kind}_constants"].min()
        moments, count = arrays["gaussian_moments"], int(arrays["gaussian_windows"][0])
        mean, deviation = usual_distances(moments, count, grid)
        rest = {n: a for n, a in own.items() if not n.startswith(("place_", "content_"))}
        return (np.sqrt(energies) - mean) / deviation + numpy_scores(patches, rest, grid)
    if "place_means" in arrays:
        factors = unpacked(arrays["place_factors"], k).astype(np.float64)
        y = np.einsum("gij,gj->gi", factors, x - arrays["place_means"])
        scores += (y**2).sum(axis=1) + arrays["place_constants"]
    if "content_means" in arrays:
        factors = unpacked(arrays["content_factors"], k).astype(np.float64)
        y = np.einsum("gij,ngj->ngi", factors, x[:, None] - arrays["content_means"])
        scores += ((y**2).sum(axis=2) + arrays["content_constants"]).min(axis=1)
    if "memory" in arrays:
        memory = arrays["memory"].astype(np.float64)
        variances = arrays["variances"].astype(np.float64)
        x = x / np.sqrt(variances + variances.mean())
        nearest = ((x[:, None] - memory) ** 2).sum(axis=2).min(axis=1)
        if "memory_moments" in arrays:
            count = int(arrays["memory_windows"][0])
            mean, deviation = usual_distances(arrays["memory_moments"], count, grid)
            nearest = (np.sqrt(nearest) - mean) / deviation
        scores += nearest
    return scores


def test_scores_are_those_of_plain_numpy(state, backbone, network):
    detector, weights = opened(state, backbone), weights_of(network)
    seen = input_size(state.method, WINDOW)
    for window in (good(1, seed=3)[0], with_defect(good(1, seed=4)[0])):
        small = cv2.resize(window, seen[::-1], interpolation=cv2.INTER_AREA)
        grid = seen[0] // 8, seen[1] // 8
        wanted = numpy_scores(numpy_patches(small, weights), state.arrays, grid)
        wanted = cv2.resize(wanted.reshape(seen[0] // 8, -1), (8, 8)).astype(np.float32)
        np.testing.assert_allclose(detector(window), wanted, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("grid", [(4, 4), (3, 8), (1, 1)])
@pytest.mark.parametrize(("k", "contents"), [(1, 1), (6, 16), (24, 5), (64, 16)])
@pytest.mark.parametrize(
    "kinds",
    [
        "place",
        "content",
        "place content",
        "memory",
        "memory of old",
        "place memory",
        "content memory",
    ],
)
def test_the_graph_is_plain_numpy_at_every_shape(grid, k, contents, kinds):
    """OpenVINO fuses an addition after ReduceSum and broadcasts it wrongly at some of these shapes."""
    rng = np.random.default_rng(5)
    cells, channels = grid[0] * grid[1], k + 3
    arrays = {
        "mean": rng.normal(size=channels).astype(np.float32),
        "directions": np.linalg.qr(rng.normal(size=(channels, k)))[0].T.astype(np.float32),
    }
    for name, count in (("place", cells), ("content", contents)):
        if name in kinds:
            factors = rng.normal(size=(count, k, k)).astype(np.float32)
            arrays[f"{name}_means"] = rng.normal(size=(count, k)).astype(np.float32)
            arrays[f"{name}_factors"] = packed(factors)
            arrays[f"{name}_constants"] = rng.normal(0, 50, count).astype(np.float32)
    if "memory" in kinds:
        arrays["memory"] = rng.normal(size=(37, k)).astype(np.float32)
        arrays["variances"] = rng.gamma(2, size=k).astype(np.float32)
    both = kinds in ("place memory", "content memory")
    for name in ("memory", "gaussian") if both else ("memory",) if kinds == "memory" else ():
        mean = rng.gamma(2, size=cells)
        arrays[f"{name}_moments"] = np.stack([mean, mean**2 + rng.gamma(2, size=cells)])
        arrays[f"{name}_windows"] = np.array([7])
    ov = openvino()
    given_map = ov.opset13.parameter([1, channels, *grid], ov.Type.f32)
    method = "patch-memory" if "memory" in kinds else "patch-gaussian"
    method = "patch-both" if both else method
    scores = score_node(OpenVINONodes(), method, {"map": given_map}, arrays, grid)
    model = ov.Model([scores], [given_map], "graph")
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    values = rng.normal(size=(1, channels, *grid)).astype(np.float32)
    [scores] = compiled({0: values}).values()
    smooth = binomial(values[0].transpose(1, 2, 0)).reshape(-1, channels)
    wanted = numpy_scores(smooth, arrays, grid)
    assert scores.shape == (1, 1, *grid)
    np.testing.assert_allclose(scores.ravel(), wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("windows", [2, 30])
def test_distances_apart_are_those_of_a_gaussian_without_the_window(windows):
    """Where the covariance of all patches is the place's own, what the formula leaves out is little."""
    rng = np.random.default_rng(3)
    patches = rng.normal(size=(1, windows, 4)).astype(np.float32) * [1, 2, 3, 4]
    patches = patches.astype(np.float32)
    moments = place_moments([patches], no_moments(1, 4))
    found = list(
        distances_apart(
            [patches[:, [at]] for at in range(windows)], moments.count, place_gaussians(moments)
        )
    )
    assert len(found) == windows
    for at in (0, windows - 1):
        rest = place_gaussians(place_moments([np.delete(patches, at, axis=1)], no_moments(1, 4)))
        off = rest.factors[0] @ (patches[0, at] - rest.means[0])
        own = place_gaussians(moments)
        learnt = own.factors[0] @ (patches[0, at] - own.means[0])
        assert found[at][0, 0] > learnt @ learnt
        if windows > 2:
            assert found[at][0, 0] == pytest.approx(off @ off, rel=0.1)


def test_what_is_usual_leaves_out_the_patches_of_the_own_window(backbone):
    """Of windows that differ, each is far from the others, and would be at no distance from itself."""
    rng = np.random.default_rng(8)
    windows = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(6)]
    arrays = fit("patch-memory", backbone, windows).arrays
    assert len(arrays["memory"]) == 6 * 64
    assert arrays["memory_moments"][0].min() > 0.1
    [alone] = fit("patch-memory", backbone, windows[:1]).arrays["memory_moments"][:1]
    np.testing.assert_allclose(alone, 0, atol=1e-2)


def test_gaussians_are_those_of_numpy_and_scipy():
    rng = np.random.default_rng(1)
    places, windows, k = 5, 70, 4
    mixing = rng.normal(size=(places, k, k))
    rows = np.einsum("gij,wgj->wgi", mixing, rng.normal(size=(windows, places, k))) + 3
    rows = rows.astype(np.float32)
    moments = place_moments(iter(rows[:50, :, None]), no_moments(places, k))
    moments = place_moments(iter(rows[50:, :, None]), moments)
    covariances = np.stack([np.cov(rows[:, g].T, bias=True) for g in range(places)])
    np.testing.assert_allclose(moments.means, rows.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(moments.covariances, covariances, rtol=1e-3, atol=1e-4)
    gaussians = place_gaussians(moments)
    common = np.cov(rows.reshape(-1, k).T, bias=True)
    mixed = (windows * covariances + 10 * common) / (windows + 10)
    mixed += (RIDGE * np.trace(mixed, axis1=1, axis2=2).mean() / k + 1e-6) * np.eye(k)
    check_energies(gaussians, rows.mean(axis=0), mixed)


@pytest.mark.parametrize(
    ("grid", "side"),
    [
        ((32, 32), 1),
        ((4, 4), 1),
        ((40, 40), 2),
        ((64, 32), 2),
        ((128, 128), 4),
        ((122, 122), 2),
        ((61, 61), 1),
    ],
)
def test_many_cells_share_gaussians_in_blocks(grid, side):
    assert block_side(grid) == side
    cells = np.arange(grid[0] * grid[1], dtype=np.float32)[:, None]
    found = blocks(cells, grid)
    assert found.shape == (len(cells) // side**2, side**2, 1)
    rows, columns = np.divmod(found[..., 0].astype(int), grid[1])
    assert (np.ptp(rows, axis=1) == side - 1).all()
    assert (np.ptp(columns, axis=1) == side - 1).all()


def test_large_windows_are_learnt_and_scored_in_blocks(backbone, monkeypatch):
    monkeypatch.setattr(gaussians, "MOST_PLACES", 16)
    learnt = good(12)
    state = fit("patch-gaussian", backbone, learnt)
    assert state.arrays["place_means"].shape == (16, 6)
    more = extend(fit("patch-gaussian", backbone, learnt[:5]), backbone, learnt[5:])
    assert more.settings["windows"] == 12
    np.testing.assert_array_equal(more.arrays["place_count"], state.arrays["place_count"])
    scores = opened(state, backbone)(with_defect(good(1, seed=9)[0]))
    assert scores.shape == (8, 8)
    assert lies_on_the_defect(scores, "patch-gaussian")


def check_energies(gaussians, means, covariances):
    rng = np.random.default_rng(2)
    k = means.shape[1]
    for place, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        x = mean + rng.normal(0, 3, (20, k))
        y = (x - gaussians.means[place]) @ gaussians.factors[place].astype(np.float64).T
        energies = (y**2).sum(axis=1) + gaussians.constants[place]
        likelihood = multivariate_normal(mean, covariance).logpdf(x)
        np.testing.assert_allclose(
            energies, -2 * likelihood - k * math.log(2 * math.pi), rtol=1e-3, atol=1e-2
        )


def test_contents_are_those_of_numpy_and_scipy():
    rng = np.random.default_rng(3)
    centres = np.array([[0, 0, 0], [20, 0, 0], [0, 20, 5]], np.float32)
    rows = np.concatenate([c + rng.normal(0, 1 + g, (400, 3)) for g, c in enumerate(centres)])
    rows = rows.astype(np.float32)
    found = find_centres(rows, 3, seed=0)
    order = np.argsort(found[:, 0] - found[:, 1])
    np.testing.assert_allclose(found[order], centres[[2, 0, 1]], atol=0.5)
    moments = content_moments(rows, centres)
    own = [rows[g * 400 : (g + 1) * 400] for g in range(3)]
    np.testing.assert_array_equal(moments.count, [400] * 3)
    covariances = np.stack([np.cov(part.T, bias=True) for part in own])
    np.testing.assert_allclose(moments.covariances, covariances, rtol=1e-4, atol=1e-4)
    mixed = (400 * covariances + 500 * covariances.mean(axis=0)) / 900
    level = CONTENT_RIDGE * np.trace(mixed, axis1=1, axis2=2) / 3 + 1e-6
    mixed += level[:, None, None] * np.eye(3)
    check_energies(content_gaussians(moments), np.stack([p.mean(axis=0) for p in own]), mixed)


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 1000))
@examples(30)
def test_packed_triangles_come_back(count, dimensions, seed):
    lower = np.tril(np.random.default_rng(seed).normal(size=(count, dimensions, dimensions)))
    lower = lower.astype(np.float32)
    flat = packed(lower)
    assert flat.shape == (count, dimensions * (dimensions + 1) // 2)
    assert np.array_equal(unpacked(flat, dimensions), lower)


# A memory that is spread out.


def farthest_first(patches: np.ndarray, count: int) -> list[int]:
    """Greedy k-centre, from distances written out."""
    patches = patches.astype(np.float64)
    chosen = [int(np.linalg.norm(patches - patches.mean(axis=0), axis=1).argmax())]
    while len(chosen) < count:
        gaps = np.linalg.norm(patches[:, None] - patches[chosen], axis=2).min(axis=1)
        chosen.append(int(gaps.argmax()))
    return chosen


def radius(patches: np.ndarray, chosen) -> float:
    """How far a patch lies from the nearest that was chosen, at most."""
    gaps = np.linalg.norm(patches[:, None] - patches[list(chosen)], axis=2)
    return float(gaps.min(axis=1).max())


@given(st.integers(3, 60), st.integers(2, 8), st.integers(1, 12), st.integers(0, 10_000))
@examples(60)
def test_spreading_out_is_the_greedy_choice(rows, dimensions, count, seed):
    patches = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    found = spread_out(patches, count)
    wanted = farthest_first(patches, min(count, rows))
    # Rounding may end the choice early where nothing is left that lies apart.
    assert found.tolist() == wanted[: len(found)]
    if len(found) < len(wanted):
        assert radius(patches, found) < 0.02 * np.linalg.norm(patches, axis=1).max()


def test_spreading_out_is_at_most_twice_the_best_radius_and_beats_chance():
    rng = np.random.default_rng(0)
    patches = rng.normal(size=(13, 2)).astype(np.float32)
    best = min(radius(patches, chosen) for chosen in combinations(range(13), 3))
    assert radius(patches, spread_out(patches, 3)) <= 2 * best
    patches = rng.standard_t(3, size=(800, 6)).astype(np.float32)
    ours = radius(patches, spread_out(patches, 40))
    assert all(ours < radius(patches, rng.choice(800, 40, False)) for _ in range(20))


@pytest.mark.parametrize("cores", [1, 3])
def test_spreading_out_is_the_same_in_blocks_on_any_number_of_cores(cores, monkeypatch):
    patches = np.random.default_rng(1).normal(size=(500, 8)).astype(np.float32)
    at_once = spread_out(patches, 60)
    monkeypatch.setattr("flawline.detectors.memory._BLOCK", 64)
    monkeypatch.setattr("flawline.detectors.memory.cpu_count", lambda: cores)
    assert spread_out(patches, 60).tolist() == at_once.tolist()
    assert len(at_once) == 60


def test_copies_are_remembered_once():
    patches = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    assert len(spread_out(np.tile(patches, (4, 1)), 30)) == 9
    assert len(spread_out(np.zeros((6, 3), np.float32), 4)) == 1
    np.testing.assert_array_equal(thinned(patches, 9), np.arange(len(patches)))
    assert len(thinned(patches, 4)) == 4


def test_two_maps_are_joined_on_the_finer_grid(tmp_path, backbone):
    """A network with maps of stride 8 and 16, as real ones have."""
    model = onnx.load_from_string(backbone)
    model.graph.node.append(
        onnx.helper.make_node(
            "AveragePool", ["stride8"], ["stride16"], kernel_shape=[2, 2], strides=[2, 2]
        )
    )
    model.graph.output.append(
        onnx.helper.make_tensor_value_info(
            "stride16", onnx.TensorProto.FLOAT, [None, 6, None, None]
        )
    )
    two = model.SerializeToString()
    state = fit("patch-gaussian", two, good(8))
    assert state.arrays["mean"].shape == (12,)
    scores = opened(state, two)(with_defect(good(1, seed=3)[0]))
    assert scores.shape == (8, 8)
    assert np.unravel_index(scores.argmax(), scores.shape)[0] in (5, 6)
    other = replace(state, arrays={**state.arrays, "mean": state.arrays["mean"] + 1})
    assert not np.array_equal(opened(other, two)(good(1)[0]), opened(state, two)(good(1)[0]))
