"""A detector's recipe with a specification: the severer of thresholds and clauses counts."""

from dataclasses import replace

import pytest

from flawline.data.source import open_source
from flawline.inspector import Inspector
from flawline.recipe import read_recipe, recipe_with, write_recipe
from helpers.discs import train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return train(write_discs(root / "parts", good=30), network).recipe


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = write_discs(tmp_path_factory.mktemp("mixed") / "mixed", good=4, bad=3, first=100)
    with open_source(folder) as source:
        return {sample.name: source.read(sample.name) for sample in source.samples()}


def with_spec(recipe, *limits):
    return recipe_with(recipe, settings=replace(recipe.settings, spec={"limits": list(limits)}))


def verdicts(recipe, parts):
    inspector = Inspector(recipe)
    return {name: inspector.inspect(data).verdict for name, data in parts.items()}


def test_places_are_measured_and_held_against_the_clauses(recipe, parts):
    plain = Inspector(recipe)
    strict = Inspector(with_spec(recipe, {"limit": "area", "class": "anomaly", "max": "1 px2"}))
    seen = 0
    for data in parts.values():
        one, other = plain.inspect(data), strict.inspect(data)
        assert one.score == other.score
        assert one.measures == other.measures
        assert [r.measures for r in one.regions] == [r.measures for r in other.regions]
        assert len(one.regions) == len(other.regions) == other.measures["count_anomaly"]
        assert [r.box for r in one.regions] == [r.box for r in other.regions]
        assert [r.peak for r in one.regions] == [r.peak for r in other.regions]
        if other.regions:
            seen += 1
            assert other.verdict == "reject"
            assert any("limit 1 px2" in reason for reason in other.reasons)
        else:
            assert other.verdict == one.verdict
    assert seen >= 3


def test_a_generous_clause_accepts_nothing_that_the_thresholds_refuse(recipe, parts):
    generous = with_spec(recipe, {"limit": "count", "class": "anomaly", "max": 1000})
    assert verdicts(generous, parts) == verdicts(recipe, parts)
    assert "reject" in verdicts(recipe, parts).values()


def test_the_unknown_is_limited_by_its_p_value(recipe, parts):
    held = len(recipe.arrays["calibration_scores"])
    refused = with_spec(recipe, {"limit": "p_value", "min": 1.5 / (held + 1)})
    inspector = Inspector(refused)
    lowest = 0
    for data in parts.values():
        found = inspector.inspect(data)
        if found.p_value <= 1 / (held + 1):
            lowest += 1
            assert found.verdict == "reject"
            assert any("p_value" in reason or "p-value" in reason for reason in found.reasons)
        assert not any("no clause" in reason for reason in found.reasons), "thresholds judge them"
    assert lowest >= 3


def test_the_specification_is_written_with_the_recipe(recipe, parts, tmp_path):
    limit = {"limit": "area", "class": "anomaly", "max": "1 px2"}
    written = write_recipe(with_spec(recipe, limit), tmp_path / "disc.flaw")
    read = read_recipe(written)
    assert Inspector(read).spec.hash == Inspector(with_spec(recipe, limit)).spec.hash
    assert verdicts(read, parts) == verdicts(with_spec(recipe, limit), parts)
