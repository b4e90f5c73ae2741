"""Tables of defects in, verdicts out."""

from flawline.judging.result import Change, Judged
from flawline.judging.run import judge_table

__all__ = ["Change", "Judged", "judge_table"]
