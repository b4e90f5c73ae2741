"""Splits that hold about the same of every class."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.data.splits import SHARES, part_of, stratified
from flawline.errors import UsageError
from flawline.types import Sample


def drawn(
    groups: list[int], seed: int
) -> tuple[list[Sample], dict[str, str], dict[str, tuple[float, ...]]]:
    rng = np.random.default_rng(seed)
    samples = [Sample(f"{n}.png", group=str(group)) for n, group in enumerate(groups)]
    held = rng.lognormal(4, 1.5, (len(groups), 2)) * (rng.random((len(groups), 2)) < (0.7, 0.2))
    contents = {s.name: tuple(row) for s, row in zip(samples, held.round().tolist(), strict=True)}
    return samples, {sample.name: part_of(sample) for sample in samples}, contents


@given(st.lists(st.integers(0, 15), min_size=1, max_size=60), st.integers(0, 9))
def test_no_part_is_torn_apart_and_no_split_is_empty(groups: list[int], seed: int) -> None:
    samples, parts, contents = drawn(groups, seed)
    if len(set(groups)) < 3:
        with pytest.raises(UsageError, match="at least 3 parts"):
            stratified(samples, parts, contents, seed=seed)
        return
    split = stratified(samples, parts, contents, seed=seed)
    assert set(split) == {sample.name for sample in samples}
    for group in set(groups):
        assert len({split[f"{n}.png"] for n, own in enumerate(groups) if own == group}) == 1
    if len(set(groups)) > 12:
        assert set(split.values()) == set(SHARES)


def test_pictures_classes_and_amounts_follow_the_shares() -> None:
    samples, parts, contents = drawn(list(range(1000)), 4)
    split = stratified(samples, parts, contents)
    table = np.array([contents[sample.name] for sample in samples])
    present, amounts = (table > 0).sum(axis=0), table.sum(axis=0)
    for name, share in SHARES.items():
        own = np.array([split[sample.name] == name for sample in samples])
        assert own.mean() == pytest.approx(share, abs=0.01)
        assert (table[own] > 0).sum(axis=0) / present == pytest.approx(share, abs=0.01)
        assert table[own].sum(axis=0) / amounts == pytest.approx(share, abs=0.02)


def test_a_class_in_three_parts_is_in_every_split() -> None:
    samples, parts, contents = drawn(list(range(40)), 0)
    contents = {name: (held[0], 0.0) for name, held in contents.items()}
    for name in ("3.png", "17.png", "31.png"):
        contents[name] = (contents[name][0], 5.0)
    split = stratified(samples, parts, contents)
    assert {split[name] for name in ("3.png", "17.png", "31.png")} == set(SHARES)


def test_the_seed_decides_and_the_order_does_not() -> None:
    samples, parts, contents = drawn([n // 3 for n in range(90)], 1)
    shuffled = random.Random(4).sample(samples, len(samples))
    assert stratified(samples, parts, contents) == stratified(shuffled, parts, contents)
    assert stratified(samples, parts, contents, seed=1) != stratified(samples, parts, contents)


@pytest.mark.parametrize("shares", [{"a": 0.5}, {"a": 1.2, "b": -0.2}, {}])
def test_shares_must_make_one(shares: dict[str, float]) -> None:
    samples, parts, contents = drawn(list(range(9)), 0)
    with pytest.raises(UsageError, match="positive shares"):
        stratified(samples, parts, contents, shares)
