"""Limits of detection from trials of drawn defects, and their words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from flawline.core.blind_zones import BlindZone
from flawline.core.pod import fit_pod
from flawline.core.self_test import (
    DrawnTrial,
    answer_for,
    detection_limits,
    expected_rates,
)
from flawline.core.self_test_words import (
    NAMES,
    limit_rows,
    self_test_sentence,
    size_text,
    zone_text,
)


def trials(
    found: dict[float, Sequence[int]], kind: str = "spot", contrast: float = -0.2, aspect: float = 1
) -> list[DrawnTrial]:
    return [
        DrawnTrial(
            0, kind, contrast, width, width * aspect, "a.png", 0.5, 0.5, bool(hit), bool(hit)
        )
        for width, hits in found.items()
        for hit in hits
    ]


GRADUAL = {2.0: [0, 0, 0, 1], 4.0: [0, 1, 0, 1], 8.0: [1, 1, 0, 1], 16.0: [1, 1, 1, 1]}


def test_a_limit_is_the_fit_of_its_own_trials() -> None:
    own = trials(GRADUAL)
    (limit, other) = detection_limits([*own, *trials({3.0: [1]}, "dent", 0.2)])
    fit = fit_pod([one.width for one in own], [one.found for one in own])
    assert (limit.kind, limit.contrast, other.kind) == ("spot", -0.2, "dent")
    assert limit.pod.a90 == fit.a90
    assert limit.reach == fit.a90
    assert [(one.width, one.found.hits, one.found.of) for one in limit.sizes] == [
        (2, 1, 4),
        (4, 2, 4),
        (8, 3, 4),
        (16, 4, 4),
    ]


@pytest.mark.parametrize(
    ("found", "reach"),
    [
        ({2.0: [1, 1], 4.0: [1, 1]}, 2.0),
        ({2.0: [0, 0], 4.0: [1, 1], 8.0: [1, 1]}, 4.0),
        ({2.0: [0, 0], 4.0: [0, 0]}, None),
        ({2.0: [1, 1], 4.0: [0, 0]}, None),
        # 90 % are reached beyond what was tried.
        ({2.0: [0, 0, 1], 4.0: [0, 1, 0], 8.0: [1, 0, 1]}, None),
    ],
)
def test_reach_without_a_fit_is_where_all_are_found(
    found: dict[float, list[int]], reach: float | None
) -> None:
    (limit,) = detection_limits(trials(found))
    assert limit.reach == reach


def test_expected_rates_are_those_of_the_same_size() -> None:
    rates = expected_rates([*trials({2.0: [0, 1], 4.0: [1]}), *trials({2.0: [0]}, contrast=-0.4)])
    assert rates.tolist() == pytest.approx([0.5, 0.5, 0.75, 0.25])


def test_the_answer_for_a_size_is_that_of_the_kind_found_best_at_the_strongest_contrast() -> None:
    limits = detection_limits(
        [
            *trials({3.0: [1] * 10}, contrast=-0.2),
            *trials({3.0: [0] * 8 + [1] * 2}, contrast=-0.4),
            *trials({3.0: [0] * 5 + [1] * 5}, contrast=0.4),
        ]
    )
    answer = answer_for(limits, 3.0, NAMES)
    assert answer is not None
    assert (answer.best, answer.found.hits, answer.contrast) == ("light spots", 5, 0.4)
    assert answer.refuted
    assert answer_for(limits, 5.0, NAMES) is None


def test_a_size_that_may_be_found_is_not_refuted() -> None:
    answer = answer_for(detection_limits(trials({3.0: [1] * 7 + [0] * 3})), 3.0, NAMES)
    assert answer is not None
    assert answer.found.interval[1] > 0.9
    assert not answer.refuted


def test_the_sentence_names_what_is_found_what_is_not_and_where() -> None:
    limits = detection_limits(
        [
            *trials({2.0: [0, 0], 4.0: [1, 1]}),
            *trials({1.0: [0, 0], 2.0: [1, 1]}, "scratch", 0.2, aspect=10),
            *trials({3.0: [0], 30.0: [0, 1, 0]}, "dent", 0.2),
            *trials({1.0: [1, 1]}, contrast=-0.4),
        ]
    )
    zone = BlindZone((0.0, 0.0, 0.2, 0.2), 3, 20, 12.4, "dark")
    assert self_test_sentence(limits, [zone]) == (
        "at 20 % contrast, finds dark spots from 4 px and light scratches from 2 x 20 px; misses more than 10 % of "
        "dents up to 30 px (1 of 3 found); blind in the dark place at the upper left (3 of 20 found, 12 expected)"
    )
    assert self_test_sentence(limits[-1:], []) == (
        "at 40 % contrast, finds dark spots from 1 px (the smallest tried)"
    )


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0.4, 0.4, 0.2, 0.2), "in the place in the middle"),
        ((0.4, 0.0, 0.2, 0.2), "in the place at the top"),
        ((0.4, 0.8, 0.2, 0.2), "in the place at the bottom"),
        ((0.8, 0.4, 0.2, 0.2), "in the place at the right"),
        ((0.8, 0.8, 0.2, 0.2), "in the place at the lower right"),
    ],
)
def test_zones_are_named_by_their_place(box: tuple[float, float, float, float], words: str) -> None:
    assert zone_text(BlindZone(box, 1, 9, 5.0)).startswith(words)


def test_rows_of_the_table() -> None:
    rows = limit_rows(detection_limits([*trials(GRADUAL), *trials({2.0: [0, 0]}, contrast=0.2)]))
    assert [row["name"] for row in rows] == ["dark spots", "light spots"]
    assert rows[0]["from"] == rows[0]["a90"]
    assert rows[0]["found"] == "10 of 16"
    assert rows[1]["from"] == "no size tried"
    assert rows[1]["a90"] == "none"
    assert "all 2 defects were missed" in rows[1]["reason"]


def test_sizes_are_short() -> None:
    assert size_text(2.04) == "2 px"
    assert size_text(3.46, 10) == "3.5 x 35 px"
    assert size_text(np.float64(12.2)) == "12 px"
