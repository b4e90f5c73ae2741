"""Nested variance components beside a published analysis and an independent computation."""

import numpy as np
import pandas as pd
import pytest

from flawline.core.msa.nested import nested_groups, nested_variation
from flawline.errors import FlawlineError

# D. C. Montgomery, "Design and Analysis of Experiments", the purity of 3 suppliers x 4 batches x 3 readings, coded.
PURITY = {
    "1": [[1, -1, 0], [-2, -3, -4], [-2, 0, 1], [1, 4, 0]],
    "2": [[1, -2, -3], [0, 4, 2], [-1, 0, -2], [0, 3, 2]],
    "3": [[2, 4, 0], [-2, 0, 2], [1, -1, 2], [3, 2, 1]],
}


def purity():
    rows = [
        (supplier, str(batch), float(value))
        for supplier, batches in PURITY.items()
        for batch, values in enumerate(batches)
        for value in values
    ]
    return pd.DataFrame(rows, columns=["supplier", "batch", "value"])


def split(frame, *factors):
    levels = nested_groups([frame[name].tolist() for name in factors])
    return nested_variation(frame["value"].to_numpy(), levels)


def test_the_published_analysis():
    found = split(purity(), "supplier", "batch")
    np.testing.assert_allclose(found.squares, [15.06, 69.92, 63.33], atol=0.005)
    assert found.freedom.tolist() == [2, 9, 24]
    np.testing.assert_allclose(found.variances, [0, 1.71, 2.64], atol=0.005)
    assert found.balanced
    assert found.shares.sum() == pytest.approx(1)


def test_groups_of_one_name_in_two_outer_groups_are_two():
    first, second = nested_groups([["a", "a", "b", "b"], ["1", "2", "1", "2"]])
    assert first.tolist() == [0, 0, 1, 1]
    assert second.tolist() == [0, 1, 2, 3]


def test_unequal_groups_beside_the_textbook_coefficient():
    # One level: n0 = (N - sum n^2 / N) / (k - 1), R. A. Fisher's weighted size.
    rng = np.random.default_rng(5)
    sizes = [2, 7, 3, 5, 4]
    names = np.repeat([f"p{n}" for n in range(5)], sizes)
    frame = pd.DataFrame(
        {"part": names, "value": rng.normal(0, 1, 21) + np.repeat(range(5), sizes)}
    )
    found = split(frame, "part")
    groups = frame.groupby("part")["value"]
    within = groups.var().mul(np.array(sizes) - 1).sum() / (21 - 5)
    between = (groups.mean() - frame["value"].mean()).pow(2).mul(sizes).sum() / 4
    size = (21 - sum(n * n for n in sizes) / 21) / 4
    np.testing.assert_allclose(found.variances, [(between - within) / size, within], rtol=1e-9)
    assert not found.balanced


def simulated(rng, times, parts, readings, deviations):
    shape = (times, parts, readings)
    time, part, within = deviations
    values = rng.normal(0, time, (times, 1, 1)) + rng.normal(0, part, (times, parts, 1))
    values = values + rng.normal(0, within, shape)
    at = np.indices(shape).reshape(3, -1)
    frame = {"time": at[0].astype(str), "part": at[1].astype(str), "value": values.ravel()}
    # A quarter of the rows is missing, so that groups are unequal.
    return pd.DataFrame(frame).sample(frac=0.75, random_state=1).sort_index()


def test_known_components_come_back_from_unequal_groups():
    found = split(simulated(np.random.default_rng(2), 300, 4, 4, (1.0, 2.0, 0.5)), "time", "part")
    np.testing.assert_allclose(np.sqrt(found.variances), [1.0, 2.0, 0.5], rtol=0.12)
    assert found.largest == 1
    assert found.surest > 0.99


def test_intervals_hold_the_true_share_as_often_as_they_say():
    rng = np.random.default_rng(8)
    truth = np.array([1.0, 4.0, 0.25]) / 5.25
    held = [
        (found.low <= truth) & (truth <= found.high)
        for found in (
            split(simulated(rng, 12, 4, 3, (1.0, 2.0, 0.5)), "time", "part") for _ in range(60)
        )
    ]
    assert (np.mean(held, axis=0) >= 0.87).all()


def test_equal_values_are_refused():
    with pytest.raises(FlawlineError, match="no variation"):
        nested_variation(np.ones(8), [np.repeat([0, 1], 4)])
