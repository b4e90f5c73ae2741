"""A recipe tested by defects drawn into good pictures: what is drawn, what counts as found, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from flawline.data.as_picture import as_picture
from flawline.inspector import Inspector
from flawline.inspector.drawn_trials import part_pixels
from flawline.inspector.parts import view_of
from flawline.inspector.self_test import SelfTest, self_test
from flawline.inspector.self_test_document import self_test_document
from flawline.inspector.self_test_examples import drawn_examples
from flawline.inspector.self_test_plan import STEPS, SelfTestPlan, dealt, sizes_of
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import Recipe, RegionSettings
from flawline.types import Picture, Sample
from helpers.discs import SIDE, disc, train, write_discs
from helpers.networks import write_network

PLAN = SelfTestPlan(("spot",), (0.4,), 12)
GOOD = {f"{seed}.png": disc(seed) for seed in range(200, 208)}


def read(
    samples: Sequence[Sample], function: Callable[[Picture], Any], title: str
) -> Iterator[tuple[Sample, Any]]:
    for sample in samples:
        yield sample, function(as_picture(GOOD[sample.name]))


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recipe]:
    root = tmp_path_factory.mktemp("self_test")
    network = write_network(root / "small.onnx")
    parts = write_discs(root / "parts", good=30)
    left = ((20, 20), (48, 20), (48, 76), (20, 76))
    half = RegionSettings(polygons=(left,))
    aligned = ViewSettings(window=(64, 64), alignment="shift", region=half)
    return {
        "plain": train(parts, network).recipe,
        "half": train(parts, network, view=aligned).recipe,
    }


@pytest.fixture(scope="module")
def tested(recipes: dict[str, Recipe]) -> SelfTest:
    found = run(recipes["plain"])
    assert found is not None
    return found


def run(recipe: Recipe, plan: SelfTestPlan = PLAN, fewest: int = 1) -> SelfTest | None:
    return self_test(
        read, [Sample(name) for name in GOOD], Inspector(recipe), plan, seed=3, fewest=fewest
    )


def test_every_defect_of_the_plan_is_tried(tested: SelfTest) -> None:
    assert len(tested.trials) + tested.left_out == 24
    assert [trial.number for trial in tested.trials] == sorted({t.number for t in tested.trials})
    assert [(limit.kind, limit.contrast) for limit in tested.limits] == [
        ("spot", -0.4),
        ("spot", 0.4),
    ]
    assert set(tested.pictures) | set(tested.refused) == set(GOOD)
    assert {trial.picture for trial in tested.trials} <= set(tested.pictures)
    assert all(not trial.found or trial.noticed for trial in tested.trials)
    assert tested.sentence.startswith("at 40 % contrast, ")


def test_large_strong_spots_are_found_and_tiny_faint_ones_are_not(
    recipes: dict[str, Recipe],
) -> None:
    faint = run(recipes["plain"], SelfTestPlan(("spot",), (0.01,), 12))
    strong = run(recipes["plain"], SelfTestPlan(("spot", "scratch"), (0.5,), 12))
    assert faint is not None
    assert strong is not None
    assert sum(trial.found for trial in faint.trials) <= 2
    large = [trial for trial in strong.trials if trial.kind == "scratch" and trial.width >= 3]
    assert len(large) >= 4
    assert np.mean([trial.found for trial in large]) > 0.7


def test_the_same_seed_gives_the_same_trials(tested: SelfTest, recipes: dict[str, Recipe]) -> None:
    again = run(recipes["plain"])
    assert again is not None
    assert again.trials == tested.trials
    assert again.sentence == tested.sentence
    assert np.array_equal(again.mean, tested.mean)


def test_too_few_accepted_pictures_are_no_test(recipes: dict[str, Recipe]) -> None:
    assert run(recipes["plain"], fewest=9) is None


def test_defects_lie_where_the_recipe_looks(recipes: dict[str, Recipe]) -> None:
    found = run(recipes["half"])
    assert found is not None
    assert len(found.trials) >= 12
    assert max(trial.column for trial in found.trials) < 0.6
    plain = run(recipes["plain"])
    assert plain is not None
    assert max(trial.column for trial in plain.trials) > 0.6


def test_defects_lie_on_the_part_where_it_stands_clear(tested: SelfTest) -> None:
    """The discs have a radius of a third of the picture."""
    assert tested.part.kind != "none"
    away = [np.hypot(trial.row - 0.5, trial.column - 0.5) for trial in tested.trials]
    assert max(away) < 0.4
    assert self_test_document(tested)["drawn_on"] == "the part"


def test_the_part_of_a_shifted_picture_shifts_with_it(recipes: dict[str, Recipe]) -> None:
    view = view_of(recipes["half"])
    pixels = disc(300)
    moved = cv2.warpAffine(
        pixels, np.array([[1.0, 0, 8], [0, 1, 0]]), (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE
    )
    edges = []
    for one in (pixels, moved):
        picture = as_picture(np.asarray(one, np.uint8))
        inside = part_pixels(picture, view.look(picture))
        assert inside is not None
        edges.append(inside[SIDE // 2].nonzero()[0].max())
    assert edges[1] - edges[0] == pytest.approx(8, abs=2)


def test_colours_are_drawn_into_colour_pictures_only(recipes: dict[str, Recipe]) -> None:
    plan = SelfTestPlan(("spot", "colour"), (0.4,), 6)
    coloured = run(recipes["plain"], plan)
    assert coloured is not None
    assert {limit.kind for limit in coloured.limits} == {"spot", "colour"}


def test_examples_show_found_and_missed_ones(tested: SelfTest, recipes: dict[str, Recipe]) -> None:
    samples = [Sample(name) for name in tested.pictures]
    shown = drawn_examples(read, samples, tested, Inspector(recipes["plain"]), seed=3)
    assert {example.trial.found for example in shown} == {trial.found for trial in tested.trials}
    for example in shown:
        assert example.trial in tested.trials
        assert example.pixels.shape == example.marked.shape == (160, 160, 3)
        if example.trial.found:
            assert (example.pixels != example.marked).any()


def test_the_document_holds_every_size(tested: SelfTest) -> None:
    document = self_test_document(tested)
    assert document["sentence"] == tested.sentence
    assert document["defects"] == len(tested.trials)
    sizes = [size for limit in document["limits"] for size in limit["sizes"]]
    assert sum(size["of"] for size in sizes) == len(tested.trials)
    assert sum(size["found"] for size in sizes) == sum(trial.found for trial in tested.trials)


@pytest.mark.parametrize("kind", ["spot", "scratch", "dent", "smear"])
def test_sizes_rise_and_fit_the_picture(kind: str) -> None:
    widths = sizes_of(kind, 8.0, (300, 240))
    assert 3 <= len(widths) <= STEPS
    assert list(widths) == sorted(set(widths))
    aspect = {"scratch": 10, "smear": 3}.get(kind, 1)
    assert widths[-1] * aspect <= 0.5 * 240 + 1
    assert widths[0] >= (3 if kind == "dent" else 1)


def test_defects_of_one_size_are_dealt_to_different_pictures() -> None:
    plan = SelfTestPlan(("spot",), (0.2,), 30)
    hands = dealt(plan.drawn(8.0, (300, 300)), [str(place) for place in range(5)])
    assert sum(len(hand) for hand in hands.values()) == 60
    for hand in hands.values():
        assert len({(one.contrast, one.width) for one in hand}) == 12


def test_a_wanted_size_is_drawn_at_the_strongest_contrast() -> None:
    plan = SelfTestPlan(("spot", "scratch"), (0.2, 0.4), 24, wanted=5.3)
    own = [one for one in plan.drawn(8.0, (300, 300)) if one.width == 5.3]
    assert {(one.kind, abs(one.contrast)) for one in own} == {("spot", 0.4)}
    assert len(own) == 2 * 8


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((("hole",), (0.2,), 12), "`kinds` takes spot"),
        (((), (0.2,), 12), "`kinds` takes spot"),
        ((("spot",), (0.0,), 12), "`contrasts` takes shares"),
        ((("spot",), (), 12), "`contrasts` takes shares"),
        ((("spot",), (float("nan"),), 12), "`contrasts` takes shares"),
        ((("spot",), (0.2,), 5), "`defects` takes 6 or more"),
    ],
)
def test_plans_that_draw_nothing_are_refused(settings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SelfTestPlan(*settings)
