"""What an inspection gives to Python: a table, an overlay, plain values, and HTML for notebooks."""

import gc
import json
import weakref
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image

import flawline
from flawline.core.drawing import class_colour
from flawline.core.measure.columns import COLUMNS
from flawline.data.as_picture import as_picture
from flawline.data.source import open_source
from flawline.errors import ImageError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.inspection import Inspection
from flawline.inspector.overlay import inspection_overlay
from flawline.recipe import recipe_with
from flawline.types import Region
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.networks import write_network

GREY = np.full((40, 60, 3), 100, np.uint8)
BOX = ["box_left", "box_top", "box_width", "box_height"]
ALWAYS = ["image", "defect", "label", *BOX, "area", "peak", "p_value"]


@pytest.fixture(scope="module")
def inspector(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    recipe = train(write_discs(root / "parts", good=30), network).recipe
    spec = {"limits": [{"limit": "area", "class": "anomaly", "max": "5000 px2"}]}
    return Inspector(recipe_with(recipe, settings=replace(recipe.settings, spec=spec)))


def region(label, left, top, side, **measures):
    corners = [[left, top], [left + side, top], [left + side, top + side], [left, top + side]]
    contour = np.array(corners, np.float32)
    box = (left, top, side, side)
    return Region(label, box, contour, float(side**2), 0.9, measures=measures)


def inspection(mask=None, regions=(), **more):
    scores = np.zeros((10, 15), np.float32)
    mask = np.zeros((40, 60), np.uint8) if mask is None else mask
    return Inspection(
        "a", "0" * 64, (40, 60), 0.9, None, "reject", (), regions, scores, mask, "", {}, **more
    )


def test_an_overlay_shows_heat_or_classes():
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 10:20] = 1
    found = inspection(mask, (region("stain", 10, 10, 10),), classes=("background", "stain"))
    tinted = inspection_overlay(GREY, found)
    np.testing.assert_allclose(tinted[10, 14], class_colour(1), atol=30)
    heat = inspection_overlay(GREY, replace(found, heat_range=(0.0, 1.0)))
    assert (heat[30, 50] == 100).all()
    assert not (heat[15, 15] != 100).any()
    assert (GREY == 100).all()


def test_arrays_pillow_paths_and_bytes_give_one_answer(inspector, tmp_path):
    array = spoilt(1000)
    path = write(tmp_path / "bad 7.png", array)
    given = [array, Image.fromarray(array), path, str(path), path.read_bytes(), as_picture(array)]
    found = [inspector.inspect(one) for one in given]
    assert {one.score for one in found} == {found[0].score}
    assert found[0].verdict == "reject"
    assert [one.image for one in found] == ["", "", "bad 7.png", "bad 7.png", "", ""]
    assert inspector.inspect(str(path), name="other").image == "other"
    assert found[0].sha256 == found[1].sha256 == found[5].sha256 != found[2].sha256
    assert found[2].sha256 == found[3].sha256 == found[4].sha256
    grey = inspector.inspect(array[..., 0])
    assert grey.size == (96, 96)


def test_the_recipes_range_is_that_of_deep_arrays(inspector):
    array = spoilt(1000)
    recipe = inspector.recipe
    kept = {**recipe.manifest.settings, "value_range": [0, 4095]}
    deep = Inspector(recipe_with(recipe, manifest=replace(recipe.manifest, settings=kept)))
    values = (array.astype(np.float64) / 255 * 4095).round().astype(np.uint16)
    assert deep.inspect(values).score == inspector.inspect(array).score
    assert deep.inspect(values.astype(np.float32)).score == inspector.inspect(array).score


def test_one_row_a_defect(inspector):
    found = inspector.inspect(spoilt(1000), name="x")
    table = found.defects()
    assert table.columns[: len(ALWAYS)] == ALWAYS
    assert len(table) == len(found.regions) >= 1
    assert table["image"].to_list() == ["x"] * len(table)
    assert table["defect"].to_list() == list(range(1, len(table) + 1))
    first = found.regions[0]
    assert table.row(0, named=True)["area"] == first.area
    assert tuple(table.select(BOX).row(0)) == first.box
    assert table["perimeter"][0] == first.measures["perimeter"]
    assert set(found.columns) <= set(table.columns)


def test_no_defect_is_an_empty_table_of_the_same_columns_and_types(inspector):
    some, none = inspector.inspect(spoilt(1000)), inspector.inspect(disc(3))
    assert none.verdict == "accept"
    assert len(none.defects()) == 0
    assert none.defects().schema == some.defects().schema
    joined = pl.concat([none.defects(), some.defects()])
    assert len(joined) == len(some.regions)
    schema = some.defects().schema
    assert [schema[name] for name in ("area", "defect", "label")] == [
        pl.Float64,
        pl.Int64,
        pl.String,
    ]
    kinds = {"count": pl.Int64, "flag": pl.Boolean}
    for column in COLUMNS:
        if column.name in schema:
            assert schema[column.name] == kinds.get(column.unit, pl.Float64)


def test_what_is_not_defined_is_null_in_the_table():
    found = inspection(
        regions=(region("a", 1, 2, 3, area=9.0, touches_border=1.0, own=2.5), region("b", 5, 5, 2)),
        columns=("area", "touches_border", "cluster", "nearest_distance"),
    )
    table = found.defects()
    assert table["touches_border"].to_list() == [True, None]
    assert table["cluster"].to_list() == [None, None]
    assert table["own"].to_list() == [2.5, None]
    assert table["area"].to_list() == [9.0, 4.0]


def test_plain_values_are_what_the_command_prints(inspector):
    found = inspector.inspect(spoilt(1000), name="bad/1.png")
    plain = found.as_dict()
    assert list(plain)[:6] == ["image", "score", "p_value", "verdict", "reasons", "defects"]
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert again == plain
    assert again["image"] == "bad/1.png"
    assert again["defects"][0]["box"] == list(found.regions[0].box)
    assert max(len(defect["contour"]) for defect in again["defects"]) <= 200


def test_an_overlay_of_whatever_the_picture_came_as(inspector, tmp_path):
    array = spoilt(1000)
    path = write(tmp_path / "a.png", array)
    overlays = [
        inspector.inspect(given).overlay()
        for given in (array, Image.fromarray(array), path, path.read_bytes())
    ]
    assert overlays[0].size == (96, 96)
    assert overlays[0].mode == "RGB"
    assert all(np.array_equal(overlays[0], other) for other in overlays)
    assert not np.array_equal(overlays[0], array)
    assert inspector.inspect(array).overlay(side=48).size == (48, 48)


def test_an_array_that_changes_later_does_not_change_the_overlay(inspector):
    array = spoilt(1000)
    found = inspector.inspect(array)
    before = np.asarray(found.overlay())
    array[:] = 0
    np.testing.assert_array_equal(found.overlay(), before)


def test_what_is_not_kept_is_asked_for(inspector, tmp_path):
    array = spoilt(1000)
    kept = inspector.inspect(array).overlay()
    for found in (
        inspector.inspect(array, keep_picture=False),
        inspector.inspect(as_picture(array)),
    ):
        with pytest.raises(UsageError) as caught:
            found.overlay()
        assert caught.value.code == "overlay-picture"
        assert "overlay(picture)" in caught.value.hint
        np.testing.assert_array_equal(found.overlay(array), kept)
        with pytest.raises(UsageError, match="96 x 96"):
            found.overlay(array[:50])
    deep = array.astype(np.uint16) * 16
    np.testing.assert_array_equal(found.overlay(deep, value_range=(0, 4080)), kept)


def test_a_file_that_changed_is_not_drawn(inspector, tmp_path):
    path = write(tmp_path / "a.png", spoilt(1000))
    found = inspector.inspect(path)
    write(path, disc(1))
    with pytest.raises(ImageError) as caught:
        found.overlay()
    assert caught.value.code == "image-changed"
    assert "<img" not in found._repr_html_()


def test_inspections_do_not_keep_pictures_alive(inspector, monkeypatch):
    seen = []

    def watched(*arguments, **keywords):
        picture = as_picture(*arguments, **keywords)
        seen.append(weakref.ref(picture.pixels))
        return picture

    def alive():
        gc.collect()
        return sum(one() is not None for one in seen)

    monkeypatch.setattr("flawline.inspector.inspector.as_picture", watched)
    arrays = [spoilt(n) for n in range(1000, 1004)]
    dropped = [inspector.inspect(one, keep_picture=False) for one in arrays]
    with open_source(arrays) as source:
        dropped += [inspection for _, inspection in inspector.inspect_many(source)]
        assert (len(dropped), len(seen), alive()) == (8, 8, 0)
    held = [inspector.inspect(one) for one in arrays]
    assert (len(held), alive()) == (4, 4)


def test_streamed_inspections_read_their_picture_again(inspector):
    pictures = {f"good/{n}": disc(n) for n in range(3)} | {"bad/0": spoilt(1000)}
    with open_source(pictures) as source:
        found = [inspection for _, inspection in inspector.inspect_many(source)]
        assert [one.image for one in found] == ["bad/0", "good/0", "good/1", "good/2"]
        np.testing.assert_array_equal(found[0].overlay(), inspector.inspect(spoilt(1000)).overlay())


def test_a_notebook_shows_verdict_defects_and_overlay(inspector):
    found = inspector.inspect(spoilt(1000), name="<script>x</script>.png")
    html = found._repr_html_()
    assert "reject" in html
    assert "data:image/png;base64," in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<tr>") == 1 + len(found.regions)
    many = inspection(regions=tuple(region("<b>", 1, 1, 2) for _ in range(12)))
    html = many._repr_html_()
    assert html.count("<tr>") == 11
    assert "and 2 more" in html
    assert "<td><b>" not in html
    assert "<img" not in html


def test_inspections_are_at_the_top():
    assert flawline.Inspection is Inspection
