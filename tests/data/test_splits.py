"""Holding pictures out by part."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.splits import folds_of, hold_out, part_of
from flawline.errors import UsageError
from flawline.types import Sample


def samples(groups: list[int]) -> tuple[list[Sample], dict[str, str]]:
    made = [Sample(f"{k}.png", group=str(group)) for k, group in enumerate(groups)]
    return made, {sample.name: part_of(sample) for sample in made}


@given(
    st.lists(st.integers(0, 12), min_size=2, max_size=60), st.floats(0.05, 0.9), st.integers(0, 9)
)
def test_no_part_is_torn_apart_and_nothing_is_lost(
    groups: list[int], share: float, seed: int
) -> None:
    made, parts = samples(groups)
    learn, held = hold_out(made, parts, share, seed=seed)
    assert sorted(s.name for s in (*learn, *held)) == sorted(s.name for s in made)
    assert not {parts[s.name] for s in learn} & {parts[s.name] for s in held}
    if len(set(groups)) > 1:
        assert learn
        assert held
    largest = max(groups.count(group) for group in groups)
    assert len(held) <= share * len(made) + largest


def test_the_order_of_the_pictures_does_not_matter() -> None:
    made, parts = samples([k // 3 for k in range(90)])
    shuffled = list(made)
    random.Random(1).shuffle(shuffled)
    held = {s.name for s in hold_out(made, parts, 0.3, seed=4)[1]}
    assert held == {s.name for s in hold_out(shuffled, parts, 0.3, seed=4)[1]}
    assert held != {s.name for s in hold_out(made, parts, 0.3, seed=5)[1]}


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(2, 6))
def test_folds_deal_parts_evenly(groups: list[int], folds: int) -> None:
    made, parts = samples(groups)
    dealt = folds_of(made, parts, folds)
    assert sorted(s.name for fold in dealt for s in fold) == sorted(s.name for s in made)
    counts = [len({parts[s.name] for s in fold}) for fold in dealt]
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == len(set(groups))


@pytest.mark.parametrize("share", [0, 1, -0.1, 2])
def test_a_share_that_makes_no_sense_is_refused(share: float) -> None:
    made, parts = samples([1, 2, 3])
    with pytest.raises(UsageError, match="between 0 and 1"):
        hold_out(made, parts, share)
