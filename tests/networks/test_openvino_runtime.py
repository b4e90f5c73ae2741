import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from flawline.errors import ModelError
from flawline.networks.openvino_runtime import load_network
from helpers.networks import PREPARATION, weights_of, write_network


@pytest.fixture
def path(tmp_path):
    return write_network(tmp_path / "small.onnx")


def picture(seed=0, size=32):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def test_preparation_and_network_compute_what_numpy_computes(path):
    network = load_network(path, precision="f32")
    pixels = picture()
    normal = (pixels - np.array(PREPARATION.mean)) / np.array(PREPARATION.std)
    patches = normal.reshape(4, 8, 4, 8, 3).transpose(0, 2, 4, 1, 3)
    expected = np.maximum(np.einsum("ijchw,kchw->kij", patches, weights_of(path)), 0)
    result = network(pixels)
    np.testing.assert_allclose(result["stride8"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result["embedding"], expected.mean(axis=(1, 2)), rtol=1e-4)
    assert network.outputs == {"stride8": 6, "embedding": 6}


def test_a_picture_gives_the_same_bytes_alone_and_among_others(path):
    network = load_network(path)
    alone = [network(picture(seed))["embedding"].tobytes() for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        among = list(
            pool.map(lambda seed: network(picture(seed))["embedding"].tobytes(), range(40))
        )
    assert among == alone


def test_only_the_outputs_asked_for_are_computed(path):
    assert list(load_network(path, outputs=["embedding"]).outputs) == ["embedding"]
    with pytest.raises(ModelError, match="no output stride4; it has stride8, embedding"):
        load_network(path, outputs=["stride4"])


def test_size_overrides_the_preparation(path):
    network = load_network(path, size=64)
    assert network(picture(size=64))["stride8"].shape == (6, 8, 8)
    with pytest.raises(ModelError, match="takes pixels of shape"):
        network(picture(size=32))


def test_bf16_where_the_cpu_has_it_stays_close_to_f32(path):
    full = load_network(path, precision="f32")
    if load_network(path).precision == "f32":
        with pytest.raises(ModelError, match="does not compute in bf16"):
            load_network(path, precision="bf16")
        return
    half = load_network(path, precision="bf16")
    a, b = half(picture())["embedding"], full(picture())["embedding"]
    assert np.abs(a - b).max() <= 0.02 * np.abs(b).max()


def test_a_file_without_preparation_asks_for_one(tmp_path):
    bare = write_network(tmp_path / "bare.onnx", preparation=None)
    with pytest.raises(ModelError, match="does not say how pixels are prepared") as caught:
        load_network(bare)
    assert "`preparation=imagenet`" in caught.value.hint
    assert load_network(bare, preparation=PREPARATION).preparation == PREPARATION


@pytest.mark.parametrize("name", ["damaged.onnx", "model.pkl", "missing.onnx"])
def test_what_is_no_network_is_refused(tmp_path, name):
    if name != "missing.onnx":
        (tmp_path / name).write_bytes(b"\x80\x04 not a network")
    with pytest.raises(ModelError) as caught:
        load_network(tmp_path / name)
    assert caught.value.hint


@pytest.mark.parametrize("size", [-1, 0, 16385])
def test_a_size_out_of_range_is_refused(path, size):
    with pytest.raises(ModelError, match="not within 1 to 16384"):
        load_network(path, size=size)


def test_openvino_files_are_refused(tmp_path):
    (tmp_path / "small.xml").write_text('<?xml version="1.0"?><net name="x" version="11"/>')
    (tmp_path / "small.xml").rename(tmp_path / "hidden.onnx")
    (tmp_path / "small.xml").write_text("")
    for name in ("small.xml", "hidden.onnx"):
        with pytest.raises(ModelError, match=name):
            load_network(tmp_path / name)


def test_weights_in_other_files_are_refused(path, tmp_path, monkeypatch):
    apart = tmp_path / "apart.onnx"
    model = onnx.load(path)
    onnx.save(model, apart, save_as_external_data=True, location="weights.bin", size_threshold=0)
    # OpenVINO would find them here.
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"apart\.onnx keeps weights in other files"):
        load_network(apart)


def test_names_may_be_what_marks_other_files(path):
    model = onnx.load(path)
    model.graph.node[0].output[0] = model.graph.node[1].input[0] = "location"
    shape = onnx.helper.make_tensor_value_info("location", onnx.TensorProto.FLOAT, [None, 6, 4, 4])
    model.graph.value_info.append(shape)
    entry = model.metadata_props.add()
    entry.key, entry.value = "location", "hall 3"
    onnx.save(model, path)
    assert load_network(path).outputs == {"stride8": 6, "embedding": 6}


def test_the_hash_is_that_of_the_file(path):
    assert load_network(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def one_output(path, node, shape):
    """A network with one more node behind `embedding`, whose output is the only one."""
    model = onnx.load(path)
    model.graph.node.append(node)
    del model.graph.output[:]
    model.graph.output.append(
        onnx.helper.make_tensor_value_info("last", onnx.TensorProto.FLOAT, shape)
    )
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("kind", ["one dimension", "free channels"])
def test_outputs_without_a_fixed_number_of_channels_are_refused(path, kind):
    if kind == "one dimension":
        node = onnx.helper.make_node("ReduceMean", ["stride8"], ["last"], keepdims=0)
        shape = []
    else:
        node = onnx.helper.make_node("Compress", ["embedding", "kept"], ["last"], axis=1)
        model = onnx.load(path)
        model.graph.node.append(onnx.helper.make_node("Cast", ["embedding"], ["flat"], to=9))
        model.graph.node.append(onnx.helper.make_node("Reshape", ["flat", "six"], ["kept"]))
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([6]), "six"))
        onnx.save(model, path)
        shape = [None, None]
    with pytest.raises(ModelError, match=r"output last of small\.onnx has the shape"):
        load_network(one_output(path, node, shape))


def test_an_unknown_precision_is_refused(path):
    with pytest.raises(ModelError, match="auto, f32, bf16"):
        load_network(path, precision="int4")


FIRST_USE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from flawline.networks.openvino_runtime import load_network
network = load_network(Path(sys.argv[1]))
sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as pool:
    assert len(list(pool.map(network, [np.zeros((32, 32, 3), np.uint8)] * 64))) == 64
"""


def test_the_first_inferences_of_a_process_may_come_from_many_threads(path):
    """OpenVINO's binding deadlocks on a race for its first inference; a hang here fails by its timeout."""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", FIRST_USE, str(path)], check=True, timeout=120)
