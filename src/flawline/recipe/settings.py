"""The settings of a recipe that people may edit: one frozen dataclass for each section of recipe.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flawline.core.golden.differences import MATERIALS
from flawline.detectors.registry import DEFAULT, METHODS
from flawline.errors import ModelError
from flawline.recipe import checks
from flawline.recipe.checks import Check, Polygon
from flawline.recipe.entries import Problem, Section, entries_of, entry

SCHEMA = 1
TASKS = ("anomaly", "segment")
ALIGNMENTS = ("none", "shift", "rigid", "polar")
LIGHTS = ("none", "level", "flat", "gradient")
PRECISIONS = ("auto", "f32", "bf16")
MODELS = {"anomaly": "detector", "segment": "segmenter"}
"""The section about the model, by task."""
NO_THRESHOLD = 1e30
"""Stands, with either sign, for a threshold that could not be set: every score lies between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSettings(Section):
    """[picture]: the scale of a picture and its windows."""

    window: tuple[int, int] = entry(
        checks.window(),
        "Height and width of what the detector sees at once",
        (256, 256),
        fixed=True,
    )
    resolution: float | Literal["fit"] = entry(
        checks.resolution(),
        'Scaling before windows are cut; "fit" squeezes the whole picture into one window',
        "fit",
        fixed=True,
    )
    overlap: int = entry(
        checks.integer(0, 8192, "px of the scaled picture"),
        "What neighbouring windows share at least",
        0,
        fixed=True,
    )
    mm_per_px: float | None = entry(
        checks.number("mm of the part per px of the picture", 0, 1000),
        "Scale of the pictures",
        None,
    )
    mm_per_px_u: float | None = entry(
        checks.number("mm of the part per px of the picture", 0, 1000),
        "Standard uncertainty of that scale; left out: it is taken as exact",
        None,
    )
    min_defect: str | None = entry(
        checks.min_defect(),
        "Smallest defect that must stay visible in the picture",
        None,
    )

    @staticmethod
    def conflict(values: Mapping[str, Any]) -> Problem | None:
        """Find an overlap that the window does not allow, or a size in mm without a scale."""
        most, overlap = max(values["window"]) // 2, values["overlap"]
        if overlap > most:
            return Problem("overlap", f"expected at most {most} for this window, got {overlap}")
        size = checks.size_of(values["min_defect"])
        if size and size[1] == "mm" and values["mm_per_px"] is None:
            return Problem(
                "min_defect",
                f"{values['min_defect']} says nothing without a scale",
                "Give mm_per_px, or state the size in px.",
            )
        if values["mm_per_px_u"] is not None and values["mm_per_px"] is None:
            return Problem("mm_per_px_u", "there is no scale to be uncertain", "Give mm_per_px.")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSettings(Section):
    """[region_of_interest]: the part of a picture that is inspected.

    Several of `polygons` add up; `polygons` and `mask` exclude each other. With `foreground` a place counts only where
    it is inside both. Places are those of the aligned picture.
    """

    unit: Literal["px", "relative"] = entry(
        checks.one_of("px", "relative"),
        "Unit of the polygons: px, or shares 0 to 1 of the picture's width and height",
        "px",
    )
    size: tuple[int, int] | None = entry(
        checks.size(),
        "Size of the picture that polygons in px were drawn on; left out: of any picture",
        None,
    )
    polygons: tuple[Polygon, ...] = entry(
        checks.polygons(),
        "Outlines from the top left corner; none: look everywhere",
        (),
    )
    mask: str | None = entry(
        checks.file_name(".png"), "Picture in this recipe that is white where to look", None
    )
    foreground: bool = entry(
        checks.boolean(),
        "Look only at the part, as training told it from its background",
        False,
        fixed=True,
    )

    @staticmethod
    def conflict(values: Mapping[str, Any]) -> Problem | None:
        """Find polygons and a mask at once, or relative polygons beyond 1."""
        if values["polygons"] and values["mask"] is not None:
            return Problem("mask", "expected polygons or a mask, got both", "Take one of them out.")
        places = [at for polygon in values["polygons"] for point in polygon for at in point]
        if values["unit"] == "px" or max(places, default=0) <= 1:
            return None
        return Problem(
            "polygons",
            f'expected shares 0 to 1 because of unit = "relative", got {max(places):g}',
            'Write unit = "px" for pixels.',
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentSettings(Section):
    """[alignment]: how a picture is aligned with the training pictures."""

    method: str = entry(
        checks.one_of(*ALIGNMENTS), "Movement of the part that is undone", "none", fixed=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LightSettings(Section):
    """[light]: how differences in lighting are evened out."""

    method: str = entry(checks.one_of(*LIGHTS), "How light is normalised", "none", fixed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings(Section):
    """[detector]: the method that finds anomalies."""

    method: str = entry(
        checks.named(METHODS, "a method of detectors that this version knows"),
        "How it was trained",
        DEFAULT,
        fixed=True,
    )
    precision: str = entry(
        checks.one_of(*PRECISIONS),
        'Arithmetic; "auto" takes bf16 where the processor has it',
        "auto",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterSettings(Section):
    """[segmenter]: the network that predicts classes of defects, and its thresholds."""

    network: str = entry(checks.text(200), "Network that was trained", fixed=True)
    classes: tuple[str, ...] = entry(
        checks.names(), "Classes of defects, as the masks named them", fixed=True
    )
    thresholds: tuple[float, ...] = entry(
        checks.probabilities(), "Probability from which a pixel is marked, for each class in turn"
    )
    smallest: int | tuple[int, ...] = entry(
        checks.integers(1, 10**9, "px of the picture"),
        "Marked places of fewer pixels are left out; one number, or one for each class in turn",
        1,
    )
    merge: float | None = entry(
        checks.number("px of the picture", 0, 10_000),
        "Pieces of one class with at most this gap are one defect; left out: none are",
        None,
    )
    flips: bool = entry(
        checks.boolean(),
        "Look at each window mirrored too and average: four times the work",
        False,
    )
    precision: str = entry(
        checks.one_of(*PRECISIONS),
        'Arithmetic; "auto" takes bf16 where the processor has it',
        "auto",
    )

    @staticmethod
    def conflict(values: Mapping[str, Any]) -> Problem | None:
        """Find a number of thresholds, or areas that is not the number of classes."""
        known = len(values["classes"])
        for name in ("thresholds", "smallest"):
            value = values.get(name)
            if isinstance(value, list | tuple) and len(value) != known:
                return Problem(
                    name,
                    f"expected {known}, one for each of {', '.join(values['classes'])}, got {len(value)}",
                )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenSampleSettings(Section):
    """[golden]: comparison with a golden sample, beside the detector; without this section there is none."""

    slack: int = entry(checks.integer(0, 50, "px"), "By how much edges may lie elsewhere", 2)
    contrast: int = entry(
        checks.integer(1, 254, "levels"), "Least difference of a pixel that counts", 40
    )
    least: float = entry(
        checks.number("px of full contrast", 0, 1e12),
        "Places of a strength above this one are missing or extra",
    )
    material: Literal["auto", "bright", "dark"] = entry(
        checks.one_of(*MATERIALS),
        "Whether the part is brighter or darker than what is behind it",
        "auto",
    )
    basis: str = entry(checks.text(500), "What least rests on, in words", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdSettings(Section):
    """[threshold]: raw scores at which a part is no longer accepted; without this section nothing can be judged.

    A score up to and including `review` is accepted, one above `reject` rejected, one between them reviewed.
    """

    review: float = entry(checks.number("raw score"), "Scores up to this one are accepted")
    reject: float = entry(
        checks.number("raw score"), "Scores above this one are rejected; not below review"
    )
    region: float = entry(
        checks.number("raw score of the map"), "Places of the map above this one are regions"
    )
    basis: str = entry(checks.text(500), "What the thresholds rest on, in words", "")

    @staticmethod
    def conflict(values: Mapping[str, Any]) -> Problem | None:
        """Find a review threshold above the reject threshold."""
        review, reject = values["review"], values["reject"]
        if review <= reject:
            return None
        return Problem("review", f"expected at most reject, {reject:g}, got {review:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSettings(Section):
    """recipe.toml.

    `detector`, `threshold` and `golden` are for the task "anomaly", `segmenter` for "segment". `spec` is the table that
    `flawline.specification.parse` reads.
    """

    schema: int = entry(
        Check(str(SCHEMA), checks.integer(SCHEMA, SCHEMA).read), "Version of this format", SCHEMA
    )
    part: str = entry(checks.text(200), "Name of the part that is inspected", "")
    task: str = entry(
        checks.one_of(*TASKS), "What the recipe was trained to do", "anomaly", fixed=True
    )
    picture: PictureSettings = field(default_factory=PictureSettings)
    region_of_interest: RegionSettings = field(default_factory=RegionSettings)
    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)
    light: LightSettings = field(default_factory=LightSettings)
    detector: DetectorSettings | None = field(default_factory=DetectorSettings)
    segmenter: SegmenterSettings | None = None
    threshold: ThresholdSettings | None = None
    golden: GoldenSampleSettings | None = None
    spec: Mapping[str, Any] | None = entry(checks.table(), "Limits on measured defects", None)

    def __post_init__(self) -> None:
        """Refuse sections of another task."""
        Section.__post_init__(self)
        wanted = MODELS[self.task]
        for name in (*MODELS.values(), "threshold"):
            given = getattr(self, name) is not None
            if given != (name == wanted) and not (name == "threshold" and wanted == "detector"):
                raise ModelError(
                    f'task = "{self.task}" {"has no" if given else "needs a"} section [{name}]',
                    hint="Train again where the section is lost.",
                    code="recipe-settings",
                )
        if self.golden is not None and wanted != "detector":
            raise ModelError(
                f'task = "{self.task}" has no section [golden]',
                hint="A golden sample goes with a detector; take the section out.",
                code="recipe-settings",
            )


SECTIONS: Mapping[str, type[Section]] = {
    "picture": PictureSettings,
    "region_of_interest": RegionSettings,
    "alignment": AlignmentSettings,
    "light": LightSettings,
    "detector": DetectorSettings,
    "segmenter": SegmenterSettings,
    "threshold": ThresholdSettings,
    "golden": GoldenSampleSettings,
}

HOMES = {key: section for section, kind in SECTIONS.items() for key in entries_of(kind)}


def fixed_values(settings: RecipeSettings) -> dict[str, Any]:
    """Collect the values that training decided, by dotted key, as JSON has them."""
    return {
        ".".join(filter(None, (section, key))): plain(getattr(values, key))
        for section, values in _parts(settings)
        for key, facts in entries_of(type(values)).items()
        if facts.metadata["fixed"]
    }


def as_table(settings: RecipeSettings) -> dict[str, Any]:
    """Convert all entries to nested tables, with None for entries that are left out."""
    table: dict[str, Any] = {}
    for section, values in _parts(settings):
        inner = {key: plain(getattr(values, key)) for key in entries_of(type(values))}
        table.update({section: inner} if section else inner)
    return table


def plain(value: Any) -> Any:
    """Convert tuples to lists."""
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def _parts(settings: RecipeSettings) -> list[tuple[str, Section]]:
    parts = [("", settings), *((name, getattr(settings, name)) for name in SECTIONS)]
    return [(name, values) for name, values in parts if values is not None]
