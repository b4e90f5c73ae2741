"""Recipes that differ in a known way, on pictures whose every answer is known."""

import csv
import hashlib
import json

import pytest

from flawline.data.source import open_source
from flawline.errors import ImageError, UsageError
from flawline.jobs.evaluate.compare import compare
from flawline.jobs.evaluate.differences import Costs
from flawline.jobs.evaluate.evaluation_tables import comparison_as_dict, write_compared_scores
from flawline.recipe.manifest import PictureRecord
from helpers.stub_inspector import BrightnessInspector, write_part, write_parts


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def comparison(parts):
    strict = BrightnessInspector(review=0.2, reject=0.25, name="2")
    with open_source(parts) as source:
        return compare(
            source,
            {"loose": BrightnessInspector(), "strict": strict},
            costs=Costs(escape=50, overkill=1, prevalence=0.1, review=0.5),
        )


def row(comparison, name):
    return next(row for row in comparison.rows if row.name.startswith(name))


def test_scores_that_are_equal_differ_by_nothing(comparison):
    auroc = row(comparison, "image AUROC")
    assert auroc.values[0] == auroc.values[1]
    assert auroc.differences[0].value == 0
    assert auroc.finding(1) == "not told apart"


def test_rates_count_parts(comparison):
    escape, overkill = row(comparison, "escape"), row(comparison, "overkill")
    assert escape.values == pytest.approx((2 / 6, 0))
    assert overkill.values == pytest.approx((1 / 10, 2 / 10))
    assert escape.differences[0].value == pytest.approx(-2 / 6)
    assert escape.differences[0].groups == 16


def test_costs_weigh_what_each_verdict_costs_to_the_prevalence(comparison):
    cost = row(comparison, "cost")
    # loose: 2 of 6 bad accepted; of 10 good one rejected, one reviewed.
    assert cost.values[0] == pytest.approx(0.1 * 50 * 2 / 6 + 0.9 * (1 + 0.5) / 10)
    assert cost.values[1] == pytest.approx(0.9 * 2 / 10)


def test_a_large_difference_is_told(tmp_path):
    for k in range(30):
        write_part(tmp_path, f"good/{k}.png")
        write_part(tmp_path, f"bad/{k}.png", [(8, 8, 8, 110)])
    blind = BrightnessInspector(review=0.95, reject=0.96)
    with open_source(tmp_path) as source:
        found = compare(source, {"blind": blind, "seeing": BrightnessInspector(review=0.3)})
    escape = row(found, "escape")
    assert escape.values == (1, 0)
    assert escape.finding(1) == "better"
    assert escape.differences[0].high < 0
    assert row(found, "bad parts to review").finding(1) is None
    assert row(found, "defect regions").reason
    assert row(found, "pixel").values == (None, None)


def test_recall_of_regions_is_drawn_by_part(comparison):
    recall = row(comparison, "defect regions")
    assert recall.values == pytest.approx((4 / 8, 8 / 8))
    assert recall.differences[0].low > 0
    assert recall.finding(1) == "better"


def test_disagreements_come_widest_apart_first(comparison):
    # Accepted by one and rejected by the other: b0 and b1; reviewed and rejected: g0.
    assert comparison.disagreements == ("bad/b0_0.png", "bad/b1_0.png", "good/g0_0.png")


def test_a_picture_that_one_recipe_knows_is_refused_for_all(parts):
    data = (parts.parent / "good/g2_0.png").read_bytes()
    record = PictureRecord(hashlib.sha256(data).hexdigest(), "g2_0.png", "train")
    pair = {"a": BrightnessInspector(), "b": BrightnessInspector(known=(record,))}
    with open_source(parts) as source:
        with pytest.raises(UsageError) as caught:
            compare(source, pair)
        found = compare(source, pair, drop_known=True)
    assert caught.value.code == "evaluation-leak"
    assert all(len(one.pictures) == 30 for one in found.evaluations)


def test_one_recipe_is_no_comparison(parts):
    with open_source(parts) as source, pytest.raises(UsageError, match="two recipes"):
        compare(source, {"a": BrightnessInspector()})


@pytest.mark.parametrize(
    "values", [(-1, 1, 0.1), (0, 0, 0.1), (1, 1, 0), (1, 1, 1), (float("nan"), 1, 0.5)]
)
def test_costs_that_make_no_sense_are_refused(values):
    with pytest.raises(UsageError):
        Costs(*values)


def test_the_document_and_the_table(comparison, tmp_path):
    document = json.loads(json.dumps(comparison_as_dict(comparison), allow_nan=False))
    assert document["pictures"] == 32
    assert document["parts"] == 16
    escape = next(one for one in document["metrics"] if one["name"].startswith("escape"))
    assert escape["differences"]["strict"]["finding"] in ("better", "not told apart")
    assert [one["name"] for one in document["recipes"]] == ["loose", "strict"]
    path = write_compared_scores(comparison, tmp_path / "scores.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 32
    assert rows[20]["image"] == "bad/b0_0.png"
    assert (rows[20]["verdict loose"], rows[20]["verdict strict"]) == ("accept", "reject")


class Picky(BrightnessInspector):
    """Cannot judge the brightest pictures."""

    def inspect(self, picture):
        if picture.pixels.max() > 200:
            raise ImageError("too bright", code="image-view")
        return super().inspect(picture)


def test_a_picture_that_one_recipe_cannot_judge_counts_for_none(parts):
    with open_source(parts) as source:
        found = compare(source, {"a": BrightnessInspector(), "picky": Picky()})
    assert len(found.samples) == 28
    assert [len(one.pictures) for one in found.evaluations] == [32, 28]
    assert {item.image for item in found.unjudged} == {f"bad/b{k}_0.png" for k in range(2, 6)}
    assert found.exit_code == 2
    # On the same pictures the two recipes are one.
    assert row(found, "image AUROC").differences[0].value == 0
    assert row(found, "escape").values == (1, 1)
    assert row(found, "pixel").reason == "the recipes did not judge the same pictures"
