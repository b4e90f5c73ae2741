"""Find the golden sample of each picture: one for the whole source, or the template that a manifest names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from flawline.core.golden.reference import MOST_PICTURES, Golden, make_golden
from flawline.core.view.alignment import AlignmentMethod
from flawline.core.view.illumination import IlluminationMethod
from flawline.data.image import read_image
from flawline.data.source import Source
from flawline.errors import ImageError, SourceError, UsageError
from flawline.types import Picture, Sample

TEMPLATE = "template"
"""The column of a manifest that names the template of a picture."""
# Templates at work at once, several pictures of one product among them.
_KEPT = 16


@dataclass(frozen=True, slots=True)
class GoldenMaking:
    """How golden samples are made; as for `make_golden`."""

    align: AlignmentMethod = "shift"
    light: IlluminationMethod = "level"
    largest_angle: float = 180.0
    value_range: tuple[float, float] | None = None

    def make(self, pictures: Sequence[Picture]) -> Golden:
        """Make a golden sample; errors as for `make_golden`."""
        return make_golden(
            [picture.pixels for picture in pictures],
            align=self.align,
            light=self.light,
            largest_angle=self.largest_angle,
        )


@dataclass(frozen=True, slots=True)
class GoldenSamples:
    """The golden sample of each picture: `of` gives it and the name of the template; `made_of` are hashes of files."""

    of: Callable[[Sample], tuple[Golden, str]]
    made_of: frozenset[str] = field(default_factory=frozenset)
    pictures: int = 0


def golden_of_source(source: Source, making: GoldenMaking) -> tuple[Golden, frozenset[str]]:
    """Make a golden sample of the pictures of a source, known bad ones left out, at most 24 of them.

    Returns:
        The golden sample, and the hashes of the files that it was made of.

    Raises:
        SourceError: there is no picture that is not known to be bad.
        ImageError: one of them cannot be read.
        UsageError: as for `make_golden`.
    """
    samples = [sample for sample in source.samples() if not sample.defective]
    if not samples:
        raise SourceError(
            f"{source.location!r} holds no good picture to make a golden sample of",
            hint="give a picture of a good part, or a folder of such pictures",
        )
    chosen = samples[:: -(-len(samples) // MOST_PICTURES)]
    pictures = [_read(source, sample.name, making) for sample in chosen]
    return making.make(pictures), frozenset(picture.sha256 for picture in pictures)


def one_golden(source: Source, making: GoldenMaking) -> GoldenSamples:
    """Let all pictures have one golden sample; errors as for `golden_of_source`."""
    golden, made_of = golden_of_source(source, making)
    return GoldenSamples(lambda sample: (golden, ""), made_of, golden.pictures)


def own_templates(source: Source, making: GoldenMaking) -> GoldenSamples:
    """Let each picture have the template that its manifest names.

    Raises:
        UsageError: no picture of the source has one.
    """
    if not any(_named(sample) for sample in source.samples()):
        raise UsageError(
            "there is no `golden` sample, and the source names no templates",
            hint="give the picture of a good part as `golden`, or a manifest with a column "
            f"{TEMPLATE!r} that names the template of each picture",
        )

    @lru_cache(maxsize=_KEPT)
    def made(name: str) -> Golden:
        return making.make([_read(source, name, making)])

    def of(sample: Sample) -> tuple[Golden, str]:
        name = _named(sample)
        if not name:
            raise ImageError(
                "the source names no template for it",
                hint=f"fill the column {TEMPLATE!r}",
                code="image-golden",
            )
        return made(name), name

    return GoldenSamples(of)


def _named(sample: Sample) -> str:
    value = sample.metadata.get(TEMPLATE)
    return "" if value is None else str(value).strip().replace("\\", "/")


def _read(source: Source, name: str, making: GoldenMaking) -> Picture:
    try:
        return read_image(
            source.read(name), value_range=making.value_range, limits=source.image_limits
        )
    except ImageError as error:
        raise ImageError(
            f"the golden sample {name} cannot be read: {error.message}",
            hint=error.hint,
            code=error.code,
        ) from error
