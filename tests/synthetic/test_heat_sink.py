"""Drawn heat sinks: what is drawn, how well it follows the published figures, and the files written."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from flawline.data.masks import open_masks
from flawline.data.masks.check import check_masks
from flawline.errors import UsageError
from flawline.synthetic.heat_sink import HeatSink, draw_heat_sink
from flawline.synthetic.heat_sink_files import HeatSinkSettings, write_heat_sinks
from flawline.synthetic.heat_sink_labels import LabelNoise, noisy_mask
from flawline.synthetic.heat_sink_shapes import draw_shape
from flawline.synthetic.heat_sink_statistics import CLASSES, SCRATCH, SIDE, STAIN, Planned, plan
from helpers.examples import examples


def sink(seed: int) -> HeatSink:
    return draw_heat_sink(np.random.default_rng(seed))


def test_same_seed_same_pixels() -> None:
    first, second = sink(3), sink(3)
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.mask, second.mask)
    assert not np.array_equal(first.pixels, sink(4).pixels)


@pytest.mark.parametrize("seed", range(6))
def test_shapes_values_and_colours(seed: int) -> None:
    drawn = sink(seed)
    assert drawn.pixels.shape == (SIDE, SIDE, 3)
    assert drawn.mask.shape == (SIDE, SIDE)
    assert drawn.pixels.dtype == drawn.mask.dtype == np.uint8
    assert set(np.unique(drawn.mask)) <= {0, SCRATCH, STAIN}
    assert drawn.mask.any()
    # Gold under warm light: red over green over blue, and no pixel at either end of the range over much of the picture.
    red, green, blue = drawn.pixels.reshape(-1, 3).mean(axis=0)
    assert red > 2 * green > 4 * blue
    assert 60 < red < 150
    assert (drawn.pixels[..., 0] == 255).mean() < 0.01


@examples(40)
@given(st.integers(0, 2**32))
def test_defects_fill_their_boxes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for planned in plan(rng):
        mask = draw_shape(rng, planned).mask
        assert mask.shape == (planned.height, planned.width)
        assert mask.any()
        rows, columns = np.nonzero(mask)
        assert np.ptp(rows) + 1 >= 0.7 * planned.height - 2
        assert np.ptp(columns) + 1 >= 0.7 * planned.width - 2


@pytest.mark.parametrize("planned", [Planned(SCRATCH, 1, 1, 1.0), Planned(STAIN, 1, 3, 0.5),
                                     Planned(SCRATCH, 320, 320, 26.0), Planned(STAIN, 320, 320, 0.1)])  # fmt: skip
def test_extreme_boxes(planned: Planned) -> None:
    mask = draw_shape(np.random.default_rng(0), planned).mask
    assert mask.shape == (planned.height, planned.width)
    assert mask.any()


def test_stains_are_dark_and_lie_where_the_mask_says() -> None:
    contrast = []
    for seed in range(12):
        drawn = sink(seed)
        grey = drawn.pixels[..., 0].astype(float)
        inside, outside = drawn.mask == STAIN, drawn.mask == 0
        if inside.any():
            contrast.append(grey[inside].mean() / np.median(grey[outside]))
    assert np.mean(contrast) < 0.85
    assert max(contrast) < 1.05


def test_plans_follow_the_published_figures() -> None:
    rng = np.random.default_rng(0)
    plans = [plan(rng) for _ in range(3000)]
    scratches = [[d for d in own if d.value == SCRATCH] for own in plans]
    stains = [[d for d in own if d.value == STAIN] for own in plans]
    # Class balance: pictures with the class, objects on such a picture.
    assert np.mean([bool(own) for own in scratches]) == pytest.approx(0.700, abs=0.03)
    assert np.mean([bool(own) for own in stains]) == pytest.approx(0.972, abs=0.015)
    assert np.mean([len(own) for own in scratches if own]) == pytest.approx(3.09, abs=0.2)
    assert np.mean([len(own) for own in stains if own]) == pytest.approx(5.10, abs=0.2)
    # Class sizes: mean height and width, px.
    for own, height, width in ((scratches, 68, 78), (stains, 21, 22)):
        found = [defect for defects in own for defect in defects]
        assert np.mean([d.height for d in found]) == pytest.approx(height, rel=0.08)
        assert np.mean([d.width for d in found]) == pytest.approx(width, rel=0.08)


def test_masks_follow_the_published_shares() -> None:
    masks = []
    for seed in range(150):
        rng = np.random.default_rng([9, seed])
        areas = np.zeros(3)
        for planned in plan(rng):
            areas[planned.value] += draw_shape(rng, planned).mask.sum()
        masks.append(areas / SIDE**2)
    shares = np.mean(masks, axis=0)
    # 1.30 % and 1.67 % of the pixels; a few large defects make 150 pictures vary.
    assert shares[SCRATCH] == pytest.approx(0.0130, abs=0.004)
    assert shares[STAIN] == pytest.approx(0.0167, abs=0.005)


def folder_hash(folder: Path) -> str:
    parts = [
        path.name.encode() + path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_set_is_a_source_without_findings(tmp_path: Path) -> None:
    written = write_heat_sinks(tmp_path / "set", HeatSinkSettings(24, seed=5))
    with open_masks(written.manifest, classes=CLASSES[1:]) as masked:
        report = check_masks(masked)
    assert report.pictures == 24
    assert [f.code for f in report.findings if f.code != "empty-class"] == []
    assert tuple(share.pixels for share in report.classes) == written.pixels
    found = rows(written.manifest)
    assert list(found[0]) == ["image", "mask", "split", "group", "lot", "captured"]
    assert {row["split"] for row in found} == {"train", "validation", "test"} == set(written.splits)
    assert len({row["group"] for row in found}) == 6
    assert [row["captured"] for row in found] == sorted(row["captured"] for row in found)
    assert found[0]["captured"].endswith("+00:00"), "records refuse a time without its zone"
    assert "CC0" in (tmp_path / "set" / "LICENSE.md").read_text(encoding="utf-8")
    assert not (tmp_path / "set" / "truth").exists()


def test_the_bytes_do_not_depend_on_processes_nor_pictures_on_their_number(tmp_path: Path) -> None:
    noise = LabelNoise(0.1, 0.1, 0.1, 0.2)
    for name, processes in (("one", 1), ("two", 2)):
        write_heat_sinks(tmp_path / name, HeatSinkSettings(10, noise=noise), processes=processes)
    assert folder_hash(tmp_path / "one") == folder_hash(tmp_path / "two")
    write_heat_sinks(tmp_path / "few", HeatSinkSettings(4))
    for number in range(4):
        name = f"images/{number:04d}.png"
        assert (tmp_path / "few" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_label_noise_is_listed_and_the_truth_is_kept(tmp_path: Path) -> None:
    noise = LabelNoise(missing=0.2, extra=0.2, wrong_class=0.2, shifted=0.2)
    written = write_heat_sinks(tmp_path / "set", HeatSinkSettings(8, noise=noise))
    errors = rows(tmp_path / "set" / "label_errors.csv")
    assert len(errors) == written.errors > 0
    assert {row["error"] for row in errors} == {"missing", "extra", "wrong_class", "shifted"}
    changed = set()
    for row in rows(written.manifest):
        from flawline.data.masks.pixels import read_mask

        mask = read_mask((tmp_path / "set" / row["mask"]).read_bytes())
        truth = read_mask((tmp_path / "set" / row["truth"]).read_bytes())
        if not np.array_equal(mask, truth):
            changed.add(row["image"])
    assert changed <= {row["image"] for row in errors}
    assert changed


@pytest.mark.parametrize("kind", ["missing", "wrong_class", "shifted", "extra"])
def test_each_kind_of_mistake(kind: str) -> None:
    drawn = sink(11)
    rng = np.random.default_rng(1)
    mask, errors = noisy_mask(rng, drawn.defects, LabelNoise(**{kind: 1.0}))
    assert {error.kind for error in errors} == {kind}
    assert len(errors) == len(drawn.defects)
    if kind == "missing":
        assert not mask.any()
    elif kind == "wrong_class":
        swapped = np.array([0, STAIN, SCRATCH], np.uint8)[drawn.mask]
        assert np.array_equal(mask, swapped)
    elif kind == "shifted":
        assert not np.array_equal(mask, drawn.mask)
        assert (mask > 0).sum() == pytest.approx((drawn.mask > 0).sum(), rel=0.2)
    else:
        assert (mask[drawn.mask > 0] == drawn.mask[drawn.mask > 0]).all()
        assert (mask > 0).sum() > (drawn.mask > 0).sum()


def test_without_noise_the_mask_is_the_truth() -> None:
    for seed in range(5):
        drawn = sink(seed)
        mask, errors = noisy_mask(np.random.default_rng(0), drawn.defects, LabelNoise())
        assert np.array_equal(mask, drawn.mask)
        assert errors == ()


def test_stains_grow_with_drift() -> None:
    def sides(growth: float) -> list[int]:
        rng = np.random.default_rng(2)
        plans = [plan(rng, stain_growth=growth) for _ in range(200)]
        return [max(d.height, d.width) for own in plans for d in own if d.value == STAIN]

    assert np.mean(sides(1.5)) == pytest.approx(1.5 * np.mean(sides(1.0)), rel=0.03)


def test_areas_grow_part_by_part_from_a_part_on() -> None:
    settings = HeatSinkSettings(1000, area_drift=0.03, drift_from=10)
    assert {settings.growth(number) for number in range(40)} == {1.0}
    assert settings.growth(40) ** 2 == pytest.approx(1.03)
    assert settings.growth(43) == settings.growth(40)
    assert settings.growth(4 * 33) ** 2 == pytest.approx(1.03**24)
    assert HeatSinkSettings(10, area_drift=0.03).growth(5) == HeatSinkSettings(
        1000, area_drift=0.03
    ).growth(5)
    assert HeatSinkSettings(100_000, area_drift=0.03).growth(99_999) == 5.0
    with pytest.raises(UsageError, match="not both"):
        HeatSinkSettings(drift=1.5, area_drift=0.03)


def test_few_objects_touch() -> None:
    planned, found = 0, 0
    for seed in range(25):
        drawn = sink(seed)
        planned += len(drawn.defects)
        found += sum(ndimage.label(drawn.mask == value, np.ones((3, 3)))[1] for value in (1, 2))
    assert found == pytest.approx(planned, rel=0.1)


@pytest.mark.parametrize(
    "options",
    [
        {"pictures": 0},
        {"seed": -1},
        {"drift": 0.1},
        {"drift": float("nan")},
        {"area_drift": 2.0},
        {"area_drift": float("nan")},
        {"drift_from": -1},
    ],
)
def test_settings_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="expected"):
        HeatSinkSettings(**options)


@pytest.mark.parametrize("shares", [(-0.1,), (1.1,), (0.5, 0, 0.3, 0.3), (float("nan"),)])
def test_label_noise_is_checked(shares: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="shares of 0 to 1"):
        LabelNoise(*shares)


def test_a_set_is_never_written_over_another(tmp_path: Path) -> None:
    write_heat_sinks(tmp_path, HeatSinkSettings(1))
    with pytest.raises(UsageError, match="holds a set already"):
        write_heat_sinks(tmp_path, HeatSinkSettings(1))


def test_published_figures_of_the_real_set(real_data: Path) -> None:
    """The numbers in the code are those that were published."""
    folder = real_data / "heat_sink" / "statistics"
    pictures = json.loads((folder / "classes_per_image.json").read_text(encoding="utf-8"))["data"]
    from flawline.synthetic import heat_sink_statistics as figures

    for column, counts in ((5, figures.SCRATCH_COUNTS), (7, figures.STAIN_COUNTS)):
        found = [row[column] for row in pictures]
        assert tuple(found.count(n) for n in range(1, len(counts) + 1)) == counts
    assert sum(row[5] > 0 and row[7] > 0 for row in pictures) == figures.BOTH
    assert sum(row[5] > 0 and row[7] == 0 for row in pictures) == figures.ONLY_SCRATCH
    assert sum(row[5] == 0 and row[7] > 0 for row in pictures) == figures.ONLY_STAIN
