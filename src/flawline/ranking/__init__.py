"""Job 1: rank pictures without labels."""

from flawline.ranking.result import Ranking, recall
from flawline.ranking.run import rank, rank_with
from flawline.ranking.saved import SavedRanking, load_ranking, save_ranking

__all__ = [
    "Ranking",
    "SavedRanking",
    "load_ranking",
    "rank",
    "rank_with",
    "recall",
    "save_ranking",
]
