"""A detector as ONNX gives what it gives as an OpenVINO model."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from flawline.detectors.detector import detector_model, input_size
from flawline.detectors.fitting import fit_detector
from flawline.detectors.onnx_detector import detector_onnx
from flawline.detectors.registry import METHODS
from flawline.errors import ModelError
from flawline.networks.backbone import EMBEDDED, backbone_file
from flawline.networks.openvino_runtime import core
from helpers.networks import write_network
from helpers.pictures import noise

WINDOW = (64, 96)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """One map, operators of version 18."""
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx").read_bytes()


@pytest.fixture(scope="module")
def embedded():
    """Two maps, operators of version 17."""
    return backbone_file(EMBEDDED).read_bytes()


def windows():
    return [noise(*WINDOW, seed) for seed in range(4)]


def fitted(method, backbone, one_window=True):
    return fit_detector(
        method, backbone, windows, window=WINDOW, one_window=one_window, precision="f32"
    )


def run_onnx(made, pixels):
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return session.run(None, {given.name: pixels[None]})[0]


def run_openvino(state, backbone, pixels):
    model = detector_model(state, backbone, window=WINDOW)
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(pixels[None])[0]


@pytest.mark.parametrize("which", ["small", "embedded"])
@pytest.mark.parametrize("method", METHODS)
def test_both_forms_give_the_same_scores(method, which, request):
    backbone = request.getfixturevalue(which)
    state = fitted(method, backbone, one_window=method != "fast" or which == "small")
    made = detector_onnx(state, backbone, window=WINDOW, metadata={"flawline.recipe": "abc"})
    onnx.checker.check_model(made, full_check=True)
    pixels = noise(*input_size(method, WINDOW), seed=9)
    expected = run_openvino(state, backbone, pixels)
    found = run_onnx(made, pixels)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.ptp(expected))
    told = {p.key: p.value for p in onnx.load_from_string(made).metadata_props}
    assert told["flawline.recipe"] == "abc"
    assert "flawline.preparation" not in told
    assert told.get("flawline.licence") == ("Apache-2.0" if which == "embedded" else None)


def test_the_same_detector_gives_the_same_bytes(small):
    state = fitted("patch-gaussian", small)
    first, second = (detector_onnx(state, small, window=WINDOW, metadata={}) for _ in range(2))
    assert first == second


def test_names_that_the_backbone_uses_are_not_used_again(small):
    model = onnx.load_from_string(small)
    renamed = {"image": "window", "convolved": "anomaly_map", "weights": "flawline/mean"}
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    model.graph.input[0].name = "window"
    model.graph.initializer[0].name = "flawline/mean"
    backbone = model.SerializeToString()
    state = fitted("patch-memory", backbone)
    made = detector_onnx(state, backbone, window=WINDOW, metadata={})
    onnx.checker.check_model(made, full_check=True)
    pixels = noise(*WINDOW, seed=9)
    expected = run_openvino(state, backbone, pixels)
    np.testing.assert_allclose(run_onnx(made, pixels), expected, rtol=1e-4, atol=1e-4)


def old(model):
    model.opset_import[0].version = 12


def without_a_graph(model):
    model.Clear()


def of_another_size(model):
    shape = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])
    model.graph.input[0].CopyFrom(shape)


def of_another_type(model):
    shape = helper.make_tensor_value_info("image", TensorProto.FLOAT16, [1, 3, None, None])
    model.graph.input[0].CopyFrom(shape)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (old, "operators of version 12, expected 13"),
        (without_a_graph, "operators of version 0, expected 13"),
        (of_another_size, r"takes \[1, 3, 32, 32\], expected \[1, 3, 64, 96\]"),
        (of_another_type, "else than one float32 input"),
    ],
)
def test_a_backbone_that_does_not_fit_is_refused(change, said, small):
    state = fitted("patch-memory", small)
    model = onnx.load_from_string(small)
    change(model)
    with pytest.raises(ModelError, match=said) as caught:
        detector_onnx(state, model.SerializeToString(), window=WINDOW, metadata={})
    assert caught.value.code == "export-backbone"


def test_what_is_no_onnx_is_refused(small):
    state = fitted("patch-memory", small)
    with pytest.raises(ModelError, match="cannot be read as ONNX") as caught:
        detector_onnx(state, small[:100], window=WINDOW, metadata={})
    assert caught.value.code == "export-backbone"


def test_weights_that_are_listed_as_inputs_are_none(small):
    model = onnx.load_from_string(small)
    listed = helper.make_tensor_value_info("weights", TensorProto.FLOAT, [6, 3, 8, 8])
    model.graph.input.insert(0, listed)
    backbone = model.SerializeToString()
    state = fitted("patch-memory", backbone)
    made = detector_onnx(state, backbone, window=WINDOW, metadata={})
    expected = detector_onnx(state, small, window=WINDOW, metadata={})
    assert made == expected
