"""The ranking methods as the benchmarks compare them: each turns the pictures of one draw into scores."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from draws import CHOOSE_SEEDS, REPORT_SEEDS, Draw, evaluate
from flawline.core.view.tiling import resize
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.features.histogram_of_gradients import histogram_of_gradients
from flawline.features.map_rows import MapRows, map_rows
from flawline.jobs.rank.comparison import fit_references
from flawline.jobs.rank.forest import fit_forest, forest_scores
from flawline.networks.backbone import EMBEDDED, open_backbone
from flawline.networks.map_choice import choose_maps
from flawline.networks.network import Network
from flawline.types import Picture, Sample, Unjudged


@dataclass(frozen=True)
class Backbone:
    """A backbone by name, its file, its preparation where the file does not say, and whether it has an embedding."""

    name: str
    path: str
    preparation: str | None
    embeds: bool


def backbones(weights: Path | None) -> list[Backbone]:
    """The embedded backbone, and the two ImageNet ones where a folder of weights is given."""
    found = [Backbone("embedded", EMBEDDED, None, True)]
    if weights:
        mobile, residual = "mobilenet_v2_imagenet.onnx", "resnet18_to_layer3_imagenet.onnx"
        found.append(Backbone("MobileNetV2", str(weights / mobile), "mean=128,std=128", True))
        found.append(Backbone("ResNet-18", str(weights / residual), "imagenet", False))
    return found


def arguments(description: str | None) -> argparse.Namespace:
    """The options of a ranking benchmark."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, help="the pictures")
    parser.add_argument("--weights", type=Path, help="folder with the ImageNet backbones")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--precision", default="auto")
    parser.add_argument(
        "--choose", action="store_true", help="seeds 1000-1049, on which methods are chosen"
    )
    options = parser.parse_args()
    options.seeds = CHOOSE_SEEDS if options.choose else REPORT_SEEDS
    return options


def report(
    source: Source,
    samples: Sequence[Sample],
    draws: Sequence[Draw],
    options: argparse.Namespace,
) -> None:
    """Print the figures of every method with every backbone, BigML's recipe first."""
    print(
        f"{len(draws)} draws, seeds {draws[0].seed}-{draws[-1].seed}, 106 good + 6 bad, bad within the top 7 "
        f"(mean +- standard error), {options.size} px"
    )
    gradients = compute(source, samples, histogram_of_gradients().compute)
    for backbone in backbones(options.weights):
        network = open_backbone(
            backbone.path,
            preparation=backbone.preparation,
            outputs=lambda has: choose_maps(has) + ["embedding"] * ("embedding" in has),
            size=options.size,
            precision=options.precision,
        )
        layout = map_rows(network)
        rows = compute(source, samples, both(network, layout))
        maps, embedding = rows[:, : layout.width], rows[:, layout.width :]
        title = f"{backbone.name} ({network.precision})"
        if backbone.embeds:
            fields = np.hstack([gradients, embedding])
            show(f"BigML's recipe: HOG + {title}, forest", draws, by_forest(fields))
            show(f"neighbours on the embedding of {title}", draws, by_neighbours(embedding))
        show(f"ours (auto), {title}", draws, by_comparison(layout, maps))


def show(name: str, draws: Sequence[Draw], score: Callable[[Draw], NDArray[np.floating]]) -> None:
    print(f"{name:52s} {evaluate(draws, score)}", flush=True)


def by_forest(values: NDArray[np.float32]) -> Callable[[Draw], NDArray[np.floating]]:
    """Isolation forest of 128 trees, its seed that of the draw."""
    return lambda draw: forest_scores(
        fit_forest(values[draw.rows], seed=draw.seed), values[draw.rows]
    )


def by_neighbours(values: NDArray[np.float32]) -> Callable[[Draw], NDArray[np.floating]]:
    """Mean Euclidean distance to the two nearest others: a plain peer."""

    def score(draw: Draw) -> NDArray[np.floating]:
        rows = values[draw.rows] - values[draw.rows].mean(axis=0)
        squares = (rows**2).sum(axis=1)
        distances = squares[:, None] + squares[None, :] - 2 * rows @ rows.T
        np.fill_diagonal(distances, np.inf)
        return np.sqrt(np.maximum(np.sort(distances, axis=1)[:, :2], 0)).mean(axis=1)

    return score


def by_comparison(
    layout: MapRows, maps: NDArray[np.float32]
) -> Callable[[Draw], NDArray[np.floating]]:
    """`--method auto` as the product runs it."""
    return lambda draw: fit_references(layout.maps(maps[draw.rows]))[1].scores


def both(network: Network, layout: MapRows) -> Callable[[Picture], NDArray[np.float32]]:
    """Maps, then the embedding, of one picture in one pass."""

    def function(picture: Picture) -> NDArray[np.float32]:
        found = network(resize(picture.pixels, network.preparation.size))
        parts = [found[name].ravel() for name in (*layout.shapes, "embedding") if name in found]
        return np.concatenate(parts)

    return function


def compute(
    source: Source, samples: Sequence[Sample], function: Callable[[Picture], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Rows of all samples; a picture that cannot be judged ends the benchmark."""
    rows = []
    for sample, row in map_pictures(source, samples, function):
        if isinstance(row, Unjudged):
            sys.exit(f"{sample.name}: {row.reason}")
        rows.append(row)
    return np.stack(rows)
