"""Train recipes as jobs: on good parts, on the marked ones of a ranking, or on masks of defects."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flawline.data.json_file import parse_json, write_json_document
from flawline.data.source import Source, open_source
from flawline.server.errors import ServerError
from flawline.server.work.chosen_pictures import handed_on, pictures_of
from flawline.server.work.runner import JobTrack
from flawline.types import Sample

if TYPE_CHECKING:
    from flawline.data.masks import MaskedSource
    from flawline.jobs.train.segment.progress_record import EpochRecord
    from flawline.jobs.train.segment.segment_split import Split

EFFORTS = ("none", "quick", "normal", "thorough")
EVIDENCE, EXAMPLES, CHECKPOINTS = "evidence", "examples", "training"
_WISH, _MARKED = "wish.json", "marked.json"


@dataclass(frozen=True, slots=True)
class TrainingWish:
    """What is to be trained: `kind` "good" learns good parts, "masks" classes of defects, in `minutes` at most.

    `effort` is how much is tried to choose a set-up, for good parts; `annotations` is a file of masks on this machine,
    empty where the pictures bring their own.
    """

    part: str
    kind: Literal["good", "masks"] = "good"
    effort: str = "normal"
    minutes: float | None = None
    annotations: str = ""


def upload_training(
    take: Callable[[Path], Path], wish: TrainingWish, track: JobTrack, folder: Path
) -> dict[str, Any]:
    """Train on the pictures that `take` gives; they stay until a recipe came of them."""
    write_json_document(folder / _WISH, asdict(wish))
    place = take(folder)
    with open_source(place) as source:
        result = _trained(source, replace(wish, part=wish.part or place.stem), track, folder)
    shutil.rmtree(folder / "pictures", ignore_errors=True)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return result


def marked_training(
    ranked: Path,
    marks: Mapping[str, str],
    unmarked: bool,
    wish: TrainingWish,
    track: JobTrack,
    folder: Path,
) -> dict[str, Any]:
    """Train on the marked pictures of a ranking in the folder `ranked`; `unmarked` takes the others as good."""
    write_json_document(folder / _WISH, asdict(wish))
    marked = {"ranking": ranked.name, "marks": dict(marks), "unmarked": unmarked}
    write_json_document(folder / _MARKED, marked)

    def as_marked(sample: Sample) -> Sample:
        mark = marks.get(sample.name) or ("good" if unmarked else "")
        known = {"good": False, "bad": True}.get(mark)
        return replace(sample, label=mark or "unmarked", defective=known, split=None)

    with open_source(pictures_of(ranked)) as source:
        return _trained(source.changed(as_marked), wish, track, folder)


def training_again(old: Path) -> Callable[[JobTrack, Path], dict[str, Any]]:
    """Give the work that does a training that did not end once more, from its checkpoint where it has one.

    Raises:
        ServerError: ("not-found") what it was to train on is not known.
    """
    if not (old / _WISH).is_file():
        raise ServerError("what this training was about is not known", code="not-found")
    wish = TrainingWish(**parse_json((old / _WISH).read_bytes()))
    if (old / _MARKED).is_file():
        marked = parse_json((old / _MARKED).read_bytes())
        ranked = old.parent / Path(marked["ranking"]).name
        pictures_of(ranked)
        return lambda track, folder: marked_training(
            ranked, marked["marks"], marked["unmarked"], wish, track, folder
        )
    pictures_of(old)

    def work(track: JobTrack, folder: Path) -> dict[str, Any]:
        if (old / CHECKPOINTS).is_dir():
            (old / CHECKPOINTS).rename(folder / CHECKPOINTS)
        return upload_training(lambda new: handed_on(old, new), wish, track, folder)

    return work


def _trained(source: Source, wish: TrainingWish, track: JobTrack, folder: Path) -> dict[str, Any]:
    """Write recipe.flaw, recipe.html and what the page shows into the folder; returns the verdict."""
    learnt = _learn_masks if wish.kind == "masks" else _learn_good
    return {"part": wish.part, **learnt(source, wish, track, folder)}


def _learn_good(
    source: Source, wish: TrainingWish, track: JobTrack, folder: Path
) -> dict[str, Any]:
    from flawline.api.train import train_anomaly
    from flawline.jobs.train.training_pictures import write_training_report
    from flawline.jobs.train.training_verdict import training_verdict
    from flawline.recipe import write_recipe
    from flawline.server.work.evidence import write_evidence

    found = train_anomaly(source, part=wish.part, effort=wish.effort, track=track)
    write_recipe(found.recipe, folder / "recipe.flaw")
    write_training_report(found, source, folder / "recipe.html")
    write_evidence(found, source, folder / EVIDENCE, track)
    verdict = training_verdict(found)
    return {
        "recipe": found.recipe.sha256,
        "verdict": verdict.text,
        "usable": verdict.usable,
        "messages": list(found.messages),
        "unjudged": [item.as_dict() for item in found.unjudged],
        "setup": None if found.set_up is None else found.set_up.as_dict(),
    }


def _learn_masks(
    source: Source, wish: TrainingWish, track: JobTrack, folder: Path
) -> dict[str, Any]:
    from flawline.api.masks import mask_settings, masks_of
    from flawline.api.train import train_segment
    from flawline.jobs.train.segment.extra import require_extra

    require_extra()
    from flawline.jobs.train.segment.checkpoint import CHECKPOINT
    from flawline.jobs.train.segment.segmenter_pictures import write_segmenter_report
    from flawline.recipe import write_recipe

    place = folder / CHECKPOINTS
    given = Path(wish.annotations) if wish.annotations else None
    with masks_of(source, mask_settings(given, None, None, None)) as masked:
        found = train_segment(
            masked,
            part=wish.part,
            minutes=wish.minutes,
            folder=place,
            resume=(place / CHECKPOINT).is_file(),
            each=_Epochs(masked, folder, track),
            track=track,
        )
        write_recipe(found.recipe, folder / "recipe.flaw")
        write_segmenter_report(found, masked, folder / "recipe.html")
    return {
        "recipe": found.recipe.sha256,
        "verdict": found.verdict.text,
        "usable": found.verdict.usable,
        "messages": list(found.messages),
        "unjudged": [item.as_dict() for item in source.unlisted()],
        "setup": None,
    }


class _Epochs:
    """Tells of every epoch as it ends, and draws what the best network so far marks."""

    def __init__(self, masked: MaskedSource, folder: Path, track: JobTrack) -> None:
        self._masked, self._folder, self._track = masked, folder, track
        self._epochs: list[dict[str, Any]] = []
        self._example: int | None = None

    def __call__(self, record: EpochRecord, split: Split) -> None:
        """Take the record of an epoch."""
        from flawline.jobs.train.segment.examples import write_examples

        self._epochs.append(record.as_dict())
        self._track.tell(epochs=list(self._epochs), example=self._example)
        if record.best:
            path = self._folder / EXAMPLES / f"{record.epoch}.jpg"
            place = self._folder / CHECKPOINTS
            if write_examples(self._masked, split.validation, place, path).is_file():
                self._example = record.epoch
                self._track.tell(example=self._example)
