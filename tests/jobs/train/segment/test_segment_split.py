import re

import pytest

from flawline.errors import SourceError, UsageError
from flawline.jobs.train.segment.segment_split import split_samples
from flawline.types import Sample

SHARES = (0.6, 0.2, 0.2)


def parts(count, **more):
    samples = [Sample(f"{n}.png", group=str(n // 2), **more) for n in range(count)]
    counts = {sample.name: (90, 10 * (k % 3 == 0), 5) for k, sample in enumerate(samples)}
    return samples, counts, {sample.name: sample.name for sample in samples}


def names(samples):
    return {sample.name for sample in samples}


def test_pictures_of_a_part_stay_together():
    split = split_samples(*parts(40), SHARES, 0)
    assert (len(split.train), len(split.validation), len(split.test)) == (24, 8, 8)
    groups = [{s.group for s in own} for own in (split.train, split.validation, split.test)]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 20
    assert split.origin == "stratified"
    assert split == split_samples(*parts(40), SHARES, 0)
    assert split != split_samples(*parts(40), SHARES, 1)


def test_copies_of_a_picture_stay_together():
    samples, counts, hashes = parts(40)
    chain = {"0.png": "a", "2.png": "a", "3.png": "b", "4.png": "b", "9.png": "c", "5.png": "c"}
    for seed in range(8):
        split = split_samples(samples, counts, {**hashes, **chain}, SHARES, seed)
        for own in (split.train, split.validation, split.test):
            # Parts 0, 1, 2 and 4 share files one with the next.
            assert len(names(own) & set(chain)) in (0, len(chain))


def test_splits_of_the_source_are_taken():
    samples, counts, hashes = parts(6)
    named = [
        Sample(s.name, group=s.group, split=split)
        for s, split in zip(samples, ["train"] * 2 + ["VAL"] * 2 + ["test"] * 2, strict=True)
    ]
    split = split_samples(named, counts, hashes, SHARES, 0)
    assert names(split.train) == {"0.png", "1.png"}
    assert names(split.validation) == {"2.png", "3.png"}
    assert names(split.test) == {"4.png", "5.png"}
    assert split.origin == "source"


def test_without_a_validation_some_training_pictures_are():
    samples, counts, hashes = parts(40, split="train")
    split = split_samples(samples, counts, hashes, SHARES, 0)
    assert len(split.validation) == 6
    assert split.test == ()
    assert re.search("names no validation, so 15 %", split.messages[0])


@pytest.mark.parametrize("other", [None, "holdout"])
def test_every_picture_needs_a_known_split(other):
    samples, counts, hashes = parts(4, split="train")
    samples[3] = Sample("3.png", split=other)
    with pytest.raises(SourceError, match=r"3\.png is in the split"):
        split_samples(samples, counts, hashes, SHARES, 0)


def test_too_few_parts_are_refused():
    with pytest.raises(UsageError, match="at least 3 parts"):
        split_samples(*parts(4), SHARES, 0)


def test_unreadable_pictures_are_in_no_split():
    samples, counts, hashes = parts(20)
    del counts["7.png"]
    split = split_samples(samples, counts, hashes, SHARES, 0)
    assert "7.png" not in names((*split.train, *split.validation, *split.test))
