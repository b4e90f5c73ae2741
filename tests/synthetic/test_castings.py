"""Synthetic castings: what is drawn, where the defect is, and the files written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flawline.errors import UsageError
from flawline.synthetic.castings import DEFECTS, SyntheticPart, draw_casting, write_castings
from helpers.examples import examples


def part(seed: int, defect: str | None = None, size: int = 300) -> SyntheticPart:
    return draw_casting(np.random.default_rng(seed), size=size, defect=defect)


def change(seed: int, defect: str) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
    """Grey levels between a part with and without its defect, and the defect's mask."""
    damaged = part(seed, defect)
    grey = damaged.pixels[..., 0].astype(int)
    return np.abs(grey - part(seed).pixels[..., 0]), damaged.mask > 0


@pytest.mark.parametrize("defect", [None, *DEFECTS])
def test_same_seed_same_pixels(defect: str | None) -> None:
    first, second = part(7, defect), part(7, defect)
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.mask, second.mask)
    assert first.defect == defect


def test_one_generator_draws_different_parts() -> None:
    rng = np.random.default_rng(0)
    first, second = draw_casting(rng), draw_casting(rng)
    assert not np.array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("size", [128, 301])
@pytest.mark.parametrize("defect", [None, *DEFECTS])
def test_shapes_and_values(size: int, defect: str | None) -> None:
    drawn = part(3, defect, size)
    assert drawn.pixels.shape == (size, size, 3)
    assert drawn.pixels.dtype == drawn.mask.dtype == np.uint8
    assert drawn.mask.shape == (size, size)
    assert np.array_equal(drawn.pixels[..., 0], drawn.pixels[..., 1])
    assert np.array_equal(drawn.pixels[..., 0], drawn.pixels[..., 2])
    index = 0 if defect is None else DEFECTS.index(defect) + 1
    assert set(np.unique(drawn.mask)) == {0, index}


@pytest.mark.parametrize("seed", range(6))
def test_exposure_keeps_detail(seed: int) -> None:
    grey = part(seed).pixels[..., 0]
    assert np.mean(grey >= 254) < 0.03
    assert 60 < grey.mean() < 150
    # The dark bore, the belt and the turned flange are all there, so the picture has its contrast.
    assert np.percentile(grey, 1) < 30
    assert np.percentile(grey, 95) > 130


@examples(25)
@given(seed=st.integers(0, 2**32), defect=st.sampled_from(DEFECTS))
def test_defect_is_where_its_mask_says(seed: int, defect: str) -> None:
    changed, mask = change(seed, defect)
    rows, columns = np.nonzero(mask)
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    assert 5 <= extent <= 60
    assert 15 <= mask.sum() <= 500
    # Both pictures carry the same sensor noise, so an untouched pixel changes by nothing at all.
    assert changed[mask].mean() > 4
    # Shadows of a chip or a burr reach past the mask, a few pixels and no further.
    far = cv2.dilate(mask.astype(np.uint8), np.ones((41, 41), np.uint8)) == 0
    assert changed[far].max() <= 3
    assert changed[mask].mean() > 100 * changed[~mask].mean()


@examples(25)
@given(seed=st.integers(0, 2**32), defect=st.sampled_from(DEFECTS))
def test_smallest_picture_still_shows_its_defect(seed: int, defect: str) -> None:
    assert part(seed, defect, 128).mask.any()


def test_blowholes_are_darker_and_burrs_brighter() -> None:
    def shift(defect: str) -> float:
        moves = []
        for seed in range(8):
            damaged, sound = part(seed, defect), part(seed)
            at = damaged.mask > 0
            moves.append(damaged.pixels[at].mean() - sound.pixels[at].mean())
        return float(np.median(moves))

    assert shift("blowhole") < -20
    assert shift("burr") > 20


def test_sound_parts_vary_in_place_and_in_light() -> None:
    greys = np.stack([part(seed).pixels[..., 0] for seed in range(8)]).astype(float)
    assert greys.mean(axis=(1, 2)).std() > 1
    between = np.median(greys.std(axis=0))
    assert 4 < between < 40


@pytest.mark.parametrize(
    "call",
    [
        lambda: part(0, "rust"),
        lambda: part(0, size=127),
        lambda: part(0, size=4096),
        lambda: write_castings(Path("never"), good=-1),
        lambda: write_castings(Path("never"), seed=-1),
        lambda: write_castings(Path("never"), size=10),
    ],
)
def test_senseless_arguments_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match="expected") as caught:
        call()
    assert caught.value.hint
    assert not Path("never").exists()


def test_files_are_laid_out_by_label(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    paths = write_castings(
        tmp_path / "set",
        good=2,
        bad=5,
        size=128,
        masks=tmp_path / "masks",
        progress=lambda done, total: calls.append((done, total)),
    )
    names = [path.relative_to(tmp_path / "set").as_posix() for path in paths]
    assert names == [f"good/casting_{i:04d}.jpg" for i in range(2)] + [
        f"bad/casting_{i:04d}.jpg" for i in range(5)
    ]
    assert sorted(p for p in (tmp_path / "set").rglob("*") if p.is_file()) == sorted(paths)
    assert calls == [(done, 7) for done in range(1, 8)]
    classes = []
    for path in sorted((tmp_path / "masks").rglob("*.png")):
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (128, 128)
        classes.append(int(mask.max()))
    assert classes == [1, 2, 3, 4, 1]


def test_bytes_depend_on_seed_label_and_number_alone(tmp_path: Path) -> None:
    few = write_castings(tmp_path / "few", good=1, bad=2, size=128, seed=5)
    many = write_castings(tmp_path / "many", good=3, bad=3, size=128, seed=5)
    other = write_castings(tmp_path / "other", good=1, bad=2, size=128, seed=6)
    larger = {path.relative_to(tmp_path / "many"): path.read_bytes() for path in many}
    assert len(few) >= 3
    for path, differs in zip(few, other, strict=True):
        assert path.read_bytes() == larger[path.relative_to(tmp_path / "few")]
        assert path.read_bytes() != differs.read_bytes()


def test_jpeg_keeps_the_picture(tmp_path: Path) -> None:
    (path,) = write_castings(tmp_path, good=0, bad=1, seed=2)
    decoded = cv2.imread(str(path)).astype(int)
    drawn = draw_casting(np.random.default_rng([2, 1, 0]), defect=DEFECTS[0]).pixels
    assert np.abs(decoded - drawn).mean() < 4


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("a file where a folder must go")
    with pytest.raises(UsageError, match="can be written"):
        write_castings(tmp_path, good=1, bad=0, size=128)
