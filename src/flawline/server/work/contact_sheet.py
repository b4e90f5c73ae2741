"""What the page of a ranking shows of every picture: heat, place, neighbours, and its place on a map of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.errors import SourceError
from flawline.jobs.rank.ranking import RankedPicture, Ranking
from flawline.server.pictures import heat_layer, jpeg
from flawline.types import Picture, Track, Unjudged

SMALL = 400
TILE, TILES = 48, 32
"""Side of a picture on a sheet of tiles, px, and tiles along a side of it."""
_LOW, _HIGH, _HOT = 0.9, 0.998, 0.5


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A picture as JPEG, its tile uint8 (TILE, TILE, 3), and its width and height, px."""

    data: bytes
    tile: NDArray[np.uint8]
    size: tuple[int, int]


def write_pictures(
    source: Source, ranking: Ranking, folder: Path, track: Track
) -> dict[int, tuple[int, int]]:
    """Write small/RANK.jpg, tiles/N.jpg of 1,024 tiles each and heat/RANK.png; returns (width, height) by rank."""
    ranks = {picture.sample.name: picture.rank for picture in ranking.pictures}
    samples = [sample for sample in source.samples() if sample.name in ranks]
    for name in ("small", "tiles", "heat"):
        (folder / name).mkdir(exist_ok=True)
    tiles = np.full((len(ranks), TILE, TILE, 3), 128, np.uint8)
    sizes: dict[int, tuple[int, int]] = {}
    results = map_pictures(source, samples, _draw, target=SMALL)
    for sample, drawn in track(results, title="Drawing small pictures", total=len(samples)):
        if isinstance(drawn, Unjudged):
            continue
        rank = ranks[sample.name]
        (folder / "small" / f"{rank}.jpg").write_bytes(drawn.data)
        tiles[rank - 1], sizes[rank] = drawn.tile, drawn.size
    for number, first in enumerate(range(0, len(tiles), TILES**2)):
        sheet = _sheet(tiles[first : first + TILES**2])
        (folder / "tiles" / f"{number}.jpg").write_bytes(jpeg(sheet))
    low, high = heat_range(ranking.heat_maps)
    for name, heat in ranking.heat_maps.items():
        (folder / "heat" / f"{ranks[name]}.png").write_bytes(heat_layer(heat, low, high))
    return sizes


def heat_range(maps: Mapping[str, NDArray[np.float32]]) -> tuple[float, float]:
    """Return one scale of heat for all pictures of a ranking; most cells of most pictures lie below it."""
    if not maps:
        return 0.0, 1.0
    values = np.concatenate([heat.ravel() for heat in maps.values()])
    return float(np.quantile(values, _LOW)), float(np.quantile(values, _HIGH))


def sheet_document(
    ranking: Ranking, sizes: Mapping[int, tuple[int, int]], places: NDArray[np.float64]
) -> dict[str, Any]:
    """Describe every picture by plain values, in the order of rank.

    Args:
        ranking: what to describe.
        sizes: (width, height) of pictures by rank, px.
        places: (N, 2) or more columns, the principal components of each picture's features, in the order of rank.
    """
    scale = heat_range(ranking.heat_maps)
    spread = np.abs(places[:, :2]).max(axis=0, initial=1e-12)
    at = (places[:, :2] / spread).round(4)
    if at.shape[1] < 2:
        at = np.hstack([at, np.zeros((len(at), 1))])
    return {
        "pictures": [
            {
                "rank": one.rank,
                "image": one.sample.name,
                "label": one.sample.label or "",
                "score": round(one.score, 6),
                "reasons": [reason.text for reason in one.reasons],
                "notes": list(ranking.notes.get(one.sample.name, ())),
                "size": list(sizes.get(one.rank, ())),
                "at": at[one.rank - 1].tolist(),
                **_hottest(one, ranking.heat_maps, scale),
            }
            for one in ranking.pictures
        ],
        "explained": sum(bool(one.reasons) for one in ranking.pictures),
        "unjudged": [item.as_dict() for item in ranking.unjudged],
        "warnings": list(ranking.warnings),
    }


def nearest(places: NDArray[np.floating[Any]], rank: int) -> list[tuple[int, float]]:
    """List all other ranks by the distance of their features to one, the nearest first."""
    distances = np.sqrt(np.square(places - places[rank - 1]).sum(axis=1))
    order = np.lexsort((np.arange(len(places)), distances))
    return [(int(k) + 1, round(float(distances[k]), 4)) for k in order if k != rank - 1]


def _hottest(
    one: RankedPicture,
    maps: Mapping[str, NDArray[np.float32]],
    scale: tuple[float, float],
) -> dict[str, Any]:
    """Where the heat is highest, in shares of width and height, and the share of the picture that is hot."""
    heat = maps.get(one.sample.name)
    if heat is None:
        return {"place": None, "spot": None}
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    low, high = scale
    hot = (heat - low) > _HOT * max(high - low, 1e-12)
    place = [(column + 0.5) / heat.shape[1], (row + 0.5) / heat.shape[0]]
    return {
        "place": [round(float(value), 3) for value in place],
        "spot": round(float(hot.mean()), 4),
    }


def _draw(picture: Picture) -> _Drawn:
    small = thumbnail(picture.pixels, SMALL)
    side = min(small.shape[:2])
    top, left = (small.shape[0] - side) // 2, (small.shape[1] - side) // 2
    square = small[top : top + side, left : left + side]
    tile = cv2.resize(square, (TILE, TILE), interpolation=cv2.INTER_AREA)
    return _Drawn(jpeg(small), np.asarray(tile, np.uint8), (picture.width, picture.height))


def _sheet(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows = -(-len(tiles) // TILES)
    whole = np.zeros((rows * TILES, TILE, TILE, 3), np.uint8)
    whole[: len(tiles)] = tiles
    return np.asarray(
        whole.reshape(rows, TILES, TILE, TILE, 3)
        .swapaxes(1, 2)
        .reshape(rows * TILE, TILES * TILE, 3)
    )


def ordered(samples: Sequence[str], ranking: Ranking) -> list[int]:
    """Give the row of each rank among the rows of `samples`, names in their order.

    Raises:
        SourceError: a picture that was ranked is not among them.
    """
    rows = {name: row for row, name in enumerate(samples)}
    for picture in ranking.pictures:
        if picture.sample.name not in rows:
            raise SourceError(
                f"{picture.sample.name} can no longer be read",
                hint="leave the pictures alone while they are ranked, and rank them again",
            )
    return [rows[picture.sample.name] for picture in ranking.pictures]
