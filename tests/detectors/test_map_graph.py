import numpy as np
import pytest

from flawline.detectors.map_graph import MapGraph
from flawline.networks.openvino_import import openvino

SHAPES = {"stride8": (3, 4, 5)}
maps = {"stride8": np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FLAWLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


def scaled(by: float):
    """A softmax, so that more than an addition could differ, of the channels times a number."""
    ops = openvino().opset13

    def build(nodes, _):
        return ops.softmax(ops.multiply(nodes["stride8"], np.float32(by)), 1)

    return build


def test_a_kept_graph_computes_the_same_bytes(folder):
    plain = MapGraph(SHAPES, scaled(2))(maps).tobytes()
    assert not folder.exists()
    for files in (1, 1):
        assert MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes() == plain
        assert len(list(folder.iterdir())) == files
    other = MapGraph(SHAPES, scaled(3), keep=True)(maps).tobytes()
    assert other == MapGraph(SHAPES, scaled(3))(maps).tobytes() != plain
    assert len(list(folder.iterdir())) == 2


def test_what_cannot_be_read_is_compiled_anew(folder):
    plain = MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes()
    (path,) = folder.iterdir()
    path.write_bytes(b"altered")
    assert MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes() == plain
