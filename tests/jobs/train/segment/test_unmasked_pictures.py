"""Pictures without masks: which may be learnt from, and what is said of the others. Needs no PyTorch."""

import cv2
import numpy as np
import pytest

from flawline.data.source import open_source
from flawline.errors import ModelError, SourceError
from flawline.jobs.train.segment.pseudo_masks import PseudoMasked, mask_file, write_mask
from flawline.jobs.train.segment.segment_split import Split
from flawline.jobs.train.segment.unmasked_pictures import gather_unmasked
from flawline.recipe.manifest import file_hash
from flawline.types import Sample

SPLIT = Split((Sample("a", group="1"),), (Sample("b", group="2"),), (), "source", ())


def picture(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((12, 10), level, np.uint8))
    return file_hash(path.read_bytes())


def test_masked_pictures_held_out_parts_copies_and_broken_files_are_left_out(tmp_path):
    hashes = {name: picture(tmp_path / f"{name}.png", n) for n, name in enumerate("abcde")}
    picture(tmp_path / "z.png", 4)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    rows = ["image,group", *(f"{n}.png,{9 if n != 'c' else 2}" for n in "abcdez"), "broken.png,7"]
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with open_source(str(tmp_path / "list.csv")) as source:
        found = gather_unmasked(source, SPLIT, {n: hashes[n] for n in "ab"})
        assert {one.name for one in found.samples.values()} == {"d.png", "e.png"}
        assert found.samples.keys() == {hashes["d"], hashes["e"]}
        assert found.left_out == {"masked": 2, "part": 1, "copy": 1, "unreadable": 1}
        first, second = found.messages
        assert first == (
            "2 pictures without a mask to learn from; left out: 2 in the masked source as well, 1 of parts that are "
            "for validation or test, 1 copies of others, 1 unreadable"
        )
        assert "broken.png" in second
        assert (found.picture(hashes["d"]).pixels == 3).all()


def test_nothing_left_is_an_error_that_says_why(tmp_path):
    known = picture(tmp_path / "more" / "a.png", 1)
    with (
        open_source(str(tmp_path / "more")) as source,
        pytest.raises(
            SourceError, match=r"`unmasked` leaves 0 pictures .*1 in the masked source as well"
        ),
    ):
        gather_unmasked(source, SPLIT, {"a": known})


def test_a_predicted_mask_is_read_as_it_was_written_and_missed_where_it_is_gone(tmp_path):
    name = picture(tmp_path / "more" / "a.png", 1)
    with open_source(str(tmp_path / "more")) as source:
        found = gather_unmasked(source, SPLIT, {})
        masked = PseudoMasked(found, ("background", "stain"), tmp_path, (name,))
        mask = np.random.default_rng(0).choice([0, 1, 255], (12, 10)).astype(np.uint8)
        write_mask(tmp_path, name, mask)
        [sample] = masked.samples()
        assert (masked.pair(sample)[1] == mask).all()
        mask_file(tmp_path, name).unlink()
        with pytest.raises(ModelError, match=r"no mask of a\.png"):
            masked.pair(sample)
