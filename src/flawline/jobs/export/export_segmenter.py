"""Export the network of a segmenter for another runtime and compare it with the recipe."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from flawline.core.class_mask import class_mask_of, coarse_map
from flawline.core.view.framing import STEP, Framing
from flawline.core.view.tiling import FEATHER, MARGIN
from flawline.data.source import Source
from flawline.errors import DependencyError, ModelError
from flawline.inspector import Inspector
from flawline.jobs.export.document import parity_as_dict
from flawline.jobs.export.exported import Checked, Parity, Tolerance
from flawline.jobs.export.model_file import FORMATS, onnx_runtime, runtime_version
from flawline.jobs.export.parity import SHARE, check_any, compared, separated
from flawline.jobs.export.segmenter_page import segmenter_page
from flawline.networks.network import Preparation
from flawline.networks.openvino_import import openvino
from flawline.networks.openvino_runtime import core
from flawline.networks.segmenter import OUTPUT, Segmenter
from flawline.recipe import Recipe, SegmenterSettings, segmenter_settings
from flawline.types import Picture, Track
from flawline.version import __version__

INPUT = "image"
_TOLERANCE = Tolerance(SHARE, 1.0, "the range of a probability")

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32 (1, 3, H, W) to logits (1, C, H, W); thread-safe."""


@dataclass(frozen=True, slots=True)
class _Exported:
    """An exported network in place of that of a segmenter."""

    run: Run
    preparation: Preparation

    def __call__(self, window: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        mean, std = (np.array(v, np.float32) for v in (self.preparation.mean, self.preparation.std))
        pixels = ((window.astype(np.float32) - mean) / std).transpose(2, 0, 1)[None]
        return {OUTPUT: self.run(np.ascontiguousarray(pixels))[0]}


@dataclass(frozen=True, slots=True)
class _Pair:
    """Differences of probabilities in one picture, and of class masks in pixels: all, and away from thresholds."""

    largest: float
    mean: float
    score: float
    different: int
    clearly: int
    defective: bool


def check_segmenter(
    recipe: Recipe, name: str, folder: Path, source: Source | None, track: Track
) -> tuple[Checked, dict[str, Any], str]:
    """Write the network into `folder`, open, run and compare it; returns the figures, export.json and the page.

    Raises:
        ModelError: ("export-differs") the file does not run.
        SourceError: no picture could be compared.
    """
    inspector = Inspector(recipe, precision="f32")
    path = _write(recipe, name, folder)
    settings = segmenter_settings(recipe)
    segmenter = Segmenter(
        cast(Any, _Exported(_opened(path, name), inspector.model.preparation)),
        inspector.classes,
        _framing(recipe),
        settings.flips,
    )

    def compare(picture: Picture) -> _Pair:
        return _pair(inspector.probabilities(picture), segmenter(picture.pixels), settings)

    done = _checked(inspector, compare, source, track)
    files = {file: folder / file for file in FORMATS[name]}
    document = _document(recipe, inspector.model.preparation, name, files, done)
    return done, document, segmenter_page(recipe, inspector.model.preparation, name)


def _write(recipe: Recipe, name: str, folder: Path) -> Path:
    path = folder / FORMATS[name][0]
    if name == "onnx":
        path.write_bytes(recipe.model)
    else:
        openvino().save_model(core().read_model(recipe.model), path, compress_to_fp16=False)
    return path


def _opened(path: Path, name: str) -> Run:
    try:
        return _open_onnx(path) if name == "onnx" else _open_openvino(path)
    except DependencyError:
        raise
    except Exception as error:  # runtimes have failures of their own
        raise ModelError(
            f"the exported model does not run: {(str(error).splitlines() or [''])[0]}",
            hint="nothing was written; try the other format",
            code="export-differs",
        ) from error


def _open_onnx(path: Path) -> Run:
    runtime = onnx_runtime()
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda pixels: np.asarray(session.run([OUTPUT], {INPUT: pixels})[0], np.float32)


def _open_openvino(path: Path) -> Run:
    compiled = core().compile_model(
        core().read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    request, lock = compiled.create_infer_request(), Lock()

    def run(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        with lock:
            request.infer({0: pixels})
            return np.array(request.get_output_tensor(0).data, np.float32)

    return run


def _pair(
    own: NDArray[np.float32], other: NDArray[np.float32], settings: SegmenterSettings
) -> _Pair:
    outside = own[0] == 1  # only Flawline applies the region of interest
    other = np.where(outside, own, other)
    difference = np.abs(own.astype(np.float64) - other)
    mask = class_mask_of(own, settings.thresholds, smallest=settings.smallest)
    exported_mask = class_mask_of(other, settings.thresholds, smallest=settings.smallest)
    limits = np.array(settings.thresholds, np.float32)[:, None, None]
    at_limit = (np.abs(own[1:] - limits) <= _TOLERANCE.value).any(0)
    different = mask != exported_mask
    score = abs(float(coarse_map(own).max()) - float(coarse_map(other).max()))
    return _Pair(
        float(difference.max()),
        float(difference.mean()),
        score,
        int(different.sum()),
        int((different & ~at_limit).sum()),
        bool(mask.any()),
    )


def _checked(
    inspector: Inspector,
    compare: Callable[[Picture], _Pair],
    source: Source | None,
    track: Track,
) -> Checked:
    pictures, total = compared(inspector, compare, source)
    pairs, unjudged = separated(track(pictures, title="comparing", total=total))
    check_any(pairs, unjudged, total)
    counts = Counter("with marks" if one.defective else "without" for one in pairs.values())
    return Checked(
        _TOLERANCE,
        Parity(
            len(pairs),
            max(one.largest for one in pairs.values()),
            float(np.mean([one.mean for one in pairs.values()])),
            max(one.score for one in pairs.values()),
            sum(one.different > 0 and one.clearly == 0 for one in pairs.values()),
            tuple(name for name, one in pairs.items() if one.clearly),
        ),
        {},
        f"{len(pairs)} {'drawn pictures' if source is None else 'pictures of the source given'}",
        dict(sorted(counts.items())),
        () if source is None else (*unjudged, *source.unlisted()),
    )


def _framing(recipe: Recipe) -> Framing:
    picture = recipe.settings.picture
    return Framing(picture.window, picture.resolution, picture.overlap, cell=1)


def _document(
    recipe: Recipe,
    preparation: Preparation,
    name: str,
    files: Mapping[str, Path],
    done: Checked,
) -> dict[str, Any]:
    picture, settings = recipe.settings.picture, segmenter_settings(recipe)
    return {
        "format": name,
        "recipe": {
            "sha256": recipe.sha256,
            "part": recipe.settings.part,
            "network": settings.network,
            "mm_per_px": picture.mm_per_px,
        },
        "files": {f: hashlib.sha256(path.read_bytes()).hexdigest() for f, path in files.items()},
        "model": {
            "input": {"name": INPUT, "type": "float32", "layout": "NCHW", "colour": "RGB"},
            "output": {"name": OUTPUT, "type": "float32", "layout": "NCHW", "holds": "logits"},
            "classes": ["background", *settings.classes],
        },
        "before": {
            "mean": list(preparation.mean),
            "std": list(preparation.std),
            "resolution": picture.resolution,
            "window": list(picture.window),
            "overlap": picture.overlap,
            "windows_begin_at_multiples_of": STEP,
            "usual_picture_size": list(recipe.manifest.picture_size),
        },
        "after": {
            "overlap_share_without_weight_on_either_side": MARGIN,
            "overlap_share_of_the_ramp": FEATHER,
            **{k: v for k, v in asdict(settings).items() if k not in ("classes", "network")},
            "region_of_interest": asdict(recipe.settings.region_of_interest),
        },
        "parity": parity_as_dict(done),
        "versions": {
            "flawline": __version__,
            "checked_with": runtime_version(name),
            "recipe_written_by": recipe.manifest.version,
        },
    }
