import numpy as np
import pytest

from flawline.detectors import map_graph
from flawline.detectors.map_graph import MapGraph, graph_hash
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


def forbidden(*arguments):
    raise AssertionError("it was to be taken from the cache")


class OnlyImporting:
    """OpenVINO's runtime that compiles nothing."""

    compile_model = forbidden

    def __init__(self, core):
        self.import_model = core.import_model


def test_a_kept_graph_computes_the_same_bytes(folder, monkeypatch):
    plain = MapGraph(SHAPES, scaled(2))(maps).tobytes()
    assert not folder.exists()
    assert MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes() == plain
    assert len(list(folder.iterdir())) == 1
    importing = OnlyImporting(map_graph.core())
    monkeypatch.setattr(map_graph, "core", lambda: importing)
    assert MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes() == plain
    with pytest.raises(AssertionError, match="from the cache"):
        MapGraph(SHAPES, scaled(3), keep=True)
    with pytest.raises(AssertionError, match="from the cache"):
        MapGraph(SHAPES, scaled(2), threads=1, keep=True)


def test_what_cannot_be_imported_is_compiled_anew_and_replaced(folder):
    plain = MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes()
    (path,) = folder.iterdir()
    path.write_bytes(b"altered")
    assert MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes() == plain
    assert path.read_bytes() != b"altered"
    key = path.name
    map_graph.keep_compiled(key, {}, b"of another time")
    assert MapGraph(SHAPES, scaled(2), keep=True)(maps).tobytes() == plain
    assert len(path.read_bytes()) > 1000


def model(by=2.0, shape=(1, 3, 4), axis=1, turned=False, swapped=False):
    ops, types = openvino().opset13, openvino().Type
    one, other = (ops.parameter(shape, types.f32) for _ in range(2))
    product = ops.multiply(one, np.float32(by))
    difference = ops.subtract(other, product) if turned else ops.subtract(product, other)
    result = ops.softmax(difference, axis)
    return openvino().Model([result], [other, one] if swapped else [one, other], "any")


def test_the_hash_of_a_graph_is_of_what_it_computes():
    same = {graph_hash(model()) for _ in range(3)}
    assert len(same) == 1
    others = [
        model(by=2.0000002),
        model(shape=(1, 3, 5)),
        model(axis=2),
        model(turned=True),
        model(swapped=True),
    ]
    assert len({*same, *map(graph_hash, others)}) == 6
