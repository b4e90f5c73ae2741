"""How good a recipe is on pictures that it never saw, and which of several recipes is better."""

from flawline.evaluation.class_masks import MaskSettings as MaskSettings
from flawline.evaluation.comparison import Comparison as Comparison
from flawline.evaluation.comparison import compare as compare
from flawline.evaluation.differences import Costs as Costs
from flawline.evaluation.result import Evaluation as Evaluation
from flawline.evaluation.run import evaluate as evaluate
