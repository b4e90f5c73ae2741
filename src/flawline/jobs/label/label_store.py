"""Masks of a set of pictures while people draw them: saved in versions, and published when they are finished."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from flawline.core.labelling.pieces import class_areas, pieces_of
from flawline.core.labelling.two_masks import agreement
from flawline.data.image import ImageLimits, read_image
from flawline.errors import UsageError
from flawline.jobs.label.label_pictures import LabelPictures, key_of
from flawline.jobs.label.label_set import LabelSet, class_names, read_set, write_set
from flawline.jobs.label.label_state import GIVEN, PictureLabel, Saved, read_label, write_label
from flawline.jobs.label.mask_png import grey_png, mask_of_png
from flawline.jobs.label.published import write_bytes
from flawline.jobs.label.publisher import Publisher
from flawline.jobs.label.suspects import read_suspects, write_suspects
from flawline.types import Picture

Mask = NDArray[np.uint8]
CONFLICT = "label-conflict"
_KEPT_VERSIONS, _DECODED = 5, 2


class LabelStore:
    """The masks of one set; safe from several threads.

    Everything lies in `folder` and is written whole before it counts, so that a process that is killed loses nothing
    that it has confirmed. `now` gives the time.
    """

    def __init__(
        self,
        folder: Path,
        limits: ImageLimits,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder = folder
        self.settings = read_set(folder)
        self._limits, self._now, self._lock = limits, now, RLock()
        self.pictures = LabelPictures(self.settings, limits)
        self._labels = self._read_labels()
        self._suspects = read_suspects(folder)
        self._decoded: OrderedDict[str, Picture] = OrderedDict()
        self._publisher = Publisher(self)

    def close(self) -> None:
        """Write what is not written yet, and close the pictures."""
        self._publisher.close()
        self.pictures.close()

    def label(self, key: str) -> PictureLabel:
        """Return what was drawn on a picture.

        Raises:
            UsageError: ("not-found") there is no such picture.
        """
        sample = self.pictures.sample(key)
        found = self._labels.get(key)
        if found is not None:
            return found
        if self.pictures.has_mask(sample):
            given = Saved(0, "", GIVEN, self.settings.created, True, (), 0)
            return PictureLabel(sample.name, given, GIVEN)
        return PictureLabel(sample.name)

    def picture(self, key: str) -> Picture:
        """Decode a picture; the last few are kept.

        Raises:
            ImageError: it cannot be read.
        """
        with self._lock:
            found = self._decoded.get(key)
        if found is None:
            sample = self.pictures.sample(key)
            found = read_image(self.pictures.source.read(sample.name), limits=self._limits)
        with self._lock:
            self._decoded[key] = found
            self._decoded.move_to_end(key)
            while len(self._decoded) > _DECODED:
                self._decoded.popitem(last=False)
        return found

    def size(self, key: str) -> tuple[int, int]:
        """Return (height, width) of a picture; errors as for `picture`."""
        height, width = self.picture(key).pixels.shape[:2]
        return height, width

    def mask(self, key: str, who: str = "") -> tuple[Mask, int]:
        """Read the mask that counts, or the one that `who` drew alone, and its version, 0 where there is none.

        Raises:
            UsageError: ("not-found") there is no such picture.
            ImageError: the picture, or the mask that was given with it, cannot be read.
        """
        label = self.label(key)
        saved = label.opinions.get(who) if who else label.saved
        if saved is None:
            return np.zeros(self.size(key), np.uint8), 0
        if not saved.file:
            return self.pictures.given_mask(self.pictures.sample(key)), saved.version
        data = (self._place(key) / saved.file).read_bytes()
        classes = len(self.settings.classes)
        return mask_of_png(data, self.size(key), classes, self._limits), saved.version

    def save(
        self, key: str, data: bytes, *, who: str, base: int, done: bool = False, own: bool = False
    ) -> PictureLabel:
        """Save a mask.

        Args:
            key: of the picture.
            data: the mask as PNG, grey levels or places in a palette being the classes.
            who: drew it.
            base: the version that it was drawn on, 0 for none.
            done: whether it is finished: then it is published.
            own: whether it is a second opinion, drawn without seeing the mask that counts, which stays as it is.

        Raises:
            UsageError: ("label-conflict") another version was saved in between; ("not-found") there is no such picture.
            ImageError: the mask or the picture cannot be read, or do not fit.
            OSError: it could not be written; what was saved before stays.
        """
        mask = mask_of_png(data, self.size(key), len(self.settings.classes), self._limits)
        with self._lock:
            label = self.label(key)
            own = own and label.saved is not None and label.first != who
            before = label.opinions.get(who) if own else label.saved
            _check_base(before, base)
            saved = self._written(key, mask, who, base + 1, own=own)
            changed = _with_opinion(label, saved) if own else _with_saved(label, saved)
            self._keep(key, changed)
            if not done:
                return changed
            finished = replace(saved, done=True)
            if not own:
                self._publisher.publish(self.pictures.sample(key), key, mask)
            changed = _with_opinion(label, finished) if own else _with_saved(label, finished)
            changed = replace(changed, agreement=self._agreement(key, changed))
            self._keep(key, changed)
            return changed

    def rename_classes(self, names: list[str]) -> LabelSet:
        """Rename classes and add some; the numbers of classes stay.

        Raises:
            UsageError: fewer classes than before, or names that make no sense.
        """
        found = class_names(names)
        with self._lock:
            if len(found) < len(self.settings.classes):
                raise UsageError(
                    f"expected at least {len(self.settings.classes)} classes, got {len(found)}",
                    hint="masks may use a class already; rename it instead",
                )
            self.settings = replace(self.settings, classes=found)
            write_set(self.settings, self.folder)
            self._publisher.soon()
            return self.settings

    @property
    def suspects(self) -> dict[str, list[dict[str, object]]]:
        """The places that look wrong, by the name of their picture."""
        return self._suspects

    def set_suspects(self, found: dict[str, list[dict[str, object]]]) -> int:
        """Keep the places that an audit holds for wrong; returns how many lie on pictures of the set."""
        names = {sample.name for sample in self.pictures.samples()}
        known = {name: entries for name, entries in found.items() if name in names}
        with self._lock:
            self._suspects = known
            write_suspects(known, self.folder)
        return sum(map(len, known.values()))

    def settle_suspects(self, key: str) -> None:
        """Take the suspicious places of a picture off the list: a person has looked at them."""
        name = self.pictures.sample(key).name
        with self._lock:
            if self._suspects.pop(name, None) is not None:
                write_suspects(self._suspects, self.folder)

    def write_all(self) -> Path:
        """Write the COCO file of all finished masks now, and return its path."""
        return self._publisher.write()

    def _written(self, key: str, mask: Mask, who: str, version: int, *, own: bool) -> Saved:
        name = f"own-{sha256(who.encode()).hexdigest()[:8]}-{version}" if own else f"v{version}"
        file = f"{name}.png"
        write_bytes(self._place(key) / file, grey_png(mask))
        when = self._now().isoformat(timespec="seconds")
        areas = class_areas(mask, len(self.settings.classes) + 1)
        return Saved(version, file, who, when, False, areas, len(pieces_of(mask)))

    def _keep(self, key: str, label: PictureLabel) -> None:
        write_label(label, self._place(key) / "label.json")
        self._labels[key] = label
        # Earlier versions stay for a while: somebody may have overwritten what another needs.
        oldest = label.version - _KEPT_VERSIONS
        for path in self._place(key).glob("*.png"):
            number = path.stem.rpartition("-")[2].removeprefix("v")
            if path.name not in label.files() and number.isdecimal() and int(number) <= oldest:
                path.unlink(missing_ok=True)

    def _agreement(self, key: str, label: PictureLabel) -> float | None:
        done = [who for who, one in label.opinions.items() if one.done]
        if len(done) < 2:
            return None
        size, classes = self.size(key), len(self.settings.classes)
        masks = [
            mask_of_png(
                (self._place(key) / label.opinions[who].file).read_bytes(),
                size,
                classes,
                self._limits,
            )
            for who in done
        ]
        pairs = ((a, b) for n, a in enumerate(masks) for b in masks[n + 1 :])
        return min(agreement(a, b, classes + 1).least for a, b in pairs)

    def _place(self, key: str) -> Path:
        return self.folder / "labels" / key

    def _read_labels(self) -> dict[str, PictureLabel]:
        paths = sorted((self.folder / "labels").glob("*/label.json"))
        found = [read_label(path) for path in paths]
        return {key_of(label.name): label for label in found}


def _check_base(before: Saved | None, base: int) -> None:
    version = 0 if before is None else before.version
    if base != version:
        who = "nobody" if before is None else before.who
        raise UsageError(
            f"{who} saved version {version} of this mask in between, yours was drawn on version {base}",
            hint="look at both, then keep one or join them",
            code=CONFLICT,
        )


def _with_saved(label: PictureLabel, saved: Saved) -> PictureLabel:
    """Let a mask count; whoever draws alone has an opinion of their own by that."""
    alone = label.alone and label.first in ("", saved.who)
    opinions = {**label.opinions, saved.who: saved} if alone else label.opinions
    return replace(
        label,
        saved=saved,
        first=label.first or saved.who,
        alone=alone,
        opinions=opinions,
        settled=saved.done and sum(one.done for one in opinions.values()) > 1,
    )


def _with_opinion(label: PictureLabel, saved: Saved) -> PictureLabel:
    return replace(label, opinions={**label.opinions, saved.who: saved}, settled=False)
