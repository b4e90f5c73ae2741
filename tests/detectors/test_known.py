"""A detector with evidence of known defects: scores that only rise, in every form of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from flawline.core.known_defects import Evidence
from flawline.detectors.detector import (
    Detector,
    DetectorState,
    detector_backbone,
    detector_model,
    input_size,
)
from flawline.detectors.fitting import PatchNetwork, extend_detector, fit_detector
from flawline.detectors.known import BIAS, DIRECTION, known_arrays
from flawline.detectors.onnx_detector import detector_onnx
from flawline.detectors.patch_features import Basis
from flawline.detectors.patch_scores import PatchScorer
from flawline.detectors.registry import METHODS
from flawline.networks.openvino_runtime import core
from helpers.networks import write_network
from helpers.pictures import noise

WINDOW = (64, 96)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx").read_bytes()


def windows():
    return [noise(*WINDOW, seed) for seed in range(4)]


def fitted(method, backbone):
    return fit_detector(method, backbone, windows, window=WINDOW, precision="f32")


def with_evidence(state, scale=1.0, bias=0.0) -> DetectorState:
    """Known defects lie in a direction drawn at random."""
    count = len(state.arrays["directions"])
    direction = np.random.default_rng(5).normal(0, scale, count + 1).astype(np.float32)
    direction[-1] = 0.01 * scale
    return replace(state, arrays={**state.arrays, **known_arrays(Evidence(direction, bias))})


def detector(state, backbone):
    ready = detector_backbone(state.method, backbone, window=WINDOW, precision="f32")
    return Detector(state, ready, window=WINDOW)


def scored_patches(state, backbone, pixels):
    """Patches of a window in the basis, and their scores on the grid."""
    network = PatchNetwork(state.method, backbone, window=WINDOW, precision="f32")
    patches = Basis.of(state.arrays).project(network(pixels))
    seen = tuple(8 * side for side in network.grid)
    return patches, PatchScorer(state, network.grid, window=seen)(patches)


@pytest.mark.parametrize("method", METHODS)
def test_a_score_rises_by_the_evidence_that_is_positive(method, backbone):
    plain = fitted(method, backbone)
    known = with_evidence(plain)
    pixels = noise(*WINDOW, 77)
    patches, before = scored_patches(plain, backbone, pixels)
    _, after = scored_patches(known, backbone, pixels)
    evidence = Evidence(known.arrays[DIRECTION], float(known.arrays[BIAS][0]))
    found = evidence.of(patches, before.ravel()).reshape(before.shape)
    assert (found > 0).any()
    assert (found < 0).any()
    expected = before + np.maximum(found, 0)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert (after >= before).all()


@pytest.mark.parametrize("method", METHODS)
def test_evidence_that_is_nowhere_positive_changes_nothing(method, backbone):
    plain = fitted(method, backbone)
    none = with_evidence(plain, scale=0.0, bias=-1.0)
    pixels = noise(*WINDOW, 78)
    np.testing.assert_array_equal(
        detector(none, backbone)(pixels), detector(plain, backbone)(pixels)
    )


@pytest.mark.parametrize("method", METHODS)
def test_exported_models_have_the_evidence(method, backbone):
    known = with_evidence(fitted(method, backbone))
    pixels = noise(*input_size(method, WINDOW), 79)
    model = detector_model(known, backbone, window=WINDOW)
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = compiled(pixels[None])[0]
    made = detector_onnx(known, backbone, window=WINDOW, metadata={})
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: pixels[None]})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    plain = detector_model(fitted(method, backbone), backbone, window=WINDOW)
    without = core().compile_model(plain, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(pixels[None])
    assert (expected > without[0]).any()


@pytest.mark.parametrize("method", METHODS)
def test_more_good_pictures_leave_the_evidence_as_it_is(method, backbone):
    known = with_evidence(fitted(method, backbone))
    more = extend_detector(known, backbone, windows, window=WINDOW, precision="f32")
    for name in (DIRECTION, BIAS):
        np.testing.assert_array_equal(more.arrays[name], known.arrays[name])
