"""Grouping a source: copies come together, different parts stay apart, nothing is silent."""

import csv
import json
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.cli.main import run
from flawline.data.source import open_source
from flawline.errors import SourceError, UsageError
from flawline.jobs.groups.group import group
from flawline.jobs.groups.grouping_tables import grouping_as_dict, write_csv
from flawline.jobs.groups.linking import Groups, link
from flawline.jobs.groups.matching import Comparisons, candidates
from flawline.jobs.groups.partitions import compare_partitions
from flawline.jobs.groups.similarity import MapShift
from helpers.examples import examples

PARTS = 14
SIDE = 120


def part(seed: int) -> np.ndarray:
    """A disc with a texture of its own on a plain ground, uint8 (SIDE, SIDE)."""
    rng = np.random.default_rng(seed)
    fine = cv2.resize(rng.normal(size=(40, 40)).astype(np.float32), (SIDE, SIDE))
    pixels = np.clip(130 + 30 * fine, 0, 255).astype(np.uint8)
    disc = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (SIDE // 2, SIDE // 2), 50, 1, -1)
    return np.where(disc == 1, pixels, 90).astype(np.uint8)


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    warp = cv2.getRotationMatrix2D((SIDE / 2 - 0.5, SIDE / 2 - 0.5), degrees, 1)
    return cv2.warpAffine(pixels, warp, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)


def pictures() -> dict[str, np.ndarray]:
    """14 parts; part 0 also turned, mirrored and darker, part 1 moved, part 2 under slanted light."""
    drawn = {f"{seed:02d}.png": part(seed) for seed in range(PARTS)}
    drawn["00_turned.png"] = turned(part(0), 57)
    drawn["00_mirrored.png"] = (turned(part(0)[:, ::-1].copy(), 200) * 0.7).astype(np.uint8)
    drawn["01_moved.png"] = np.roll(part(1), (4, -5), (0, 1))
    slope = np.linspace(0.6, 1.2, SIDE)
    drawn["02_light.png"] = np.clip(part(2) * slope, 0, 255).astype(np.uint8)
    return drawn


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("groups") / "parts"
    place.mkdir()
    for name, pixels in pictures().items():
        cv2.imwrite(str(place / name), pixels)
    return place


@pytest.fixture(scope="module")
def grouping(folder):
    return group(folder, neighbours=6)


def test_copies_and_nothing_else_are_joined(grouping):
    found = [p.group for p in grouping.pictures]
    truth = [p.sample.name[:2] for p in grouping.pictures]
    both, extra, missed, _ = compare_partitions(found, truth)
    assert (both, extra, missed) == (5, 0, 0)
    assert grouping.parts == PARTS
    assert grouping.agreement is None
    largest = [p.sample.name for p in grouping.groups[0]]
    assert largest == ["00.png", "00_mirrored.png", "00_turned.png"]
    assert all(p.similarity >= 0.75 for p in grouping.joined)
    assert all(p.similarity < 0.75 for p in grouping.below)
    assert any(p.mirrored for p in grouping.joined)


@pytest.fixture(scope="module")
def few(folder, tmp_path_factory):
    """Six of the pictures: part 0 three times and parts 3, 4, 5."""
    place = tmp_path_factory.mktemp("few") / "parts"
    place.mkdir()
    for path in folder.iterdir():
        if path.stem[:2] in ("00", "03", "04", "05"):
            (place / path.name).write_bytes(path.read_bytes())
    return place


def test_an_archive_in_another_order_gives_the_same_document(few, tmp_path):
    with zipfile.ZipFile(tmp_path / "parts.zip", "w") as archive:
        for path in sorted(few.iterdir(), reverse=True):
            archive.write(path, path.name)
    packed = grouping_as_dict(group(tmp_path / "parts.zip"))
    assert {**packed, "source": "parts"} == grouping_as_dict(group(few))


def test_the_table_is_a_manifest_that_keeps_what_the_source_said(few, tmp_path):
    table = tmp_path / "lists" / "samples.csv"
    table.parent.mkdir()
    rows = [
        [f"../pictures/{path.name}", "good", path.name[:2], "train", 7]
        for path in sorted(few.iterdir())
    ]
    (tmp_path / "pictures").symlink_to(few)
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["image", "label", "group", "split", "lot"], *rows])
    out = tmp_path / "deep" / "out"
    assert run(["groups", str(table), "-o", str(out), "--quiet"]) == 2, (
        "they lie outside its folder"
    )
    command = ["groups", str(table), "-o", str(out), "--root", str(few), "--quiet"]
    assert run(command) == 0
    with open_source(out / "groups.csv", root=few) as again:
        samples = list(again.samples())
        assert len(samples) == len(rows)
        assert all(again.read(sample.name) for sample in samples)
    assert {s.metadata["source_group"] for s in samples} == {row[2] for row in rows}
    assert {(s.label, s.split, s.metadata["lot"], s.metadata["suggested"]) for s in samples} == {
        ("good", "train", "7", "true")
    }
    told = json.loads((out / "groups.json").read_text(encoding="utf-8"))["agreement"]
    assert told == {
        "judged": 6,
        "both": 3,
        "suggested_only": 0,
        "source_only": 0,
        "adjusted_rand": 1.0,
    }


def test_names_that_look_like_formulas_stay_paths(folder, tmp_path):
    for number, path in enumerate(sorted(folder.iterdir())[:4]):
        (tmp_path / f"=part{number}.png").write_bytes(path.read_bytes())
    with open_source(tmp_path) as source:
        write_csv(group(source), tmp_path / "groups.csv", tmp_path)
    with open_source(tmp_path / "groups.csv") as again:
        assert len(list(again.samples())) == 4


def test_equal_pictures_are_joined_even_without_texture(tmp_path):
    for name, level in (("a", 80), ("b", 80), ("c", 160)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((60, 60), level, np.uint8))
    found = group(tmp_path)
    assert [p.group for p in found.pictures] == ["1", "1", "2"]
    assert any("without texture" in note for note in found.notes)
    assert any("could not be estimated" in note for note in found.notes)


def test_arguments_and_poor_sources_are_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="threshold"):
        group(folder, threshold=0)
    with pytest.raises(UsageError, match="neighbours"):
        group(folder, neighbours=1)
    cv2.imwrite(str(tmp_path / "one.png"), part(0))
    with pytest.raises(SourceError, match="only 1 of 1"):
        group(tmp_path)


def test_candidates_are_all_pairs_of_few_pictures_and_few_pairs_of_many(folder):
    from flawline.data.image import read_image
    from flawline.jobs.groups.signature import signature

    several = [signature(read_image(path)) for path in sorted(folder.iterdir())]
    assert len(candidates(several, 4)) == len(several) * (len(several) - 1) // 2
    many = several * 5
    found = candidates(many, 4)
    assert len(found) == len(set(found)) <= len(many) * 6 + 2 * len(several)
    assert all(0 <= one < other < len(many) for one, other in found)
    assert {(place, place + len(several)) for place in range(len(several))} <= set(found)


class Told(Comparisons):
    """Comparisons whose outcome is given."""

    def __init__(self, values: dict[tuple[int, int], float]) -> None:
        super().__init__([])
        self.values = values
        self.compare(values)

    def compare(self, pairs) -> None:
        self.made |= {pair: MapShift(self.values.get(pair, 0.0), 0, False) for pair in pairs}


def test_a_chain_between_unlike_groups_is_not_followed():
    left = {(0, 1): 0.95, (0, 2): 0.95, (1, 2): 0.95}
    right = {(3, 4): 0.95, (3, 5): 0.95, (4, 5): 0.95}
    found = link(6, Told({**left, **right, (2, 3): 0.8}), 0.75)
    assert sorted(found.groups.members.values()) == [[0, 1, 2], [3, 4, 5]]
    assert found.held_apart == ((2, 3),)


@examples(50)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1]),
        st.floats(0, 1),
        max_size=25,
    )
)
def test_groups_are_a_partition_held_together_by_pairs_above_the_threshold(values):
    found = link(10, Told(values), 0.6)
    assert sorted(p for members in found.groups.members.values() for p in members) == list(
        range(10)
    )
    assert len(found.joined) == 10 - len(found.groups.members)
    assert all(values[pair] >= 0.6 for pair in (*found.joined, *found.held_apart))
    for one, other in found.held_apart:
        assert found.groups.of(one) != found.groups.of(other)


def test_joining_twice_changes_nothing():
    groups = Groups(3)
    groups.join(2, 1)
    groups.join(1, 2)
    assert groups.members == {0: [0], 1: [1, 2]}
