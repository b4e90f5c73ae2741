"""What a segmenter predicts becomes a mask only as far as held-out masks show that it has learnt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.pseudo_mask import MARGIN, TrustCurves, pseudo_mask
from flawline.core.segmentation_metrics import IGNORE
from helpers.examples import examples

NAMES = ("background", "scratch", "stain")


def trust_of(*pairs):
    curves = TrustCurves(NAMES)
    for mask, probabilities in pairs:
        curves.add(mask, probabilities)
    return curves.trust()


def shown(mask, sure=0.9):
    """Probabilities of a segmenter that sees a mask as it is."""
    rest = (1 - sure) / 2
    return np.stack([np.where(mask == c, sure, rest) for c in range(3)]).astype(np.float32)


def plate():
    mask = np.zeros((10, 10), np.uint8)
    mask[2, 1:9] = 1
    mask[5:9, 5:9] = 2
    return mask


def limits_of(trust):
    return [one.limit for one in trust]


def test_what_is_seen_rightly_becomes_the_mask():
    trust = trust_of((plate(), shown(plate())))
    assert [(one.name, one.precision, one.recall, one.pictures) for one in trust] == [
        ("scratch", 1, 1, 1),
        ("stain", 1, 1, 1),
    ]
    turned = plate().T
    assert (pseudo_mask(shown(turned), limits_of(trust)) == turned).all()


def test_a_class_that_is_predicted_too_widely_gets_about_its_area():
    mask = plate()
    wide = shown(mask)
    # Ten more pixels, as probable as not.
    wide[2, 5:9, 2:4], wide[0, 5:9, 2:4] = 0.6, 0.35
    trust = trust_of((mask, wide))
    assert trust[1].limit > 0.6
    assert trust[1].precision == 1
    found = pseudo_mask(wide, limits_of(trust))
    assert (found == 2).sum() == 16
    assert not (found[5:9, 2:4] == 2).any()


def test_a_class_of_which_nothing_was_learnt_gets_no_pixel_and_nothing_is_background():
    mask = plate()
    seen = np.where(mask == 1, 0, mask)
    scratch, stain = trust_of((mask, shown(seen)))
    assert scratch.limit is None
    assert not scratch.learning.learnt
    found = pseudo_mask(shown(mask), [scratch.limit, stain.limit])
    assert (found == np.where(mask == 2, 2, IGNORE)).all()


def test_a_class_that_no_picture_shows_gets_no_pixel():
    mask = np.where(plate() == 1, 0, plate()).astype(np.uint8)
    scratch, stain = trust_of((mask, shown(mask)))
    assert (scratch.limit, scratch.learning, scratch.pictures) == (None, None, 0)
    assert stain.limit is not None


def test_unknown_pixels_do_not_count():
    mask = plate()
    wrong = shown(np.roll(mask, 3, axis=0))
    mask[:] = IGNORE
    one = trust_of((mask, wrong), (plate(), shown(plate())))
    assert one == trust_of((plate(), shown(plate())))


@examples(30)
@given(
    arrays(np.float32, (3, 4, 4), elements=st.floats(0.015625, 1, width=32)),
    st.tuples(*[st.one_of(st.none(), st.floats(0.1, 0.9))] * 2),
)
def test_each_pixel_is_a_class_that_reaches_its_limit_by_far_or_one_below_all(values, limits):
    chances = values / values.sum(0)
    found = pseudo_mask(chances, limits)
    assert np.isin(found, [0, 1, 2, IGNORE]).all()
    for y, x in np.ndindex(4, 4):
        own = [chances[number, y, x] for number in (1, 2)]
        pairs = [(p, limit) for p, limit in zip(own, limits, strict=True) if limit is not None]
        near = any(abs(p - np.float32(limit)) < MARGIN for p, limit in pairs)
        over = [p for p, limit in pairs if p >= limit]
        if near or (not over and None in limits):
            assert found[y, x] == IGNORE
        elif over:
            assert own[found[y, x] - 1] == pytest.approx(max(over))
        else:
            assert found[y, x] == 0
