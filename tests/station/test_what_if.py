"""Judging records by another version of their recipe agrees with judging the pictures again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flawline.data.frame import Frame
from flawline.inspector import Inspector
from flawline.recipe import recipe_with, threshold_settings
from flawline.records import open_store
from flawline.station.station import Station
from flawline.station.what_if import same_measures, what_if
from flawline.types import SEVERITY
from helpers.discs import disc, faint, spoilt, train, write_discs
from helpers.full_house import png
from helpers.networks import write_network

SPECS = (
    {"limits": [{"limit": "count", "max": 0}]},
    {"limits": [{"limit": "area", "max": "60 px2"}]},
    {"limits": [{"limit": "nearest_distance", "min": "4 px"}]},
    {"limits": [{"limit": "rectangle_length", "max": "9 px", "where": "area > 20 px2"}]},
    {
        "limits": [{"limit": "total area", "max": "1 %", "zone": "left"}],
        "zones": {"left": {"polygon": [[0, 0], [48, 0], [48, 96], [0, 96]], "unit": "px"}},
    },
    {"limits": [{"limit": "spacing", "min": "30 px"}, {"limit": "p_value", "min": 0.05}]},
)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("what-if")
    trained = train(write_discs(folder / "parts", good=24), write_network(folder / "small.onnx"))
    return trained.recipe


def pictures():
    made = [disc(500 + k) for k in range(5)] + [spoilt(600 + k) for k in range(5)]
    made += [faint(k) for k in range(5)]
    twice = spoilt(700, left=26, top=26, size=10)
    twice[56:66, 54:64] = spoilt(701, left=54, top=56, size=10)[56:66, 54:64]
    return [*made, twice]


def kept(recipe, folder):
    """Judge the pictures with a recipe, and return their records."""
    with open_store(str(folder / f"{recipe.sha256[:8]}.db")) as store:
        with Station(Inspector(recipe), records=store, keep="none") as station:
            for number, pixels in enumerate(pictures()):
                station.inspect(Frame(png(pixels), f"{number}.png"))
        return list(store.page(count=100, newest=False).items)


def with_spec(recipe, spec):
    return recipe_with(recipe, settings=replace(recipe.settings, spec=spec))


def with_thresholds(recipe, review, reject):
    limit = threshold_settings(recipe)
    return recipe_with(
        recipe,
        settings=replace(recipe.settings, threshold=replace(limit, review=review, reject=reject)),
    )


def agrees(old, new, folder):
    """Assert that records by `old` judged by `new` are as `new` judges the pictures; returns what changed."""
    records = kept(old, folder)
    found = what_if(records, {old.sha256: old}, new)
    again = {one.record.image: one.record.verdict for one in kept(new, folder)}
    after = {one.kept.record.image: one.after for one in found.changed}
    assert found.looked == len(records) == len(pictures())
    assert found.untold == 0
    for one in records:
        name = one.record.image
        assert after.get(name, one.record.verdict) == again[name], name
    return found


@pytest.mark.parametrize("spec", SPECS)
def test_a_specification_says_of_records_what_it_says_of_pictures(recipe, tmp_path, spec):
    agrees(recipe, with_spec(recipe, spec), tmp_path)


def test_a_specification_can_be_loosened(recipe, tmp_path):
    strict = with_spec(recipe, SPECS[0])
    agrees(strict, with_spec(recipe, SPECS[2]), tmp_path)
    agrees(strict, recipe, tmp_path)


def test_thresholds_say_of_records_what_they_say_of_pictures(recipe, tmp_path):
    scores = sorted(one.record.score for one in kept(recipe, tmp_path))
    found = agrees(recipe, with_thresholds(recipe, scores[2], scores[-4]), tmp_path)
    assert found.changed
    assert all(one.before != one.after for one in found.changed)


def test_the_same_recipe_changes_nothing(recipe, tmp_path):
    records = kept(recipe, tmp_path)
    assert what_if(records, {recipe.sha256: recipe}, recipe).changed == ()


def test_what_the_record_cannot_explain_stays_as_strict(recipe, tmp_path):
    records = kept(recipe, tmp_path)
    first = next(one for one in records if one.record.verdict == "accept")
    # As a golden sample, or a part that lay elsewhere, makes it.
    held = replace(first, record=replace(first.record, verdict="review"))
    found = what_if([held], {recipe.sha256: recipe}, with_thresholds(recipe, 1e9, 1e9))
    assert found.changed == ()
    strict = with_thresholds(recipe, -1e9, -1e9)
    assert [one.after for one in what_if([held], {recipe.sha256: recipe}, strict).changed] == [
        "reject"
    ]
    assert SEVERITY[-1] == "reject"


def test_a_record_without_what_a_clause_needs_cannot_be_told(recipe, tmp_path):
    records = [one for one in kept(recipe, tmp_path) if one.record.defects]
    bare = [
        replace(
            one,
            record=replace(
                one.record,
                defects=tuple(replace(defect, measures={}) for defect in one.record.defects),
            ),
        )
        for one in records
    ]
    found = what_if(bare, {recipe.sha256: recipe}, with_spec(recipe, SPECS[1]))
    assert (found.untold, found.changed) == (len(bare), ())
    without = [replace(one, record=replace(one.record, verdict=None)) for one in records]
    assert what_if(without, {recipe.sha256: recipe}, recipe).untold == len(without)


def test_versions_that_differ_in_judging_alone_measure_the_same(recipe, tmp_path):
    assert same_measures(recipe, with_spec(recipe, SPECS[0]))
    assert same_measures(recipe, with_thresholds(recipe, 1, 2))
    limit = threshold_settings(recipe)
    other = replace(recipe.settings, threshold=replace(limit, region=limit.region + 1))
    assert not same_measures(recipe, recipe_with(recipe, settings=other))
