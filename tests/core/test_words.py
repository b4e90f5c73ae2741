"""Numbers in sentences."""

from flawline.core.words import counted


def test_one_is_singular_and_all_else_plural():
    assert counted(1, "picture") == "1 picture"
    assert [counted(n, "part") for n in (0, 2)] == ["0 parts", "2 parts"]
    assert counted(1, "copy is", "copies are") == "1 copy is"
    assert counted(2, "copy is", "copies are") == "2 copies are"
