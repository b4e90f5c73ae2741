"""Job 1: rank pictures without labels."""

from flawline.ranking.result import Ranking, recall
from flawline.ranking.run import rank

__all__ = ["Ranking", "rank", "recall"]
