"""Run the training loop: steps, validations and checkpoints."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from flawline.core.segmentation_metrics import ConfusionMatrix
from flawline.data.interrupt import Interrupt, held_interrupt
from flawline.errors import ModelError, SourceError, UsageError
from flawline.jobs.train.segment.architectures import Built, build_network
from flawline.jobs.train.segment.checkpoint import (
    BEST,
    CHECKPOINT,
    copied,
    group_of,
    of_groups,
    optimizer_tensors,
    read_saved,
    restore_optimizer,
    write_saved,
)
from flawline.jobs.train.segment.losses import Sum, parse_loss
from flawline.jobs.train.segment.pairs import MaskedPictures, Pairs, find_defects
from flawline.jobs.train.segment.patches import MixedPatches, Patches, batches
from flawline.jobs.train.segment.prediction import prepared, validate
from flawline.jobs.train.segment.progress_record import EpochRecord, figures_of, record_from_dict
from flawline.jobs.train.segment.pseudo_masks import (
    PseudoMasked,
    PseudoMasks,
    levelled_off,
    pseudo_from_dict,
)
from flawline.jobs.train.segment.schedule import Average, Clock, learning_rate, progress
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.jobs.train.segment.torch_settings import Machine, choose_machine, keep_freed_memory
from flawline.jobs.train.segment.unmasked_pictures import UnmaskedPictures
from flawline.jobs.train.segment.wide_convolution import widen
from flawline.types import Sample, Track

_KIND = "segmenter-training"
_LONGEST_GRADIENT = 1.0
_UNFOLDED_ON = 16
_MOST_EXPECTED = 0.2
_MOST_VALIDATING = 0.1
# Before this share, pictures without masks are not learnt from.
_MASKED_ALONE = 0.4
# Settings that may differ when a training is resumed: its result does not depend on them.
_FREE = ("workers",)


def _writer() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="flawline-checkpoint")


@dataclass(slots=True, eq=False)
class Training:
    """State of a training between two steps."""

    settings: SegmentSettings
    folder: Path
    loss: Sum
    machine: Machine
    built: Built
    patches: Patches | MixedPatches
    validation: Pairs
    content: str
    steps: int
    average: Average
    optimizer: Any
    scaler: Any
    clock: Clock
    unmasked: UnmaskedPictures | None = None
    pseudo: PseudoMasks | None = None
    step: int = 0
    in_epoch: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    records: list[EpochRecord] = field(default_factory=list)
    validation_seconds: float = 0.0
    writer: ThreadPoolExecutor = field(default_factory=_writer)
    writing: Future[None] | None = None

    @classmethod
    def start(
        cls,
        source: MaskedPictures,
        train: Sequence[Sample],
        validation: Sequence[Sample],
        folder: Path,
        settings: SegmentSettings,
        track: Track,
        unmasked: UnmaskedPictures | None = None,
    ) -> Training:
        """Prepare everything before the first step."""
        clock = Clock()
        loss = parse_loss(settings.loss)
        machine = choose_machine(settings.device, settings.precision)
        if machine.device == "cpu":
            keep_freed_memory()
        built = _network(settings, len(source.classes))
        patches = _patches(source, train, settings, track)
        network = built.network.to(machine.device, memory_format=torch.channels_last).train()
        for part in network.modules():
            # On CPUs, changing large maps of bf16 in place takes twice as long as writing new ones.
            if getattr(part, "inplace", False):
                part.inplace = False
        if machine == Machine("cpu", "bf16"):
            widen(network)
        if built.unfold:
            network.unfold(prepared(_first(patches), built.preparation, machine))
        optimizer = torch.optim.AdamW(
            _groups(built, settings), weight_decay=settings.weight_decay, fused=True
        )
        return cls(
            settings,
            folder,
            loss,
            machine,
            built,
            patches,
            Pairs(source, validation),
            _content(source, train, validation, unmasked),
            math.ceil((settings.patches or len(train)) / settings.batch),
            Average(network, settings.average),
            optimizer,
            torch.amp.GradScaler(machine.device, enabled=machine.precision == "f16"),
            clock,
            unmasked,
        )

    def ended(self) -> bool:
        """Tell whether epochs, time or patience are used up."""
        settings, done = self.settings, len(self.records)
        if settings.epochs is not None and done >= settings.epochs:
            return True
        if done and self._share() >= 1:
            return True
        best = max((record.epoch for record in self.records if record.best), default=0)
        return settings.patience is not None and done - best >= settings.patience

    def wants_pseudo(self) -> bool:
        """Tell whether it is time to predict masks of pictures without any, for the epochs that are left."""
        waiting = self.unmasked is not None and self.pseudo is None and len(self.validation) > 0
        return waiting and self._share() >= _MASKED_ALONE and levelled_off(self.records)

    def learn_pseudo(self, pseudo: PseudoMasks) -> None:
        """Learn from predicted masks as well from now on, where they are of use."""
        self.pseudo = pseudo
        if not pseudo.used or self.unmasked is None or isinstance(self.patches, MixedPatches):
            return
        masked, settings = self.patches, self.settings
        source = PseudoMasked(
            self.unmasked, self.validation.source.classes, self.folder, pseudo.pictures
        )
        pairs = Pairs(source, source.samples(), fit=_fit(settings), lean=True)
        places = find_defects(pairs, seed=settings.seed)
        self.patches = MixedPatches(masked, Patches(pairs, places, settings, donors=masked))

    def epoch(self) -> EpochRecord:
        """Run the rest of an epoch, validate, and save; `saved` waits for the checkpoint."""
        with held_interrupt() as interrupt, _deterministic(self.machine):
            self._run_steps(interrupt)
            record = self._validated()
            self.records.append(record)
            self.in_epoch, self.sums = 0, {}
            self._save(best=record.best)
        if interrupt.asked:
            raise KeyboardInterrupt
        return record

    def restore(self) -> None:
        """Restore the state from the checkpoint in the folder."""
        saved = read_saved(self.folder / CHECKPOINT)
        values = saved.values
        if values.get("kind") != _KIND or values.get("content") != self.content:
            raise UsageError(
                f"{self.folder} holds a training on other pictures or classes, or with another value range",
                hint="give the same source, `unmasked`, split and range, or train anew without `resume`",
            )
        own = self.settings.as_dict()
        different = [
            k for k, v in own.items() if k not in _FREE and values["settings"].get(k) != _plain(v)
        ]
        if different:
            raise UsageError(
                f"the training in {self.folder} was started with other settings: {', '.join(different)}",
                hint="resume with the same, or train anew without `resume`",
            )
        try:
            self.built.network.load_state_dict(group_of(saved, "network"))
            self.average.network.load_state_dict(group_of(saved, "average"))
            restore_optimizer(self.optimizer, group_of(saved, "optimizer"))
            self.records = [record_from_dict(record) for record in values["records"]]
            self.step, self.in_epoch = values["step"], values["in_epoch"]
            self.sums, self.validation_seconds = values["sums"], values["validation_seconds"]
            self.scaler.load_state_dict(values["scaler"])
            self.clock = Clock(values["seconds"])
            if values.get("pseudo") is not None:
                self.learn_pseudo(pseudo_from_dict(values["pseudo"]))
        except (KeyError, TypeError, RuntimeError) as error:
            raise ModelError(
                f"{CHECKPOINT} cannot be resumed: {error}",
                hint="train anew without `resume`",
                code="model-damaged",
            ) from error

    def _share(self) -> float:
        seconds = self.clock.seconds()
        return progress(self.settings, self.step, self.steps, seconds, self.validation_seconds)

    def _expect(self, step_seconds: float) -> None:
        """Estimate how long the first validation will take: a third of a step for as many pictures."""
        most = 60 * _MOST_EXPECTED * (self.settings.minutes or 0.0)
        guess = step_seconds / self.settings.batch / 3 * len(self.validation)
        self.validation_seconds = min(guess, most)

    def _run_steps(self, interrupt: Interrupt) -> None:
        settings, started = self.settings, self.clock.seconds()
        left = range(self.in_epoch, sys.maxsize if settings.minutes else self.steps)
        drawn = batches(
            self.patches, len(self.records), left, settings.batch, workers=settings.workers
        )
        for pixels, mask in drawn:
            began = self.clock.seconds()
            self._step(pixels, mask)
            if not self.records:
                self._expect(self.clock.seconds() - began)
            if interrupt.asked:
                self._save(best=False)
                raise KeyboardInterrupt
            if settings.minutes is not None and (
                self._share() >= 1 or self._full(started) or self.wants_pseudo()
            ):
                break

    def _full(self, started: float) -> bool:
        """Tell whether an epoch has its steps, and enough of them that validation keeps to its share of the time."""
        seconds = self.clock.seconds() - started + self.validation_seconds
        return self.in_epoch >= self.steps and self.validation_seconds <= _MOST_VALIDATING * seconds

    def _step(self, pixels: Any, mask: Any) -> None:
        """Run one step of the optimizer; its randomness depends on the seed and its number alone."""
        rate = learning_rate(self.settings, self._share())
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        network, parts = self.built.network, self.settings.accumulate
        with torch.random.fork_rng(devices=_devices(self.machine)):
            torch.manual_seed(self.settings.seed * 1_000_003 + self.step)
            for part in range(parts):
                images = prepared(pixels[part::parts], self.built.preparation, self.machine)
                truth = torch.from_numpy(mask[part::parts]).to(self.machine.device, torch.int64)
                with self.machine.autocast():
                    logits = network(images)
                total, terms = self.loss(logits.float(), truth)
                self.scaler.scale(total / parts).backward()
                for name, value in {"total": total, **terms}.items():
                    self.sums[name] = self.sums.get(name, 0.0) + float(value.detach()) / parts
        if not math.isfinite(self.sums["total"]):
            raise ModelError(
                f"the loss is no longer a number after {self.step} steps",
                hint=f"train with a lower rate than {self.settings.rate:g}",
                code="training-diverged",
            )
        self.scaler.unscale_(self.optimizer)
        # Without batch norm, one unusual batch can throw a network far off.
        torch.nn.utils.clip_grad_norm_(network.parameters(), _LONGEST_GRADIENT)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad()
        self.step += 1
        self.in_epoch += 1
        self.average.update(self.step)

    def _validated(self) -> EpochRecord:
        settings, began = self.settings, self.clock.seconds()
        matrix, loss = ConfusionMatrix(len(self.validation.source.classes)), None
        if len(self.validation):
            matrix, loss = validate(
                self.average.network,
                self.validation,
                self.built.preparation,
                settings.framing,
                self.machine,
            )
        seconds = self.clock.seconds()
        before = self.validation_seconds if self.records else 0.0
        self.validation_seconds = max(before, seconds - began)
        decision = matrix.mean(settings.decision.removeprefix("mean-"))
        earlier = [record.decision for record in self.records if record.decision is not None]
        share = self._share()
        return EpochRecord(
            epoch=len(self.records) + 1,
            steps=self.in_epoch,
            rate=learning_rate(settings, share),
            losses={name: value / self.in_epoch for name, value in self.sums.items()},
            validation_loss=loss,
            **figures_of(matrix, self.validation.source.classes),
            decision=decision,
            best=(not earlier) if decision is None else decision > max(earlier, default=-1.0),
            seconds=seconds,
            seconds_left=max(0.0, seconds * (1 - share) / share),
        )

    def saved(self) -> None:
        """Wait until the last checkpoint is on disk; raises the error of writing it."""
        writing, self.writing = self.writing, None
        if writing is not None:
            writing.result()

    def _save(self, *, best: bool) -> None:
        """Write the best weights now, and the checkpoint while training goes on: it takes longer than a step."""
        self.saved()
        checkpoint = copied(
            {
                "network": self.built.network.state_dict(),
                "average": self.average.network.state_dict(),
                "optimizer": optimizer_tensors(self.optimizer),
            },
            self._values()
            | {
                "content": self.content,
                "step": self.step,
                "in_epoch": self.in_epoch,
                "sums": self.sums,
                "scaler": self.scaler.state_dict(),
                "seconds": self.clock.seconds(),
                "validation_seconds": self.validation_seconds,
            },
        )
        if best:
            weights = {"network": group_of(checkpoint, "average")}
            write_saved(self.folder / BEST, of_groups(weights, self._values()))
        self.writing = self.writer.submit(write_saved, self.folder / CHECKPOINT, checkpoint)

    def _values(self) -> dict[str, Any]:
        return {
            "kind": _KIND,
            "settings": self.settings.as_dict(),
            "classes": list(self.validation.source.classes),
            "network": dict(self.built.record),
            "records": [record.as_dict() for record in self.records],
            "pseudo": self.pseudo and self.pseudo.as_dict(),
        }


def _network(settings: SegmentSettings, classes: int) -> Built:
    """Build the network and check that it takes patches of this size."""
    built = build_network(settings.network, classes, seed=settings.seed)
    if any(side % built.multiple for side in settings.patch):
        raise UsageError(
            f"{settings.network.name} takes patches with sides that are multiples of {built.multiple}, "
            f"got {settings.patch}",
            hint="256 256 is usual",
        )
    return built


def _groups(built: Built, settings: SegmentSettings) -> list[dict[str, Any]]:
    """Group the parameters by their share of the learning rate: pretrained weights change slowly."""
    known = built.record["encoder_weights"]["from"] != "none"
    slow = set(built.network.encoder.parameters()) if known else set()
    groups = (
        ([p for p in built.network.parameters() if p not in slow], 1.0),
        ([p for p in built.network.parameters() if p in slow], settings.encoder_rate),
    )
    return [{"params": params, "share": share} for params, share in groups if params]


def _patches(
    source: MaskedPictures, train: Sequence[Sample], settings: SegmentSettings, track: Track
) -> Patches:
    """Prepare the patches to learn from."""
    if not train or len(source.classes) < 2:
        raise SourceError(
            f"expected pictures and classes of defects, got {len(train)} and {len(source.classes) - 1}",
            hint="give pictures with masks",
        )
    pairs = Pairs(source, train, fit=_fit(settings), lean=True)
    defects = find_defects(pairs, seed=settings.seed, track=track)
    if not defects.present:
        raise SourceError(
            f"none of the {len(train)} masks shows a defect",
            hint="give pictures with masked defects",
        )
    if not defects.pixels[:, 0].any():
        raise SourceError(
            f"none of the {len(train)} masks has a pixel of the background",
            hint="mark good places too, as strokes for example: without them everything looks like a defect",
        )
    return Patches(pairs, defects, settings)


def _fit(settings: SegmentSettings) -> tuple[int, int] | None:
    return settings.patch if settings.resolution == "fit" else None


def _first(patches: Patches) -> Any:
    """Cut the first patches of a training."""
    return next(batches(patches, 0, range(1), _UNFOLDED_ON))[0]


def _content(
    source: MaskedPictures,
    train: Sequence[Sample],
    validation: Sequence[Sample],
    unmasked: UnmaskedPictures | None,
) -> str:
    """Hash the classes, the names of the pictures, the value range, and the pictures without masks."""
    names = [list(source.classes), [s.name for s in train], [s.name for s in validation]]
    # Only sources of files state it.
    value_range = getattr(source, "value_range", None)
    if value_range is not None:
        names.append([str(value) for value in value_range])
    if unmasked is not None:
        names.append(sorted(unmasked.samples))
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _devices(machine: Machine) -> list[int]:
    return [] if machine.device == "cpu" else [torch.cuda.current_device()]


@contextmanager
def _deterministic(machine: Machine) -> Iterator[None]:
    """Use deterministic algorithms where a GPU has them; on CPUs they always are."""
    if machine.device == "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
