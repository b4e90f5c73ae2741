"""--strict: one rule for every command whose first line is a verdict on its own result."""

import pytest

from flawline.cli.strict import STYLES, print_verdict, strict_code


@pytest.mark.parametrize("usable", ["not alone", "unknown", "no"])
def test_what_cannot_be_used_alone_ends_with_2(usable):
    assert strict_code(0, usable, strict=True) == 2
    assert strict_code(1, usable, strict=True) == 2
    assert strict_code(0, usable, strict=False) == 0


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_usable_result_keeps_its_code(code):
    assert strict_code(code, "yes", strict=True) == code


@pytest.mark.parametrize("usable", STYLES)
def test_the_verdict_is_one_line(usable, capsys):
    print_verdict("Learnt [nothing] of " + "much " * 60, usable)
    assert capsys.readouterr().out.count("\n") == 1
