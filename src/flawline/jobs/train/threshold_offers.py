"""Say why review equals reject, and which threshold would let fewer known bad parts through."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import numpy as np
from numpy.typing import NDArray

from flawline.core.escape_threshold import USUAL_SHARES, escape_threshold
from flawline.core.metrics import Share
from flawline.core.threshold import (
    OverkillGuarantee,
    escape_share,
    guaranteed_overkill,
    overkill_share,
    pictures_needed,
)
from flawline.core.words import counted

MOST_OVERKILL = 0.5
"""A threshold above which more of the good parts lie is offered only where no other is."""


def why_equal(
    reject: OverkillGuarantee, review: OverkillGuarantee, wished: float, aside: int = 0
) -> str:
    """Explain why both thresholds are one, and what separates them.

    `wished` is the share that review aims at; of the good parts `aside` were set aside and count as above every score.
    """
    if review.rank < reject.rank:
        return f"review equals reject: places {review.rank} and {reject.rank} of {review.n} have the same score"
    n, confidence = review.n, review.confidence
    text = (
        f"review equals reject: both are the highest score of {counted(review.rank, 'good part')}"
    )
    enough = pictures_needed(wished, confidence, above=aside + 1)
    ways = [f"{enough} good parts separate them"] if enough > n else []
    if review.rank > 2:
        share = _rounded_up(guaranteed_overkill(n, review.rank - 1, confidence))
        ways.append(f"`review={share:g}` does with these")
    return f"{text}; {', or '.join(ways)}" if ways else text


def escape_offer(
    good: NDArray[np.float64], bad: NDArray[np.float64], review: float, confidence: float
) -> str:
    """Offer the threshold that misses fewer of the known bad parts; empty where none are missed or they are too few.

    Args:
        good: scores of good parts that were not learnt from, one per part.
        bad: those of known bad parts, at least one.
        review: the threshold above which a part is not accepted now.
        confidence: of the share offered.
    """
    if not escape_share(bad, review).hits:
        return ""
    offers = []
    for share in USUAL_SHARES:
        if len(bad) < pictures_needed(share, confidence):
            continue
        promise = escape_threshold(bad, share, confidence)
        if promise.threshold < review:
            offers.append((share, promise.threshold, overkill_share(good, promise.threshold)))
    if not offers:
        return ""
    bearable = [offer for offer in offers if offer[2].value <= MOST_OVERKILL]
    share, threshold, lost = bearable[0] if bearable else offers[-1]
    return (
        f"to miss at most {100 * share:g} % of such bad parts, accept up to {threshold:.4g}: {_about(lost)} of good "
        f"parts are then not accepted; `escape={share:g}`"
    )


def _about(share: Share) -> str:
    low, high = share.interval
    return f"about {100 * share.value:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"


def _rounded_up(share: float) -> float:
    return float(Decimal(repr(share)).quantize(Decimal("0.01"), ROUND_CEILING))
