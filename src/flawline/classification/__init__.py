"""Learn the labels of a source, say how well that works, and predict new pictures."""

from flawline.classification.apply import apply_classifier
from flawline.classification.result import Classification
from flawline.classification.run import classify
from flawline.models.classifier_file import load_classifier, save_classifier

__all__ = [
    "Classification",
    "apply_classifier",
    "classify",
    "load_classifier",
    "save_classifier",
]
