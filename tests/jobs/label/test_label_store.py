"""Masks are saved in versions, survive a restart, and are published as training reads them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flawline.core.labelling.pieces import pieces_of
from flawline.data.image import DEFAULT_IMAGE_LIMITS
from flawline.data.masks import open_masks
from flawline.errors import FlawlineError, SourceError, UsageError
from flawline.jobs.label.label_pictures import key_of
from flawline.jobs.label.label_set import read_set
from flawline.jobs.label.label_store import LabelStore
from flawline.jobs.label.mask_png import grey_png
from flawline.jobs.label.new_set import NewSet, set_of_folder, set_of_upload
from flawline.jobs.label.published import COCO, mask_paths
from flawline.jobs.label.queue import queue, queue_counts, row
from flawline.jobs.label.suspects import suspects_of, suspects_of_coco

SIZE = (40, 60)
CLASSES = ("scratch", "stain")


def write_pictures(folder: Path, names=("a.png", "b.png", "deep/c.jpg")) -> Path:
    """Pictures of noise, each another."""
    for seed, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(60, 200, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


def drawn(*marks) -> np.ndarray:
    """A mask with rectangles (class, top, left, bottom, right)."""
    mask = np.zeros(SIZE, np.uint8)
    for number, top, left, bottom, right in marks:
        mask[top:bottom, left:right] = number
    return mask


MINE = drawn((1, 5, 5, 10, 30), (2, 20, 20, 30, 30))
THEIRS = drawn((1, 5, 8, 10, 33))


def opened(tmp_path: Path, classes=CLASSES, pictures: Path | None = None) -> LabelStore:
    wish = NewSet("one", "Parts", "eva", "2026-03-01T06:00:00+00:00", classes)
    pictures = pictures or write_pictures(tmp_path / "parts")
    set_of_folder(wish, pictures, tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    return LabelStore(tmp_path / "work", DEFAULT_IMAGE_LIMITS)


def save(store, name, mask, who="eva", **more):
    key = key_of(name)
    base = more.pop("base", None)
    if base is None:
        label = store.label(key)
        base = label.version
        if more.get("own"):
            base = label.opinions[who].version if who in label.opinions else 0
    return store.save(key, grey_png(mask), who=who, base=base, **more)


def test_a_mask_is_a_draft_until_it_is_done_and_survives_a_restart(tmp_path):
    store = opened(tmp_path)
    first = save(store, "a.png", MINE)
    assert (first.version, first.done, first.saved.who) == (1, False, "eva")
    assert first.saved.areas == (MINE.size - 225, 125, 100)
    assert first.saved.pieces == 2
    assert not (tmp_path / "parts" / "masks").exists()
    again = LabelStore(tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    mask, version = again.mask(key_of("a.png"))
    np.testing.assert_array_equal(mask, MINE)
    assert version == 1
    assert save(again, "a.png", MINE, done=True).done
    again.close()
    store.close()
    third = LabelStore(tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    assert third.label(key_of("a.png")).done
    third.close()


def test_what_was_saved_in_between_is_a_conflict_and_nothing_is_lost(tmp_path):
    store = opened(tmp_path)
    save(store, "a.png", MINE, base=0)
    with pytest.raises(UsageError, match="eva saved version 1") as refused:
        save(store, "a.png", THEIRS, who="ben", base=0)
    assert refused.value.code == "label-conflict"
    np.testing.assert_array_equal(store.mask(key_of("a.png"))[0], MINE)
    changed = save(store, "a.png", THEIRS, who="ben", base=1)
    assert (changed.version, changed.saved.who) == (2, "ben")
    # Hers stays as the one that she drew alone.
    np.testing.assert_array_equal(store.mask(key_of("a.png"), "eva")[0], MINE)
    store.close()


def test_finished_masks_lie_where_training_finds_them(tmp_path):
    store = opened(tmp_path)
    save(store, "a.png", MINE, done=True)
    save(store, "deep/c.jpg", drawn(), done=True)
    save(store, "b.png", THEIRS)
    store.close()
    parts = tmp_path / "parts"
    picture = Image.open(parts / "masks" / "a.png")
    assert picture.mode == "P"
    np.testing.assert_array_equal(np.asarray(picture), MINE)
    assert not (parts / "masks" / "b.png").exists()
    for path, names in ((None, CLASSES), (parts / COCO, None)):
        with open_masks(parts, annotations=path, classes=names) as masked:
            found = {sample.name: masked.mask(sample) for sample in masked.samples()}
            assert masked.classes == ("background", *CLASSES)
        assert set(found) == {"a.png", "deep/c.jpg"}
        np.testing.assert_array_equal(found["a.png"], MINE)
        assert not found["deep/c.jpg"].any()
    # What it wrote is no picture of the set.
    again = LabelStore(tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    assert [sample.name for sample in again.pictures.samples()] == ["a.png", "b.png", "deep/c.jpg"]
    again.close()


def test_the_coco_file_follows_by_itself_and_after_a_crash(tmp_path):
    store = opened(tmp_path)
    save(store, "a.png", MINE, done=True)
    # As if the process had been killed now.
    store._publisher._stop()
    assert not (tmp_path / "parts" / COCO).exists()
    again = LabelStore(tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    again.close()
    document = json.loads((tmp_path / "parts" / COCO).read_text())
    assert [one["name"] for one in document["categories"]] == list(CLASSES)
    assert [one["area"] for one in document["annotations"]] == [125, 100]
    store.pictures.close()


def test_masks_that_were_there_are_taken_over_and_replaced_with_their_own_values(tmp_path):
    parts = write_pictures(tmp_path / "parts", ("images/a.png", "images/b.png"))
    (parts / "masks").mkdir()
    old = (drawn((1, 2, 2, 9, 9)) * 100 + drawn((1, 20, 20, 25, 25)) * 200).astype(np.uint8)
    Image.fromarray(old).save(parts / "masks" / "a.png")
    store = opened(tmp_path, pictures=parts)
    assert store.settings.values == (100, 200)
    key = key_of("images/a.png")
    label = store.label(key)
    assert (label.done, label.version, label.saved.who) == (True, 0, "the folder")
    mask, version = store.mask(key)
    np.testing.assert_array_equal(np.unique(mask), [0, 1, 2])
    corrected = mask.copy()
    corrected[30:35, 40:50] = 2
    save(store, "images/a.png", corrected, done=True, base=version)
    store.rename_classes([*CLASSES, "burr"])
    save(store, "images/a.png", np.where(corrected == 1, 3, corrected).astype(np.uint8), done=True)
    written = np.asarray(Image.open(parts / "masks" / "a.png"))
    np.testing.assert_array_equal(np.unique(written), [0, 1, 200])
    np.testing.assert_array_equal(written == 200, corrected == 2)
    kept = np.asarray(Image.open(tmp_path / "work" / "originals" / f"{key}.png"))
    np.testing.assert_array_equal(kept, old)
    store.close()


def test_fewer_names_than_the_masks_have_classes_are_refused(tmp_path):
    parts = write_pictures(tmp_path / "parts", ("images/a.png",))
    (parts / "masks").mkdir()
    Image.fromarray(MINE).save(parts / "masks" / "a.png")
    with pytest.raises(UsageError, match="expected the names of 2 classes"):
        opened(tmp_path, classes=("scratch",), pictures=parts)
    assert opened(tmp_path, classes=(), pictures=parts).settings.classes == ("class 1", "class 2")


def test_a_second_opinion_leaves_the_mask_and_makes_a_disagreement(tmp_path):
    store = opened(tmp_path)
    save(store, "a.png", MINE, done=True)
    assert queue(store, "second", "ben") == [key_of("a.png")]
    assert queue(store, "second", "eva") == []
    save(store, "a.png", THEIRS, who="ben", own=True)
    label = save(store, "a.png", THEIRS, who="ben", own=True, done=True)
    np.testing.assert_array_equal(store.mask(key_of("a.png"))[0], MINE)
    np.testing.assert_array_equal(store.mask(key_of("a.png"), "ben")[0], THEIRS)
    assert label.agreement == 0.0
    assert queue(store, "disagreements", "eva") == [key_of("a.png")]
    assert row(store, key_of("a.png"))["people"] == ["ben", "eva"]
    # A third decides.
    assert save(store, "a.png", THEIRS, who="ada", done=True).settled
    assert queue_counts(store, "eva")["disagreements"] == 0
    store.close()


def test_people_who_agree_are_no_disagreement(tmp_path):
    store = opened(tmp_path)
    save(store, "a.png", MINE, done=True)
    assert save(store, "a.png", MINE, who="ben", own=True, done=True).agreement == 1.0
    assert queue(store, "disagreements", "eva") == []
    store.close()


def test_queues_of_what_is_to_do(tmp_path):
    store = opened(tmp_path)
    save(store, "a.png", MINE, done=True)
    save(store, "b.png", MINE)
    assert queue_counts(store, "eva") == {
        "todo": 2,
        "suspects": 0,
        "disagreements": 0,
        "second": 0,
        "done": 1,
        "all": 3,
    }
    assert [row(store, key)["state"] for key in queue(store, "all", "eva")] == [
        "done",
        "draft",
        "todo",
    ]
    store.close()


def audit_of(name, mask):
    from flawline.jobs.label.published import coco_entry

    return {
        "images": [{"id": 1, "file_name": name, "height": SIZE[0], "width": SIZE[1]}],
        "categories": [{"id": 1, "name": "scratch"}, {"id": 2, "name": "background"}],
        "annotations": [
            {**one, "id": n, "image_id": 1, "score": 0.9, "kind": "missing", "given": "background"}
            for n, one in enumerate(coco_entry(mask), 1)
        ],
    }


def test_suspicious_places_of_an_audit_are_a_queue_until_somebody_looked(tmp_path):
    store = opened(tmp_path)
    found = suspects_of_coco(json.dumps(audit_of("b.png", THEIRS)).encode())
    other = suspects_of_coco(json.dumps(audit_of("elsewhere.png", THEIRS)).encode())
    assert store.set_suspects({**found, **other}) == 1
    assert queue(store, "suspects", "eva") == [key_of("b.png")]
    (one,) = suspects_of(store.suspects["b.png"], SIZE)
    assert (one.kind, one.seen, one.piece.area) == ("missing", "scratch", 125)
    assert suspects_of(store.suspects["b.png"], (7, 7)) == []
    again = LabelStore(tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    assert queue(again, "suspects", "eva") == [key_of("b.png")]
    store.settle_suspects(key_of("b.png"))
    assert queue(store, "suspects", "eva") == []
    for one in (store, again):
        one.close()


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"images": 1}', b'{"images": [], "annotations": []}']
)
def test_what_is_no_audit_is_refused(data):
    with pytest.raises(SourceError, match="label-audit-coco"):
        suspects_of_coco(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "expected"),
        (grey_png(np.zeros((4, 4), np.uint8)), "4 x 4 px"),
        (grey_png(np.full(SIZE, 3, np.uint8)), "expected classes 0 to 2, got 3"),
    ],
)
def test_masks_that_do_not_fit_are_refused(tmp_path, data, words):
    store = opened(tmp_path)
    with pytest.raises(FlawlineError, match=words):
        store.save(key_of("a.png"), data, who="eva", base=0)
    with pytest.raises(UsageError, match="no picture"):
        store.save("0" * 20, grey_png(MINE), who="eva", base=0)
    assert store.label(key_of("a.png")).version == 0
    store.close()


def test_classes_are_renamed_and_added_never_taken_away(tmp_path):
    store = opened(tmp_path)
    assert store.rename_classes(["Scratch ", "stain", "burr"]).classes == (
        "Scratch",
        "stain",
        "burr",
    )
    for names in (["scratch"], ["a", "a", "b"], [], ["x" * 90, "b", "c"], ["background", "b", "c"]):
        with pytest.raises(UsageError):
            store.rename_classes(names)
    assert read_set(tmp_path / "work").classes == ("Scratch", "stain", "burr")
    store.close()


def test_a_folder_that_cannot_be_written_keeps_masks_at_the_server(tmp_path, monkeypatch):
    # Permissions would not stop root, who runs tests too.
    monkeypatch.setattr("flawline.jobs.label.new_set.is_writable", lambda folder: False)
    store = opened(tmp_path)
    save(store, "a.png", MINE, done=True)
    store.close()
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        "a.png",
        "b.png",
        "deep",
    ]
    assert (tmp_path / "work" / "finished" / "masks" / "a.png").is_file()
    assert any("cannot write" in one for one in store.settings.notes)


def test_a_disk_that_is_full_leaves_a_draft(tmp_path, monkeypatch):
    store = opened(tmp_path)
    save(store, "a.png", THEIRS)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store._publisher, "publish", full)
    with pytest.raises(OSError, match="space"):
        save(store, "a.png", MINE, done=True)
    label = store.label(key_of("a.png"))
    assert not label.done
    np.testing.assert_array_equal(store.mask(key_of("a.png"))[0], MINE)
    store.close()


def test_an_upload_keeps_its_pictures_and_masks_beside_each_other(tmp_path):
    sent = write_pictures(tmp_path / "sent", ("a.png", "b.png"))
    wish = NewSet("two", "Sent", "eva", "2026-03-01T06:00:00+00:00", CLASSES)
    made = set_of_upload(wish, sent, tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    store = LabelStore(tmp_path / "work", DEFAULT_IMAGE_LIMITS)
    assert [sample.name for sample in store.pictures.samples()] == ["images/a.png", "images/b.png"]
    # A mask that covers everything is still a mask.
    save(store, "images/a.png", drawn((1, 0, 0, 40, 60)), done=True)
    store.close()
    with open_masks(made.pictures, classes=CLASSES) as masked:
        assert [sample.name for sample in masked.samples()] == ["images/a.png"]


def test_old_versions_go_and_opinions_stay(tmp_path):
    store = opened(tmp_path)
    for number in range(12):
        save(store, "a.png", MINE, who="eva" if number < 2 else "ben")
    files = sorted(path.name for path in (tmp_path / "work" / "labels").glob("*/*.png"))
    assert "v2.png" in files
    assert "v3.png" not in files
    assert "v12.png" in files
    store.close()


def test_names_of_masks_beside_the_pictures():
    names = ["1.jpg", "bad/1.jpg", "images/2.png", "x/Images/y/3.tif", "4.jpg", "4.png"]
    assert list(mask_paths(names).values()) == [
        "masks/1.png",
        "masks/bad/1.png",
        "masks/2.png",
        "x/masks/y/3.png",
        "masks/4.jpg.png",
        "masks/4.png.png",
    ]


def test_pieces_of_a_published_mask_are_its_annotations(tmp_path):
    store = opened(tmp_path)
    save(store, "b.png", MINE, done=True)
    document = json.loads(store.write_all().read_text())
    assert len(document["annotations"]) == len(pieces_of(MINE))
    assert {one["iscrowd"] for one in document["annotations"]} == {1}
    store.close()
