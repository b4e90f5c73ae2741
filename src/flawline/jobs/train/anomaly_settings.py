"""Settings of the training of a detector."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flawline.detectors.registry import DEFAULT, METHODS
from flawline.errors import UsageError
from flawline.jobs.train.calibration_targets import CalibrationTargets
from flawline.jobs.train.setup.effort import Search
from flawline.jobs.train.view import ViewSettings
from flawline.networks.openvino_runtime import PRECISIONS

if TYPE_CHECKING:
    from flawline.jobs.train.golden_training import GivenGolden

SELF_TESTS = ("check", "report", "off")


@dataclass(frozen=True, slots=True)
class AnomalySettings:
    """Settings of the training of a detector.

    `part` names the part. `method` is a name of `flawline.detectors.registry.METHODS`. `held_out` is the share of good
    pictures only calibrated with; None learns from all and calibrates with all, in folds. `set_aside` looks for bad
    pictures among the good ones. With `ignore_bad` known bad parts teach nothing, and only tell how many are missed.
    `search` chooses settings by trials, None keeps all as they are. `value_range` is for pictures of more than 8 bits.
    `self_test` draws defects into good pictures that were not learnt from at the end: "check" refuses a recipe that
    does not find the smallest defect of the view, "report" goes on, "off" draws none. `golden` is a golden sample that
    pictures are compared with too.
    """

    part: str = ""
    method: str = DEFAULT
    backbone: str = "flawline-small"
    preparation: str | None = None
    weights: str | None = None
    precision: str = "auto"
    view: ViewSettings = field(default_factory=ViewSettings)
    thresholds: CalibrationTargets = field(default_factory=CalibrationTargets)
    held_out: float | None = None
    set_aside: bool = True
    self_test: str = "check"
    search: Search | None = None
    ignore_bad: bool = False
    value_range: tuple[float, float] | None = None
    golden: GivenGolden | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse unknown methods and precisions before any picture is read."""
        for what, value, known in (
            ("method", self.method, tuple(METHODS)),
            ("precision", self.precision, PRECISIONS),
            ("self_test", self.self_test, SELF_TESTS),
        ):
            if value not in known:
                raise UsageError(f"{what} {value!r} is not one of {', '.join(known)}")
