"""Tables of defects in, verdicts out."""

from flawline.judging.result import Change, JudgedTable
from flawline.judging.run import judge_table

__all__ = ["Change", "JudgedTable", "judge_table"]
