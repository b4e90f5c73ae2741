"""Compare the pictures of a source with a golden sample, or each with its own template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2

from flawline.core.golden.differences import (
    Differences,
    GoldenSettings,
    class_mask,
    compare_with_golden,
    counted_regions,
)
from flawline.core.golden.least import learnt_least
from flawline.core.threshold import highest_by_part
from flawline.data.files_by_picture import FilesByPicture
from flawline.data.image import read_image
from flawline.data.memory_share import memory_share
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import in_order
from flawline.data.whole_file import replacing
from flawline.errors import FlawlineError, SourceError
from flawline.jobs.golden.golden_comparison import ComparedPicture, GoldenComparison
from flawline.jobs.golden.golden_samples import GoldenMaking, GoldenSamples
from flawline.types import Sample, Track, Unjudged, no_track


def compare_source(
    source: Source,
    golden: GoldenSamples,
    settings: GoldenSettings,
    making: GoldenMaking,
    *,
    learn_least: bool = True,
    folder: Path | None = None,
    track: Track = no_track,
) -> GoldenComparison:
    """Compare all pictures of an open source, on all cores, in its order.

    Args:
        source: where the pictures come from.
        golden: what each is compared with.
        settings: of the comparison.
        making: how the golden samples were made; for value ranges and the record of settings.
        learn_least: find the least strength from the known good pictures of the source that are not in the golden
            sample, where there are such: above it lie, with 95 % confidence, at most 5 % of good parts. It is never
            lower than that of `settings`.
        folder: where class masks go, as `masks/NAME.png`; none are written without it.
        track: shows progress.

    Raises:
        SourceError: none of the pictures could be compared.
    """
    work = _Work(source, golden, settings, making)
    least, basis = settings.least, "as set"
    if learn_least:
        good = list(track(work.good(), title="good parts", total=None))
        parts = [part_of(picture.sample) for picture in good]
        scores = highest_by_part([picture.score for picture in good], parts)
        least, basis = learnt_least(scores, settings.least)
    names = (sample.name for sample in source.samples())
    files = None if folder is None else FilesByPicture(folder / "masks", names, ".png")
    work = replace(work, settings=replace(settings, least=least), files=files)
    done: list[ComparedPicture] = []
    missed: list[Unjudged] = []
    total = source.summary().pictures
    for _, result in track(work.run(source.samples()), title="comparing", total=total):
        if isinstance(result, Unjudged):
            missed.append(result)
        else:
            done.append(result)
    if not done:
        first = f"the first: {missed[0].image}: {missed[0].reason}" if missed else ""
        raise SourceError(f"none of the {len(missed)} pictures could be compared", hint=first)
    if files is not None:
        files.clear_others({picture.mask for picture in done})
    kept = {name: value for name, value in asdict(settings).items() if name != "least"}
    return GoldenComparison(
        source.name,
        {**kept, **asdict(making), "golden_pictures": golden.pictures},
        least,
        basis,
        tuple(done),
        (*missed, *source.unlisted()),
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """The work on one picture, on a worker thread."""

    source: Source
    golden: GoldenSamples
    settings: GoldenSettings
    making: GoldenMaking
    files: FilesByPicture | None = None

    def run(self, samples: Iterable[Sample]) -> Iterator[tuple[Sample, ComparedPicture | Unjudged]]:
        """Compare pictures, in their order."""
        return in_order(samples, self._one)

    def good(self) -> Iterator[ComparedPicture]:
        """Compare the pictures known to be good that the golden sample was not made of."""
        known = (sample for sample in self.source.samples() if sample.defective is False)
        for _, result in self.run(known):
            if isinstance(result, ComparedPicture) and result.sha256 not in self.golden.made_of:
                yield result

    def _one(self, sample: Sample) -> ComparedPicture | Unjudged:
        try:
            golden, template = self.golden.of(sample)
            limits = self.source.image_limits
            with memory_share(limits.max_memory) as share:
                picture = read_image(
                    self.source.read(sample.name),
                    value_range=self.making.value_range,
                    limits=limits,
                    reserve=share.reserve,
                )
                found = compare_with_golden(golden, picture.pixels, self.settings)
                size = picture.pixels.shape[0], picture.pixels.shape[1]
            return self._compared(sample, template, picture.sha256, size, found)
        except FlawlineError as error:
            return Unjudged(sample.name, error.code, error.message)

    def _compared(
        self,
        sample: Sample,
        template: str,
        sha256: str,
        size: tuple[int, int],
        found: Differences,
    ) -> ComparedPicture:
        regions = counted_regions(found.regions, self.settings.least)
        path = None if self.files is None else self.files.path(sample.name)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                part.write_bytes(cv2.imencode(".png", class_mask(regions, size))[1].tobytes())
        return ComparedPicture(
            sample,
            template,
            sha256,
            size,
            regions,
            found.score,
            found.likeness,
            found.unseen,
            path,
        )
