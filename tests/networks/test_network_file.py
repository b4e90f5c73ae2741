"""What is added to the metadata of an ONNX file, against the package onnx."""

import onnx
from hypothesis import given
from hypothesis import strategies as st

from flawline.networks.network_file import file_metadata, with_metadata
from helpers.networks import write_network


@given(
    value=st.text(st.characters(exclude_categories=["Cs"])), times=st.sampled_from([1, 200, 20_000])
)
def test_an_entry_is_added_to_the_metadata(value, times, tmp_path_factory):
    small = write_network(tmp_path_factory.getbasetemp() / "small.onnx").read_bytes()
    before, after = (
        onnx.load_from_string(data)
        for data in (small, with_metadata(small, "größe", value * times))
    )
    assert after.graph == before.graph
    assert list(after.metadata_props)[:-1] == list(before.metadata_props)
    assert after.metadata_props[-1].key == "größe"
    assert after.metadata_props[-1].value == value * times


def test_an_entry_takes_the_place_of_one_of_that_key(tmp_path):
    small = write_network(tmp_path / "small.onnx").read_bytes()
    data = with_metadata(small, "other", "y")
    for value in ("x" * 300, "z"):
        data = with_metadata(data, "flawline.preparation", value)
        expected = {"other": "y", "flawline.preparation": value}
        assert file_metadata(data) == expected
        read = onnx.load_from_string(data)
        assert {entry.key: entry.value for entry in read.metadata_props} == expected
        assert len(read.metadata_props) == 2
        assert read.graph == onnx.load_from_string(small).graph
