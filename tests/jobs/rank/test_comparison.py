import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.jobs.rank.comparison import compare, fit_references
from helpers.examples import examples


def maps(count=20, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    return {
        "stride8": (rng.normal(size=(count, 6, 8, 8)) + shift).astype(np.float32),
        "stride16": (rng.normal(size=(count, 9, 4, 4)) + shift).astype(np.float32),
    }


def with_flaw(stack, index=3, row=5, column=2):
    stack["stride8"][index, :, row, column] += 8
    stack["stride16"][index, :, row // 2, column // 2] += 4
    return stack


def test_a_local_flaw_ranks_first_and_its_heat_peaks_there():
    _, compared = fit_references(with_flaw(maps()))
    assert compared.scores.argmax() == 3
    assert np.unravel_index(compared.heat[3].argmax(), (8, 8)) == (5, 2)
    assert compared.heat.shape == (20, 8, 8)


def test_scores_are_the_soft_maximum_of_standardised_views():
    references, compared = fit_references(maps())
    np.testing.assert_allclose(np.median(compared.views, axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.quantile(compared.views, 0.9, axis=0), 1.2816, atol=1e-3)
    expected = np.log(np.exp(0.6 * compared.views).mean(axis=1)) / 0.6
    np.testing.assert_allclose(compared.scores, expected, atol=1e-5)
    assert (compared.scores <= compared.views.max(axis=1) + 1e-5).all()
    assert (compared.scores >= compared.views.mean(axis=1) - 1e-5).all()
    assert len(references.views) == compared.views.shape[1] == 8


def test_bad_pictures_do_not_raise_the_scale_by_which_they_are_judged():
    flawed = with_flaw(with_flaw(maps(count=40), 3), 9, row=2)
    sound_only, _ = fit_references(maps(count=40))
    with_bad, compared = fit_references(flawed)
    assert (with_bad.spread < 1.5 * sound_only.spread).all()
    assert compared.views.std(axis=0).max() > 2
    assert set(np.argsort(-compared.scores)[:2]) == {3, 9}


def test_a_small_strong_flaw_is_not_outvoted_by_pictures_that_differ_a_little_as_a_whole():
    stacks = with_flaw(maps(count=60))
    rng = np.random.default_rng(5)
    bright = rng.uniform(0, 1, 60).astype(np.float32)
    bright[3] = 0.5
    for stack in stacks.values():
        stack += bright[:, None, None, None] * np.float32(1.5)
    _, compared = fit_references(stacks)
    assert compared.scores.argmax() == 3


@pytest.mark.parametrize("count", [20, 64, 130])
def test_a_score_is_the_same_to_the_last_bit_alone_and_among_others(count):
    references, _ = fit_references(maps())
    new = with_flaw(maps(count, seed=1))
    together = compare(references, new)
    for index in (0, 3, count - 1):
        alone = compare(references, {name: stack[index : index + 1] for name, stack in new.items()})
        assert alone.scores[0] == together.scores[index]
        np.testing.assert_array_equal(alone.heat[0], together.heat[index])


def test_a_reference_scored_again_without_itself_scores_as_before():
    stacks = maps()
    references, fitted = fit_references(stacks)
    again = compare(references, stacks, np.eye(20, dtype=bool))
    np.testing.assert_array_equal(again.scores, fitted.scores)


def test_copies_of_a_bad_part_hide_each_other_unless_they_are_known_as_one_part():
    stacks = with_flaw(maps())
    for stack in stacks.values():
        stack[4] = stack[3]
    _, blind = fit_references(stacks)
    same = np.eye(20, dtype=bool)
    same[3, 4] = same[4, 3] = True
    references, told = fit_references(stacks, same)
    assert set(np.argsort(-told.scores)[:2]) == {3, 4}
    whole = [i for i, view in enumerate(references.views) if "level" in view or "detail" in view]
    assert (told.views[3, whole] > blind.views[3, whole] + 1).all()


def repeated(count=60, copies=4):
    """The first pictures share one mark at one place, a little different in each."""
    rng = np.random.default_rng(9)
    stacks = maps(count)
    mark = 8 * rng.normal(size=6), 4 * rng.normal(size=9)
    for index in range(copies):
        stacks["stride8"][index, :, 5, 2] = mark[0] + 0.1 * rng.normal(size=6)
        stacks["stride16"][index, :, 2, 1] = mark[1] + 0.1 * rng.normal(size=9)
    return stacks


@pytest.mark.parametrize("copies", [1, 2, 3, 4])
def test_a_mark_that_repeats_at_one_place_does_not_hide_itself(copies):
    references, compared = fit_references(repeated(copies=copies))
    assert set(np.argsort(-compared.scores)[:copies]) == set(range(copies))
    for heat in compared.heat[:copies]:
        assert np.unravel_index(heat.argmax(), heat.shape) == (5, 2)
    assert references.strides["stride8"].apart[5 * 8 + 2].nonzero()[0].tolist() == [*range(copies)]
    new = repeated(copies=copies + 1)
    marked = compare(references, {name: stack[copies : copies + 1] for name, stack in new.items()})
    assert marked.scores[0] > np.sort(compared.scores)[-copies - 1]


def test_a_mark_that_many_have_is_ordinary():
    references, _ = fit_references(repeated(copies=12))
    assert not references.strides["stride8"].apart[5 * 8 + 2].any()


def test_a_picture_that_is_far_everywhere_is_apart_nowhere():
    stacks = maps(60)
    for stack in stacks.values():
        stack[7] *= 3
    references, compared = fit_references(stacks)
    assert compared.scores.argmax() == 7
    assert references.strides["stride8"].apart[:, 7].mean() < 0.02


def test_nothing_is_left_without_another_picture_to_compare_with():
    stacks = repeated(count=40)
    # The marked ones are one group and all others another, so each has only the other to be compared with.
    group = np.arange(40) < 4
    references, compared = fit_references(stacks, group[:, None] == group[None, :])
    assert not references.strides["stride8"].apart[5 * 8 + 2].any()
    assert (compared.heat > 0).all()


def test_the_order_of_the_references_does_not_matter():
    stacks = maps()
    order = np.random.default_rng(5).permutation(20)
    _, straight = fit_references(stacks)
    _, shuffled = fit_references({name: stack[order] for name, stack in stacks.items()})
    np.testing.assert_allclose(shuffled.scores, straight.scores[order], atol=1e-4)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_small_and_equal_sets_are_finite(count):
    _, compared = fit_references(maps(count))
    assert np.isfinite(compared.scores).all()
    equal = {name: np.repeat(stack[:1], count, axis=0) for name, stack in maps(1).items()}
    references, compared = fit_references(equal)
    assert np.isfinite(compared.scores).all()
    assert np.isfinite(compare(references, maps(2, seed=3)).scores).all()


@examples(15)
@given(st.integers(2, 12), st.integers(0, 999), st.floats(0.01, 100))
def test_scaling_all_maps_changes_no_score(count, seed, factor):
    stacks = maps(count, seed)
    scaled = {name: (stack * factor).astype(np.float32) for name, stack in stacks.items()}
    _, before = fit_references(stacks)
    _, after = fit_references(scaled)
    np.testing.assert_allclose(after.scores, before.scores, atol=0.02)
