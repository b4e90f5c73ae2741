"""Splitting a source: whole groups on one side, each label in its share, and a manifest that is read again."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import flawline
from flawline.cli.main import run
from flawline.data.source import open_source
from flawline.errors import UsageError
from flawline.jobs.split.split import SplitSettings, split
from helpers.discs import disc, spoilt, write, write_discs


def table(folder, rows, columns, pictures=True):
    """A manifest of discs, one picture a row, with the columns given."""
    for number, row in enumerate(rows):
        pixels = spoilt(number) if row.get("label") == "bad" else disc(number)
        if pictures:
            write(folder / f"{number:03}.png", pixels)
    path = folder / "parts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["image", *columns])
        writer.writeheader()
        writer.writerows({"image": f"{n:03}.png", **row} for n, row in enumerate(rows))
    return path


def by_split(found, value=lambda sample: sample.name):
    sides = {}
    for sample in found.samples:
        sides.setdefault(sample.split, set()).add(value(sample))
    return sides


def test_each_label_is_dealt_in_its_share_and_the_same_each_time(tmp_path):
    write_discs(tmp_path, good=40, bad=10)
    found = flawline.split(tmp_path, test=0.2, seed=3)
    assert found.counts["train"] == {"pictures": 40, "parts": 40, "good": 32, "bad": 8}
    assert found.counts["test"] == {"pictures": 10, "parts": 10, "good": 8, "bad": 2}
    assert found.sentence == "40 to learn from, 10 to test (2 of 10 bad)"
    assert flawline.split(tmp_path, test=0.2, seed=3).samples == found.samples
    assert flawline.split(tmp_path, test=0.2, seed=4).samples != found.samples
    three = flawline.split(tmp_path, test=0.2, validation=0.2).counts
    assert {name: one["pictures"] for name, one in three.items()} == {
        "train": 30,
        "validation": 10,
        "test": 10,
    }


def test_groups_and_near_copies_stay_on_one_side(tmp_path):
    rows = [{"label": "good", "part": f"p{n // 3}"} for n in range(30)]
    path = table(tmp_path, rows, ["label", "part"])
    noisy = np.clip(disc(5).astype(int) + 1, 0, 255).astype(np.uint8)
    write(tmp_path / "020.png", noisy)  # nearly the picture 5 of another part
    with open_source(path) as source:
        found = split(source, SplitSettings(by="group"))
    sides = by_split(found, lambda sample: sample.metadata["part"])
    assert len(sides["test"]) == 2
    assert not sides["test"] & sides["train"]
    parts = {sample.name: sample.group for sample in found.samples}
    assert parts["005.png"] == parts["020.png"] == "p1"
    assert found.alike == 6
    assert found.sentence.endswith("6 near-duplicates were kept together")


def test_turned_pictures_of_one_part_are_found_on_demand(tmp_path):
    for number in range(8):
        pixels = np.kron(
            np.random.default_rng(number).integers(0, 255, (8, 8, 3)), np.ones((12, 12, 1))
        )
        write(tmp_path / f"{number}.png", pixels.astype(np.uint8))
        write(tmp_path / f"{number}_turned.png", np.rot90(pixels).astype(np.uint8))
    found = flawline.split(tmp_path, by="duplicates", test=0.25)
    sides = by_split(found, lambda sample: sample.name.split("_")[0].removesuffix(".png"))
    assert not sides["test"] & sides["train"]
    assert len(sides["test"]) == 2
    assert found.alike == 16
    assert any("by=duplicates" in text for text in flawline.split(tmp_path).notes)


def test_lots_are_kept_whole(tmp_path):
    rows = [{"lot": f"L{n // 4}", "label": "good" if n % 4 else "bad"} for n in range(40)]
    rows[7]["lot"] = ""
    found = flawline.split(table(tmp_path, rows, ["lot", "label"]), by="lot")
    sides = by_split(found, lambda sample: sample.metadata["lot"])
    assert sides["test"]
    assert not (sides["test"] - {None}) & sides["train"]
    assert "11 lots were kept whole" in found.sentence
    assert any("1 picture names no lot" in text for text in found.notes)


def test_the_latest_are_the_test_and_a_group_is_as_late_as_its_last_picture(tmp_path):
    rows = [{"shot": f"2026-03-{n + 1:02}T06:00", "group": f"g{n}"} for n in range(20)]
    rows[2]["group"] = "g19"
    rows[4]["shot"] = "soon"
    path = table(tmp_path, rows, ["shot", "group"])
    with pytest.raises(UsageError, match="column 'captured'") as refused:
        flawline.split(path, by="time")
    assert refused.value.code == "split-column"
    found = flawline.split(path, by="time", column="shot", test=0.2, validation=0.1)
    sides = by_split(found)
    assert sides["test"] == {"002.png", "019.png", "018.png", "017.png"}
    assert sides["validation"] == {"016.png", "015.png"}
    assert sides[None] == {"004.png"}
    (lost,) = found.unjudged
    assert lost.image == "004.png"
    assert "soon" in lost.reason


@pytest.mark.parametrize(
    ("change", "message", "code"),
    [
        ({"by": "lots"}, "not one of auto", "usage"),
        ({"by": "lot"}, "expected a column 'lot'", "split-column"),
        ({"by": "lot", "column": "charge"}, "expected a column 'charge'", "split-column"),
        ({"by": "group"}, "expected a column 'group'", "split-column"),
        ({"by": "auto", "column": "line"}, "looks at none", "usage"),
        ({"by": "lot", "column": "line"}, "all 9 pictures are of one lot .A.", "split-few-parts"),
        ({"test": 0.0}, "above 0", "usage"),
        ({"test": 0.8, "validation": 0.2}, "leaves something", "usage"),
        ({"test": float("nan")}, "above 0", "usage"),
    ],
)
def test_what_cannot_be_split_is_refused_with_the_way_out(tmp_path, change, message, code):
    path = table(tmp_path, [{"line": "A"}] * 9, ["line"])
    with pytest.raises(UsageError, match=message) as refused:
        flawline.split(path, **change)
    assert refused.value.code == code
    assert refused.value.hint


def test_too_few_parts_for_the_splits(tmp_path):
    write_discs(tmp_path, good=2)
    with pytest.raises(UsageError, match=r"at least 3 .* got 2"):
        flawline.split(tmp_path, validation=0.2)


def test_a_picture_that_cannot_be_read_is_in_no_split(tmp_path, capsys):
    write_discs(tmp_path / "parts", good=12)
    (tmp_path / "parts" / "good" / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    out = tmp_path / "samples.csv"
    assert run(["split", str(tmp_path / "parts"), "-o", str(out)]) == 2
    assert "x.png" in capsys.readouterr().err
    rows = pl.read_csv(out)
    assert rows.filter(pl.col("image") == "parts/good/x.png")["split"].to_list() == [None]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("kind", ["folder", "zip", "elsewhere"])
def test_the_manifest_is_read_as_the_source_was(tmp_path, kind, suffix, capsys):
    folder = write_discs(tmp_path / "in" / "parts", good=20, bad=5)
    source = folder
    if kind == "zip":
        source = shutil.make_archive(str(tmp_path / "in" / "all"), "zip", folder)
    out = tmp_path / ("in" if kind == "folder" else "out") / f"samples.{suffix}"
    assert run(["split", str(source), "-o", str(out)]) == 0
    first, then = capsys.readouterr().out.splitlines()
    assert first == "20 to learn from, 5 to test (1 of 5 bad)"
    root = folder if kind == "elsewhere" else None
    assert then == f"next: flawline train anomaly {out}" + (f" --root {root}" if root else "")
    with open_source(out, root=root) as again, open_source(source) as before:
        told = {s.name.rpartition("parts/")[2].removeprefix("samples/"): s for s in again.samples()}
        assert {s.name: s.defective for s in before.samples()} == {
            name: s.defective for name, s in told.items()
        }
        assert Counter(s.split for s in told.values()) == {"train": 20, "test": 5}
        assert all(again.read(s.name) == before.read(name) for name, s in told.items())
    wanted = out.read_bytes()
    assert run(["split", str(source), "-o", str(out)]) == 0
    assert out.read_bytes() == wanted


def test_the_columns_of_the_source_are_kept(tmp_path):
    rows = [
        {"label": "i.O." if n % 3 else "Riss", "split": "train", "lot": f"L{n}", "temp": 20 + n}
        for n in range(12)
    ]
    path = table(tmp_path, rows, ["label", "split", "lot", "temp"])
    assert run(["split", str(path), "-o", str(tmp_path / "samples.parquet"), "-q"]) == 0
    frame = pl.read_parquet(tmp_path / "samples.parquet")
    assert frame.columns == ["image", "label", "split", "source_split", "lot", "temp"]
    assert frame["lot"].to_list() == [row["lot"] for row in rows]
    assert set(frame["source_split"]) == {"train"}


def test_labels_that_only_the_options_explain_are_in_the_next_command(tmp_path, capsys):
    for label, make in (("A", disc), ("B 2", spoilt)):
        for number in range(10):
            write(tmp_path / "parts" / label / f"{number}.png", make(number))
    out = tmp_path / "samples.csv"
    options = ["--good", "A", "--bad", "B 2"]
    assert run(["split", str(tmp_path / "parts"), "-o", str(out), *options]) == 0
    assert f"next: flawline train anomaly {out} --good A --bad 'B 2'" in capsys.readouterr().out


def test_another_file_is_never_written_over(tmp_path, capsys):
    folder = write_discs(tmp_path / "parts", good=6)
    source = shutil.make_archive(str(tmp_path / "all"), "zip", folder)
    write(tmp_path / "samples" / "good" / "0.png", disc(99))
    assert run(["split", source, "-o", str(tmp_path / "samples.csv")]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert not (tmp_path / "samples.csv").exists()
    assert run(["split", source, "-o", str(tmp_path / "samples.txt")]) == 2


def test_pictures_in_memory_are_split_but_name_no_files(tmp_path):
    pictures = {f"good/{n}": disc(n) for n in range(10)}
    with open_source(pictures) as source:
        found = split(source)
        assert found.counts["test"]["pictures"] == 2
        with pytest.raises(UsageError, match="in memory"):
            flawline.write_split(found, source, tmp_path / "samples.csv")


def test_a_source_lists_its_samples_changed(tmp_path):
    write_discs(tmp_path, good=3)
    with open_source(tmp_path) as source:
        other = source.changed(lambda sample: replace(sample, split="test"))
        assert {s.split for s in other.samples()} == {"test"}
        assert {s.split for s in source.samples()} == {None}
        assert len(other.read("good/0.png")) > 0
