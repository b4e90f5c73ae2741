from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from flawline.core.measure.measure import measure
from flawline.core.scale import PartFrame, Scale
from flawline.data.masks import MaskSettings, open_masked
from flawline.data.masks.pixels import read_mask
from flawline.errors import ImageError, SourceError
from flawline.jobs.measure.measure_files import defects_frame, parts_frame, write_tables
from flawline.jobs.measure.measure_source import measure_source
from flawline.jobs.measure.measured_masks import MeasuredMasks, MeasureSettings
from flawline.specification.model import Zone
from helpers.drawn_masks import random_masks

CLASSES = {1: "scratch", 2: "stain"}


def measured(
    source: Path,
    settings: MeasureSettings | None = None,
    classes: dict[int, str] | None = None,
    **masks: Any,
) -> MeasuredMasks:
    with open_masked(source, MaskSettings(classes=classes, **masks), measuring=True) as masked:
        return measure_source(masked, settings or MeasureSettings())


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for place, mask in enumerate(random_masks(12, seed=8)):
        cv2.imwrite(str(folder / f"{place}.png"), mask)
    return folder


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def test_masks_are_read_as_class_indices() -> None:
    mask = np.array([[0, 1, 2], [255, 7, 0]], np.uint8)
    assert read_mask(png(mask)).tolist() == mask.tolist()
    assert read_mask(png(mask.astype(np.uint16))).tolist() == mask.tolist()
    assert read_mask(png(np.repeat(mask[..., None], 3, axis=2))).tolist() == mask.tolist()


def test_a_palette_gives_places_and_not_colours(tmp_path: Path) -> None:
    from PIL import Image

    mask = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    image = Image.fromarray(mask, mode=None).convert("L")
    indexed = Image.new("P", image.size)
    indexed.putdata(mask.ravel().tolist())
    indexed.putpalette([0, 0, 0, 200, 10, 10, 200, 10, 10])
    indexed.save(tmp_path / "m.png")
    assert read_mask((tmp_path / "m.png").read_bytes()).tolist() == mask.tolist()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png(np.random.default_rng(0).integers(0, 255, (5, 5, 3)).astype(np.uint8)), "colours"),
        (cv2.imencode(".jpg", np.zeros((8, 8), np.uint8))[1].tobytes(), "JPEG"),
        (png(np.full((4, 4), 300, np.uint16)), "at most 255, got 300"),
        (b"no picture", "expected"),
    ],
)
def test_what_is_no_mask(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        read_mask(data)


def test_the_table_of_parts_has_the_published_columns(masks: Path) -> None:
    table = parts_frame(measured(masks, classes=CLASSES))
    names = ["NumberOfStains", "LargestStainArea", "LargestStainRadius"]
    names += ["EnclosingCircleX", "EnclosingCircleY", "TotalStain%"]
    for row in table.to_dicts():
        mask = cv2.imread(str(masks / row["image"]), cv2.IMREAD_UNCHANGED)
        contours, _ = cv2.findContours(
            (mask == 2).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        areas = [cv2.contourArea(contour) for contour in contours]
        expected = [0.0] * 6
        if areas:
            (x, y), radius = cv2.minEnclosingCircle(contours[int(np.argmax(areas))])
            expected = [len(areas), max(areas), radius, x, y, 100 * sum(areas) / mask.size]
        if areas.count(max(areas, default=0)) < 2:
            assert [row[name] for name in names] == pytest.approx(expected, abs=2e-3)
    assert "count_scratch" in table.columns
    assert "ScratchEnclosingCircleX" in table.columns


def test_batches_do_not_change_the_numbers(masks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = defects_frame(measured(masks))
    monkeypatch.setattr("flawline.jobs.measure.measure_source._BATCH", 5)
    assert defects_frame(measured(masks)).equals(whole)
    read = [cv2.imread(str(masks / f"{k}.png"), cv2.IMREAD_UNCHANGED) for k in range(12)]
    assert whole["area"].to_list() == measure(read, columns=["area"])["area"].tolist()


def test_tables_are_the_same_bytes_and_hold_the_same_numbers(masks: Path, tmp_path: Path) -> None:
    found = measured(masks, MeasureSettings(scale=Scale(0.1, 0.001)), CLASSES)
    written = []
    for name in ("a.parquet", "b.parquet", "a.csv", "b.csv"):
        written.append([path.read_bytes() for path in write_tables(found, tmp_path / name)])
    assert written[0] == written[1]
    assert written[2] == written[3]
    table = pl.read_parquet(tmp_path / "a.parquet")
    plain = pl.read_csv(tmp_path / "a.csv", infer_schema_length=None)
    assert plain.columns == table.drop("contours").columns
    assert plain["area_mm2"].to_list() == pytest.approx(table["area_mm2"].to_list())
    ring = np.array(table["contours"][0].to_list()[0])
    box = [ring[:, 0].min(), ring[:, 1].min()]
    assert box == [table["left"][0] + 0.5, table["top"][0] + 0.5]


def test_millimetres_and_their_uncertainty(masks: Path) -> None:
    scale = Scale(0.1, 0.002, edge=0)
    table = defects_frame(measured(masks, MeasureSettings(scale=scale)))
    assert (table["area"] * 0.01).to_list() == pytest.approx(table["area_mm2"].to_list())
    assert (table["area_mm2"] * 0.04).to_list() == pytest.approx(table["area_mm2_u"].to_list())
    lengths = table["skeleton_length_mm"]
    assert (lengths * 0.02).to_list() == pytest.approx(table["skeleton_length_mm_u"].to_list())
    assert "centroid_x_mm" in table.columns
    assert "centroid_x_mm_u" not in table.columns


def test_scale_and_frame_come_with_the_sample(masks: Path) -> None:
    rows = ["image,mm_per_px,mm_per_px_u,origin_x,origin_y,part_angle,lot"]
    rows += ["0.png,0.5,0.01,100,50,90,A", "1.png,,,,,,B", "2.png,zero,,,,,B", "3.png,-1,,,,,B"]
    (masks / "list.csv").write_text("\n".join(rows))
    found = measured(masks / "list.csv", MeasureSettings(frame=PartFrame(1, 2, 0)))
    assert {item.image for item in found.unjudged} == {"2.png", "3.png"}
    defects, parts = defects_frame(found), parts_frame(found)
    own = defects.filter(pl.col("image") == "0.png")
    assert own["area_mm2"].to_list() == pytest.approx((own["area"] * 0.25).to_list())
    assert own["part_x"].to_list() == pytest.approx((own["centroid_y"] - 50).to_list())
    assert own["part_y"].to_list() == pytest.approx((100 - own["centroid_x"]).to_list())
    other = defects.filter(pl.col("image") == "1.png")
    assert other["area_mm2"].null_count() == len(other)
    assert other["part_x"].to_list() == pytest.approx((other["centroid_x"] - 1).to_list())
    assert parts["lot"].to_list() == ["A", "B", None, None]
    assert parts["unjudged"].null_count() == 2


def test_zones_are_summarised_apart(masks: Path) -> None:
    half = Zone("left half", "px", polygon=((0, 0), (160, 0), (160, 320), (0, 320)))
    ring = Zone("rim", "mm", ring=(16, 16, 14, 40))
    parts = parts_frame(measured(masks, MeasureSettings(zones=(half, ring)), CLASSES))
    assert (parts["left half.NumberOfStains"] <= parts["NumberOfStains"]).all()
    assert parts["left half.NumberOfStains"].sum() > 0
    assert parts["rim.NumberOfStains"].sum() == 0, "no scale, no millimetres"


def test_pictures_with_masks_give_the_contrast(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 10:20] = 1
    cv2.imwrite(str(tmp_path / "masks" / "a.png"), mask)
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.where(mask, 60, 200).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "images" / "b.png"), np.zeros((40, 40), np.uint8))
    cv2.imwrite(str(tmp_path / "images" / "c.png"), np.zeros((41, 40), np.uint8))
    cv2.imwrite(str(tmp_path / "masks" / "c.png"), mask)
    found = measured(tmp_path)
    assert found.defects["contrast"].tolist() == [-140]
    unjudged = {item.image: item.reason for item in found.unjudged}
    assert list(unjudged) == ["images/c.png", "images/b.png"]
    assert unjudged["images/b.png"] == "the picture has no mask"
    empty = measured(tmp_path, unlabelled="empty")
    assert [item.image for item in empty.unjudged] == ["images/c.png"]
    assert len(empty.rows) == 2


def test_nothing_to_measure(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"torn")
    with pytest.raises(SourceError, match="none of 1 masks") as caught:
        measured(tmp_path)
    assert "give their masks with `annotations`" in caught.value.hint


def test_a_spoiled_mask_is_listed_and_the_others_are_measured(masks: Path) -> None:
    whole = measured(masks, classes=CLASSES)
    soft = cv2.blur((np.indices((40, 40))[0] > 20).astype(np.uint8) * 255, (3, 3))
    cv2.imwrite(str(masks / "3.png"), soft)
    cv2.imwrite(str(masks / "5.png"), np.full((9, 9), 3, np.uint8))
    found = measured(masks, classes=CLASSES)
    assert [(one.image, one.code) for one in found.unjudged] == [
        ("3.png", "image-mask-value"),
        ("5.png", "image-mask-value"),
    ]
    assert "got 3 in 81 px" in found.unjudged[1].reason
    assert len(found.hints) == 2
    assert len(found.rows) == len(whole.rows) - 2
    parts = parts_frame(found)
    assert parts["unjudged"].is_not_null().sum() == 2


def test_ignored_pixels_are_no_defect(tmp_path: Path) -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[5:10, 5:10], mask[20:30, 20:30] = 1, 255
    cv2.imwrite(str(tmp_path / "a.png"), mask)
    found = measured(tmp_path, classes={1: "stain"}, ignore=255)
    assert found.defects["area"].tolist() == [25]
    assert found.class_names() == ("stain",)


def test_empty_masks_without_names_have_no_defects(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 40), np.uint8))
    found = measured(tmp_path)
    assert (len(found.rows), len(found.defects), found.classes) == (1, 0, ("background",))


def test_large_masks_are_measured_one_by_one_with_the_same_result(tmp_path: Path) -> None:
    large = np.zeros((1500, 1600), np.uint8)
    cv2.circle(large, (700, 800), 300, 1, -1)
    cv2.circle(large, (1500, 100), 40, 2, -1)
    small = np.zeros((60, 80), np.uint8)
    small[10:20, 30:50] = 1
    for place, mask in enumerate((small, large, small)):
        cv2.imwrite(str(tmp_path / f"{place}.png"), mask)
    found = measured(tmp_path, classes=CLASSES)
    expected = measure([small, large, small])
    assert found.defects.picture.tolist() == expected.picture.tolist() == [0, 1, 1, 2]
    assert found.defects.columns["area"].tolist() == expected.columns["area"].tolist()
    assert (
        found.defects.columns["nearest_distance"].tolist()
        == expected.columns["nearest_distance"].tolist()
    )


def test_noise_is_refused_before_it_is_measured(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 2, (1200, 1200), np.uint8)
    cv2.imwrite(str(tmp_path / "0.png"), np.full((20, 20), 1, np.uint8))
    cv2.imwrite(str(tmp_path / "1.png"), noise)
    found = measured(tmp_path, classes=CLASSES)
    assert [lost.image for lost in found.unjudged] == ["1.png"]
    assert "noise" in " ".join(found.hints)
    assert len(found.rows) == 1


def test_a_large_mask_without_defects_has_none(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((1500, 1600), np.uint8))
    cv2.imwrite(str(tmp_path / "1.png"), np.full((20, 20), 1, np.uint8))
    found = measured(tmp_path, classes=CLASSES)
    assert (len(found.rows), found.defects.picture.tolist()) == (2, [1])
