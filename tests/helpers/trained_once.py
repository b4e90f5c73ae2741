"""Trainings that the pages of the documentation repeat on the same pictures: each is done once in a process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path

from flawline.data.source import Source
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.train_anomaly import AnomalyTraining
from flawline.recipe import recipe_with
from flawline.types import Track, no_track

Train = Callable[..., AnomalyTraining]


def trained_once(train: Train) -> Train:
    """Return `train`, which gives the same training again for pictures of the same content and the same settings.

    The name of the part decides nothing: it is put into the recipe afterwards. Nor does what might be tried where
    nothing is.
    """
    done: dict[str, tuple[str, AnomalyTraining]] = {}

    @wraps(train)
    def once(
        source: Source, settings: AnomalySettings | None = None, *, track: Track = no_track
    ) -> AnomalyTraining:
        settings = settings or AnomalySettings()
        key = _key(source, _deciding(settings))
        if key not in done:
            done[key] = settings.part, train(source, settings, track=track)
        part, trained = done[key]
        if part == settings.part:
            return trained
        named = replace(trained.recipe.settings, part=settings.part)
        return replace(trained, recipe=recipe_with(trained.recipe, settings=named))

    return once


def _deciding(settings: AnomalySettings) -> AnomalySettings:
    search = settings.search
    tried = replace(search, free=()) if search and search.effort == "none" else search
    return replace(settings, part="", search=tried)


def _key(source: Source, settings: AnomalySettings) -> str:
    """Hash what decides a training: the pictures with what is known of them, the settings and the network's file."""
    digest = hashlib.sha256(repr((source.location, source.kind, settings)).encode())
    network = Path(settings.backbone)
    digest.update(network.read_bytes() if network.is_file() else b"")
    for sample in source.samples():
        digest.update(repr(sample).encode())
        digest.update(hashlib.sha256(source.read(sample.name)).digest())
    return digest.hexdigest()
