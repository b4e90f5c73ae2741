"""A segmenter whose answers tests know: a pixel darker than 100 grey levels is "dark", a brighter one "bright"."""

import json
from hashlib import sha256

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from flawline.core.view.framing import Framing
from flawline.networks.network import METADATA_KEY, Preparation
from flawline.networks.segmenter import CLASSES_KEY, FRAMING_KEY
from flawline.recipe import (
    BackboneRecord,
    PictureSettings,
    RecipeManifest,
    RecipeSettings,
    SegmenterSettings,
    new_recipe,
)

MEAN, STD = 100.0, 50.0
CLASSES = ("background", "dark", "bright")


def write_segmenter(path, framing, *, told=None, aside=0):
    """Logits 0, -2 x and 2 x of the first channel x, pixel by pixel or of the pixel `aside` to the right and below."""
    side = 1 + 2 * aside
    weights = np.zeros((3, 3, side, side), np.float32)
    weights[1:, 0, -1, -1] = -2, 2
    shape = [None, 3, None, None]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weights"], ["logits"], pads=[aside] * 4)],
        "segmenter",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    preparation = Preparation(framing.window, (MEAN,) * 3, (STD,) * 3)
    texts = {
        METADATA_KEY: json.dumps(preparation.as_dict()),
        CLASSES_KEY: json.dumps(list(CLASSES)),
        FRAMING_KEY: json.dumps(framing.as_settings()),
    }
    kept = {key: text for key, text in {**texts, **(told or {})}.items() if text is not None}
    helper.set_model_props(model, kept)
    onnx.save(model, path)
    return path


def segment_recipe(
    path, *, thresholds=(0.9, 0.9), window=(64, 64), arrays=None, spec=None, mm_per_px=None, **more
):
    """A recipe of that segmenter, whose network is written to `path`; `more` is for its section."""
    network = write_segmenter(path, Framing(window, 1.0, 16, cell=1)).read_bytes()
    settings = RecipeSettings(
        part="disc",
        task="segment",
        picture=PictureSettings(window=window, resolution=1.0, overlap=16, mm_per_px=mm_per_px),
        detector=None,
        segmenter=SegmenterSettings(
            network="drawn", classes=CLASSES[1:], thresholds=thresholds, precision="f32", **more
        ),
        spec=spec,
    )
    record = BackboneRecord("drawn", sha256(network).hexdigest(), "Apache-2.0", {})
    return new_recipe(
        settings,
        network,
        arrays or {},
        RecipeManifest(record, settings={"picture_size": [80, 100]}),
    )
