"""Inspecting a whole source: rows, overlays, tables, and resuming after an interruption."""

from __future__ import annotations

import csv
import json
import math
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import polars as pl
import pytest

from flawline.data.image import read_image
from flawline.data.source import open_source, opened
from flawline.errors import ModelError, SourceError, UsageError
from flawline.inspector import Inspector
from flawline.recipe import new_recipe, recipe_with
from flawline.station import inspect_source as station_run
from flawline.station.inspect_source import SIDE, inspect_source
from flawline.station.inspection_tables import (
    run_as_dict,
    write_csv,
    write_json_lines,
    write_parquet,
)
from flawline.station.station import Station
from flawline.types import no_track
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return train(write_discs(root / "parts", good=30), network).recipe


@pytest.fixture(scope="module")
def inspector(recipe):
    return Inspector(recipe)


@pytest.fixture
def mixed(tmp_path):
    """Eight good and three bad parts that training has not seen."""
    return write_discs(tmp_path / "mixed", good=8, bad=3, first=100)


def inspect(location, inspector, **options):
    with opened(location) as source, Station(inspector) as station:
        return inspect_source(source, station, **options)


def stop_after(count):
    """A track that is interrupted like a person at the keyboard would."""

    def track(items, *, title, total):
        for place, item in enumerate(items):
            if place == count:
                raise KeyboardInterrupt
            yield item

    return track


def test_every_picture_is_judged_in_order(mixed, inspector):
    run = inspect(mixed, inspector)
    with open_source(mixed) as source:
        listed = [sample.name for sample in source.samples()]
    assert [item.sample.name for item in run.inspections] == listed
    verdicts = {item.sample.name: item.inspection.verdict for item in run.inspections}
    assert {verdicts[f"bad/{i}.png"] for i in range(100, 103)} == {"reject"}
    assert sum(verdict == "accept" for verdict in verdicts.values()) >= 6
    assert sum(run.counts.values()) == 11
    assert run.exit_code == 1
    assert run.resumed == 0


def test_a_batch_gives_the_scores_of_single_pictures_to_the_bit(mixed, inspector, recipe):
    run = inspect(mixed, inspector)
    alone = Inspector(recipe, threads=1)
    for item in run.inspections:
        one = alone.inspect(mixed / item.sample.name)
        assert one.score == item.inspection.score
        assert one.p_value == item.inspection.p_value
        assert [region.peak for region in one.regions] == [
            d["peak"] for d in item.inspection.as_dict()["defects"]
        ]
    with open_source(mixed) as source:
        many = list(inspector.inspect_many(source, ahead=3))
    assert [(s.name, i.score) for s, i in many] == [
        (item.sample.name, item.inspection.score) for item in run.inspections
    ]
    assert all(inspection.image == sample.name for sample, inspection in many)


def test_exit_codes_say_what_was_found(tmp_path, inspector, mixed):
    (tmp_path / "fine").mkdir()
    for item in inspect(mixed, inspector).inspections:
        if item.inspection.verdict == "accept":
            shutil.copy(mixed / item.sample.name, tmp_path / "fine")
    assert inspect(tmp_path / "fine", inspector).exit_code == 0
    (tmp_path / "fine" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    run = inspect(tmp_path / "fine", inspector)
    assert run.exit_code == 2
    assert [item.image for item in run.unjudged] == ["cut.png"]
    assert run.unjudged[0].reason
    assert len(run.inspections) == len(list((tmp_path / "fine").iterdir())) - 1
    for path in (tmp_path / "fine").iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(SourceError, match="none of the") as caught:
        inspect(tmp_path / "fine", inspector)
    assert "the first" in caught.value.hint


def test_pictures_of_every_shape_are_judged_or_listed(tmp_path, inspector, recipe):
    for height, width in ((1, 1), (1, 300), (7, 3), (500, 60), (96, 97)):
        write(tmp_path / f"{height}x{width}.png", np.full((height, width, 3), 120, np.uint8))
    write(tmp_path / "grey.png", disc(1)[..., 0])
    write(tmp_path / "deep.png", disc(1)[..., 0].astype(np.uint16) * 257)
    run = inspect(tmp_path, inspector)
    refused = {"1x300.png", "7x3.png", "500x60.png"}
    assert {(item.image, item.code) for item in run.unjudged} == {
        (n, "image-view") for n in refused
    }
    assert len(run.inspections) == 4
    # A recipe of an earlier version knows no shapes and refuses none.
    known = dict(recipe.manifest.settings)
    del known["aspect_ratios"]
    older = recipe_with(recipe, manifest=replace(recipe.manifest, settings=known))
    all_of_them = inspect(tmp_path, Inspector(older))
    assert not all_of_them.unjudged
    for item in (*run.inspections, *all_of_them.inspections):
        for value in (item.inspection.score, item.inspection.p_value):
            assert math.isfinite(value)


def test_nothing_that_is_not_a_number_is_ever_written(mixed, recipe, tmp_path):
    """A model that overflows on a picture gives no verdict on it."""
    broken = Inspector(recipe)
    detect = broken.model.detector

    def overflowing(window):
        scores = detect(window)
        return scores * np.float32(np.inf) if window.max() > 250 else scores

    broken.model.detector = overflowing
    run = inspect(mixed, broken)
    assert {item.image for item in run.unjudged} == {f"bad/{i}.png" for i in range(100, 103)}
    assert {item.code for item in run.unjudged} == {"image-score"}
    assert run.exit_code == 2
    text = write_json_lines(run, tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text


def test_a_recipe_without_thresholds_judges_nothing(mixed, recipe, tmp_path):
    bare = new_recipe(
        replace(recipe.settings, threshold=None),
        recipe.model,
        recipe.arrays,
        recipe.manifest,
        recipe.files,
    )
    inspector = Inspector(bare)
    with pytest.raises(ModelError) as caught:
        inspector.inspect(mixed / "good" / "100.png")
    assert caught.value.code == "recipe-uncalibrated"
    with pytest.raises(ModelError) as caught:
        inspect(mixed, inspector, folder=tmp_path / "out")
    assert caught.value.code == "recipe-uncalibrated"
    assert math.isfinite(inspector.find(read_image(mixed / "good" / "100.png")).score)


# Tables.


def test_all_tables_agree(mixed, inspector, tmp_path):
    (mixed / "good" / "cut.png").write_bytes(b"cut")
    run = inspect(mixed, inspector)
    with write_csv(run, tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    frame = pl.read_parquet(write_parquet(run, tmp_path / "a.parquet"))
    lines = [
        json.loads(line)
        for line in write_json_lines(run, tmp_path / "a.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    ]
    document = run_as_dict(run)
    assert len(rows) == len(frame) == len(lines) == 12
    assert document["inspections"] == lines[:-1]
    assert list(rows[0]) == frame.columns
    for row, line, typed in zip(rows, lines, frame.iter_rows(named=True), strict=True):
        assert row["image"] == line["image"] == typed["image"]
        assert (row["verdict"] or None) == line["verdict"] == typed["verdict"]
        if line["verdict"] is None:
            assert typed["score"] is None
            assert row["score"] == ""
            assert "could not be judged" in row["reasons"]
            continue
        assert float(row["score"]) == line["score"] == typed["score"]
        assert float(row["p_value"]) == line["p_value"] == typed["p_value"]
        assert int(row["defects"]) == len(line["defects"]) == typed["defects"]
        assert row["sha256"] == line["sha256"] == typed["sha256"]
        assert row["reasons"] == "; ".join(line["reasons"])
        assert (row["label"], int(row["width"])) == (line["label"], line["width"])
    again = inspect(mixed, inspector)
    assert write_csv(again, tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_further_columns_of_a_manifest_are_kept_whatever_they_are_called(inspector, tmp_path):
    for index in range(2):
        write(tmp_path / f"{index}.png", disc(index))
    (tmp_path / "samples.csv").write_text(
        "image,label,lot,score,source_score,verdict\n0.png,good,7,a,b,c\n1.png,good,8,,,=1+1\n"
    )
    run = inspect(tmp_path / "samples.csv", inspector)
    with write_csv(run, tmp_path / "a.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert len(set(header)) == len(header)
    frame = pl.read_parquet(write_parquet(run, tmp_path / "a.parquet"))
    assert frame.columns == header
    first = dict(zip(header, rows[0], strict=True))
    assert first["lot"] == "7"
    assert float(first["score"]) == run.inspections[0].inspection.score
    assert sorted(first[name] for name in header if name.startswith("source_")) == ["a", "b", "c"]


# Overlays.


@pytest.mark.parametrize("kind", ["flagged", "all", "none"])
def test_overlays_are_drawn_for_those_asked_for(kind, mixed, inspector, tmp_path):
    run = inspect(mixed, inspector, folder=tmp_path / "out", overlays=kind)
    drawn = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.jpg")}
    wanted = [
        item
        for item in run.inspections
        if kind == "all" or (kind == "flagged" and item.inspection.verdict != "accept")
    ]
    assert drawn == {Path("overlays", f"{item.sample.name}.jpg") for item in wanted}
    for item in run.inspections:
        assert (item.overlay is not None) == (item in wanted)
        if item.overlay:
            assert cv2.imread(str(item.overlay)).shape == (96, 96, 3)


def test_overlays_of_an_earlier_run_do_not_stay(mixed, inspector, tmp_path):
    every = inspect(mixed, inspector, folder=tmp_path, overlays="all")
    kept = tmp_path / "overlays" / "notes.txt"
    kept.write_text("not an overlay", encoding="utf-8")
    flagged = inspect(mixed, inspector, folder=tmp_path)
    wanted = {each.overlay for each in flagged.inspections if each.overlay}
    assert set((tmp_path / "overlays").rglob("*.jpg")) == wanted
    assert len(wanted) < len(every.inspections)
    assert kept.exists()


def test_an_unknown_kind_of_overlay_is_an_error(mixed, inspector, tmp_path):
    with pytest.raises(UsageError, match="flagged, all, none"):
        inspect(mixed, inspector, folder=tmp_path, overlays="some")


def test_overlays_of_large_pictures_are_small(inspector, tmp_path):
    write(tmp_path / "p" / "a.png", cv2.resize(spoilt(1), (2000, 2000)))
    run = inspect(tmp_path / "p", inspector, folder=tmp_path / "out", overlays="all")
    assert max(cv2.imread(str(run.inspections[0].overlay)).shape) == SIDE


def test_hostile_names_stay_inside_the_folder_and_cost_no_verdict(inspector, tmp_path):
    names = [
        "..%2f..png",
        "<script>.png",
        "deep/" * 20 + "a.png",
        "x" * 251 + ".png",
        "ü" * 120 + ".png",
        "=cmd.png",
        "tab\there.png",
        "a.png.jpg/b.png",
        "a.png",
        "CON.png",
    ]
    data = cv2.imencode(".png", spoilt(1))[1].tobytes()
    with zipfile.ZipFile(tmp_path / "parts.zip", "w") as archive:
        for index, name in enumerate(names):
            archive.writestr(name, data + bytes([index]))
    out = tmp_path / "out"
    run = inspect(tmp_path / "parts.zip", inspector, folder=out, overlays="all")
    assert {item.sample.name for item in run.inspections} == set(names[1:]), (
        "all but the hidden file"
    )
    overlays = [item.overlay for item in run.inspections]
    assert len(set(overlays)) == len(overlays)
    for overlay in overlays:
        assert overlay.is_file()
        assert overlay.resolve().is_relative_to((out / "overlays").resolve())
    assert {path.name for path in tmp_path.iterdir()} == {"parts.zip", "out"}


def test_pictures_outside_the_folder_of_a_manifest_have_overlays_of_their_own(inspector, tmp_path):
    write(tmp_path / "a.png", spoilt(1))
    write(tmp_path / "list" / "a.png", spoilt(2))
    (tmp_path / "list" / "samples.csv").write_text("image\na.png\n../a.png\n")
    out = tmp_path / "out"
    with open_source(tmp_path / "list" / "samples.csv", root=tmp_path) as source:
        run = inspect(source, inspector, folder=out, overlays="all")
    overlays = [item.overlay for item in run.inspections]
    assert [item.sample.name for item in run.inspections] == ["a.png", "../a.png"]
    assert len({path.read_bytes() for path in overlays}) == 2
    assert all(path.resolve().is_relative_to(out.resolve()) for path in overlays)


# Resuming.


@pytest.mark.parametrize("count", [0, 1, 5, 10])
def test_an_interrupted_run_goes_on_and_gives_the_same(count, mixed, recipe, tmp_path):
    whole = inspect(mixed, Inspector(recipe), folder=tmp_path / "whole", overlays="all")
    out = tmp_path / "out"
    out.mkdir()
    journal = out / ".unfinished"
    options = {"folder": out, "overlays": "all", "unfinished": journal}
    with pytest.raises(KeyboardInterrupt):
        inspect(mixed, Inspector(recipe), track=stop_after(count), **options)
    calls = []
    second = Inspector(recipe)
    find = second.find
    second.find = lambda picture: calls.append(1) or find(picture)
    run = inspect(mixed, second, **options)
    assert run.resumed == count
    assert len(calls) == 11 - count
    assert run_as_dict(run) == run_as_dict(whole)
    for suffix, writer in (("csv", write_csv), ("jsonl", write_json_lines)):
        one = writer(whole, tmp_path / f"one.{suffix}").read_bytes()
        assert writer(run, tmp_path / f"two.{suffix}").read_bytes() == one
    for item in run.inspections:
        twin = tmp_path / "whole" / item.overlay.relative_to(out)
        assert item.overlay.read_bytes() == twin.read_bytes()


def test_another_recipe_or_option_does_not_take_over_what_was_kept(mixed, recipe, tmp_path):
    journal = tmp_path / "journal"
    with pytest.raises(KeyboardInterrupt):
        inspect(mixed, Inspector(recipe), unfinished=journal, track=stop_after(5))
    limit = replace(recipe.settings.threshold, review=-50.0)
    stricter = recipe_with(recipe, settings=replace(recipe.settings, threshold=limit))
    run = inspect(mixed, Inspector(stricter), unfinished=journal)
    assert run.resumed == 0
    assert run.counts["accept"] == 0
    assert inspect(mixed, Inspector(stricter), unfinished=journal).resumed == 11
    out = tmp_path / "out"
    run = inspect(mixed, Inspector(stricter), unfinished=journal, folder=out, overlays="all")
    assert run.resumed == 0


def test_copies_in_one_run_are_not_called_resumed(inspector, tmp_path):
    for name in ("a", "b", "c", "d", "e", "f"):
        write(tmp_path / "parts" / f"{name}.png", spoilt(1))
    out = tmp_path / "out"
    options = {"folder": out, "unfinished": tmp_path / "journal"}
    for _ in range(5):
        run = inspect(tmp_path / "parts", inspector, **options)
        assert run.resumed == 0
        assert len(list(out.rglob("*.jpg"))) == 6
        (tmp_path / "journal").unlink()
        shutil.rmtree(out)


def test_a_copy_gets_its_own_overlay_after_an_interruption(inspector, tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "parts" / f"{name}.png", spoilt(1))
    out = tmp_path / "out"
    options = {"folder": out, "unfinished": tmp_path / "journal"}
    with pytest.raises(KeyboardInterrupt):
        inspect(tmp_path / "parts", inspector, track=stop_after(1), **options)
    # What lies there is from another time and recipe.
    write(out / "overlays" / "b.png.jpg", np.zeros((9, 9, 3), np.uint8))
    run = inspect(tmp_path / "parts", inspector, **options)
    one, two = (item.overlay.read_bytes() for item in run.inspections)
    assert one == two


def test_an_overlay_that_went_missing_is_drawn_again(mixed, inspector, tmp_path):
    options = {"folder": tmp_path / "out", "unfinished": tmp_path / "journal"}
    first = inspect(mixed, inspector, **options)
    flagged = [item.overlay for item in first.inspections if item.overlay]
    before = [path.read_bytes() for path in flagged]
    shutil.rmtree(tmp_path / "out")
    run = inspect(mixed, inspector, **options)
    assert [path.read_bytes() for path in flagged] == before
    assert run_as_dict(run) == run_as_dict(first)


def test_what_was_kept_needs_no_decoding(mixed, inspector, tmp_path, monkeypatch):
    options = {"unfinished": tmp_path / "journal"}
    inspect(mixed, inspector, **options)
    blind = SimpleNamespace(
        **{
            name: getattr(inspector, name)
            for name in (
                "recipe",
                "calibration",
                "precision",
                "value_range",
                "heat_range",
                "described",
            )
        }
    )
    run = inspect(mixed, blind, **options)
    assert run.resumed == 11
    assert station_run.OVERLAYS
    assert inspect(mixed, blind, track=no_track, **options).counts == run.counts
