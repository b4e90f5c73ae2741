"""Polynomial fields, fitted robustly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.view.smooth_field import fit_field, polynomials
from helpers.examples import examples


@given(st.integers(6, 30), st.integers(6, 30), st.integers(0, 4))
def test_the_basis_holds_every_polynomial_of_its_degree(height, width, degree):
    basis = polynomials((height, width), degree)
    assert basis.shape == (height * width, (degree + 1) * (degree + 2) // 2)
    assert (basis[:, 0] == 1).all()
    y, x = np.mgrid[:height, :width] / 10
    field = (1 + x + 2 * y) ** degree
    left = np.linalg.lstsq(basis, field.ravel(), rcond=None)
    np.testing.assert_allclose(basis @ left[0], field.ravel(), rtol=1e-6, atol=1e-6)


@given(st.integers(0, 1000))
@examples(30)
def test_what_covers_an_eighth_of_the_place_does_not_move_the_field(seed):
    rng = np.random.default_rng(seed)
    basis = polynomials((20, 25), 2)
    true = rng.normal(0, 3, (6, 2)) + np.array([[50, 60]] + [[0, 0]] * 5)
    values = basis @ true + rng.normal(0, 0.5, (500, 2))
    top, left = rng.integers(0, 13), rng.integers(0, 18)
    values.reshape(20, 25, 2)[top : top + 8, left : left + 8] += 80
    fitted, spread = fit_field(basis, values, 0.1)
    assert np.abs(basis @ (fitted - true)).max() < 3
    assert spread == pytest.approx(0.9, rel=1.2)


def test_a_level_field_is_exact():
    basis = polynomials((8, 9), 2)
    fitted, spread = fit_field(basis, np.full((72, 1), 7.0), 0.25)
    np.testing.assert_allclose(basis @ fitted, 7, atol=1e-6)
    assert spread == 0.25
