"""Compare the texture of two pictures, independent of lighting, turn, mirroring and small shifts.

A picture becomes a small map of local contrast: each pixel minus the mean of its surroundings, divided by their
standard deviation (K. Jarrett et al., "What is the best multi-stage architecture for object recognition?", ICCV 2009,
section 3). A second map is laid over the first - turns by phase-weighted correlation of polar spectra, shifts by
correlation in the Fourier domain, the rest by enhanced correlation (G. D. Evangelidis and E. Z. Psarakis, "Parametric
image alignment using enhanced correlation coefficient maximization", PAMI 30(10), 2008) - and the normalised
correlation of the overlap is the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

SIDE = 112
_NARROWEST = 16
_SURROUNDINGS = 4.0  # standard deviation of the Gaussian window, pixels of the map
_NOISE = 4.0  # grey levels; weaker contrast is not amplified to full strength
_ANGLES = 256
_RADII = 40
_INNERMOST = 3
# The lowest frequencies around the circle hold shading and errors of the centre, not texture.
_LOWEST, _HIGHEST = 3, 120
_WHITENING = 0.85
_SHIFT = 0.2
_OVERLAP = 0.4
_HOPELESS = 0.15
_CERTAIN = 0.97
_REFINED = 3
_STRETCH = 1.3
_FLAT = 0.05


@dataclass(frozen=True, slots=True)
class MapShift:
    """Best alignment of a second map to a first.

    `correlation` is -1 to 1 over the overlap, `turned` the second's counterclockwise turn in degrees, 0 to 360, that
    undoes the difference, `mirrored` whether it was mirrored as well.
    """

    correlation: float
    turned: float
    mirrored: bool


def texture(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the local contrast of a grey picture (H, W), float32 (h, w) with a longer side of `SIDE` pixels.

    Unchanged by an offset, and by a gain as long as the contrast stays above `_NOISE` grey levels.
    """
    scale = SIDE / max(grey.shape)
    height, width = (max(_NARROWEST, round(side * scale)) for side in grey.shape)
    shrunk = scale < 1
    how = cv2.INTER_AREA if shrunk else cv2.INTER_LINEAR
    small = cv2.resize(grey, (width, height), interpolation=how).astype(np.float32)
    centred = small - _surroundings(small)
    spread = np.sqrt(np.maximum(_surroundings(centred * centred), 0))
    return np.asarray(centred / (spread + np.float32(_NOISE)), dtype=np.float32)


def is_flat(contrast: NDArray[np.float32]) -> bool:
    """Return True if a map of local contrast has no texture to compare."""
    return float(np.sqrt(np.mean(contrast * contrast))) < _FLAT


def _surroundings(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.GaussianBlur(values, (0, 0), _SURROUNDINGS, borderType=cv2.BORDER_REFLECT)
    )


def chance_corrected(correlation: float, likeness: float) -> float:
    """Scale a correlation from 0 at `likeness`, that of different parts, to 1 at identity.

    It has the form of Cohen's kappa (J. Cohen, Educational and Psychological Measurement 20, 1960, p. 40).
    """
    return max(0.0, (correlation - likeness) / (1 - likeness))


def align(
    first: NDArray[np.float32], second: NDArray[np.float32], scales: Sequence[float] = (1.0,)
) -> MapShift:
    """Align `second` to `first`, both from `texture`, and measure their correlation.

    `scales` are the sizes of `first` relative to `second` that are tried for upright pictures.
    """
    starts = list(_starts(first, second, scales))
    judged = sorted(
        ((_correlation(first, second, warp), -place) for place, warp in enumerate(starts)),
        reverse=True,
    )
    best, warp = judged[0][0], starts[-judged[0][1]]
    if best < _HOPELESS:
        return _alignment(best, warp)
    for _, place in judged[:_REFINED]:
        if best >= _CERTAIN:
            break
        refined = _refine(first, second, starts[-place])
        if refined is not None and (value := _correlation(first, second, refined)) > best:
            best, warp = value, refined
    return _alignment(best, warp)


def _alignment(correlation: float, warp: NDArray[np.float32]) -> MapShift:
    mirrored = bool(np.linalg.det(warp[:, :2]) < 0)
    across = -warp[0, 0] if mirrored else warp[0, 0]
    turned = np.degrees(np.arctan2(warp[1, 0], across)) % 360
    return MapShift(float(np.clip(correlation, -1, 1)), float(turned), mirrored)


def _starts(
    first: NDArray[np.float32], second: NDArray[np.float32], scales: Sequence[float]
) -> Iterator[NDArray[np.float32]]:
    """List starting affine maps (2, 3) from pixels of `first` to pixels of `second`."""
    for scale in scales:
        yield _shifted(first, second, _scaled(first.shape, second.shape, scale))
    for warp in _turns(first, second):
        yield _shifted(first, second, warp)


def _scaled(first: tuple[int, ...], second: tuple[int, ...], scale: float) -> NDArray[np.float32]:
    across = (second[1] - 1) / 2 - (first[1] - 1) / 2 / scale
    down = (second[0] - 1) / 2 - (first[0] - 1) / 2 / scale
    return np.array([[1 / scale, 0, across], [0, 1 / scale, down]], dtype=np.float32)


def _turns(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """List the two likeliest turns of `second` and of its mirror image, about the centres of their texture."""
    spectrum, (x, y) = _polar_spectrum(first)
    for mirrored in (False, True):
        other, (u, v) = _polar_spectrum(second[:, ::-1] if mirrored else second)
        for angle in _peaks(spectrum * other.conj()):
            cos, sin = np.cos(-angle), np.sin(-angle)
            warp = np.array([[cos, -sin, u - cos * x + sin * y], [sin, cos, v - sin * x - cos * y]])
            if mirrored:
                warp[0] = -warp[0]
                warp[0, 2] += second.shape[1] - 1
            yield warp.astype(np.float32)


def _polar_spectrum(
    contrast: NDArray[np.float32],
) -> tuple[NDArray[np.complex64], tuple[float, float]]:
    """Compute a nearly whitened spectrum around circles (frequencies, radii), and their centre (x, y)."""
    centre = texture_centre(contrast)
    circles = polar(contrast, centre, _ANGLES, _RADII)[:, _INNERMOST:]
    spectrum = fft.rfft(circles, axis=0)[_LOWEST:_HIGHEST]
    spectrum = spectrum / (np.abs(spectrum) + 1e-6) ** _WHITENING
    return spectrum / max(float(np.linalg.norm(spectrum)), 1e-12), centre


def texture_centre(contrast: NDArray[np.float32]) -> tuple[float, float]:
    """Find the centre of mass (x, y) of the texture, which moves and turns with it."""
    height, width = contrast.shape
    radius = min(height, width) / 2
    down, across = np.mgrid[:height, :width].astype(np.float32)
    strength = np.minimum(np.abs(contrast), 1) + 1e-6
    x, y = (width - 1) / 2, (height - 1) / 2
    for _ in range(5):
        inside = np.clip(1 - ((down - y) ** 2 + (across - x) ** 2) / radius**2, 0, 1) * strength
        total = float(inside.sum())
        x, y = float((inside * across).sum()) / total, float((inside * down).sum()) / total
    return x, y


def polar(
    contrast: NDArray[np.float32], centre: tuple[float, float], angles: int, radii: int
) -> NDArray[np.float32]:
    """Sample a map on circles about `centre`, float32 (angles, radii), each weighted by its length."""
    reach = min(contrast.shape) / 2 * 0.95
    # Without filling, values outside the picture would be undefined.
    how = cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS
    circles = cv2.warpPolar(np.ascontiguousarray(contrast), (radii, angles), centre, reach, how)
    return np.asarray(circles * np.sqrt(np.arange(radii, dtype=np.float32)), dtype=np.float32)


def _peaks(cross: NDArray[np.complex64]) -> Iterator[float]:
    """List the two strongest turns in radians, at least six degrees apart."""
    spectrum = np.zeros(_ANGLES // 2 + 1, dtype=np.complex64)
    spectrum[_LOWEST:_HIGHEST] = cross.sum(axis=1)
    around = fft.irfft(spectrum, _ANGLES)
    for _ in range(2):
        peak = int(around.argmax())
        yield peak * 2 * np.pi / _ANGLES
        around[np.arange(peak - 4, peak + 5) % _ANGLES] = -np.inf


def _shifted(
    first: NDArray[np.float32], second: NDArray[np.float32], warp: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Shift a start to the highest correlation of the maps, by at most a fifth of a side."""
    laid, inside = _laid_over(second, warp, first.shape)
    size = [fft.next_fast_len(side + 2 * round(side * _SHIFT), real=True) for side in first.shape]
    spectrum = fft.rfft2(first, size) * fft.rfft2(laid * inside, size).conj()
    values = fft.irfft2(spectrum, size)
    down, across = (np.rint(fft.fftfreq(length, 1 / length)).astype(int) for length in size)
    near = np.ix_(
        *(
            np.abs(steps) <= round(side * _SHIFT)
            for steps, side in zip((down, across), first.shape, strict=True)
        )
    )
    row, column = np.unravel_index(int(np.argmax(values[near])), values[near].shape)
    shift = np.array([across[near[1].ravel()[column]], down[near[0].ravel()[row]]])
    moved = warp.copy()
    moved[:, 2] -= warp[:, :2] @ shift
    return moved


def _refine(
    first: NDArray[np.float32], second: NDArray[np.float32], warp: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Refine a start to an affine map; None if that fails or stretches too much."""
    everywhere = np.full(second.shape, 255, np.uint8)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 25, 1e-3)
    try:
        _, refined = cv2.findTransformECC(
            first, second, warp.copy(), cv2.MOTION_AFFINE, criteria, everywhere, 3
        )
    except cv2.error:
        return None
    before = np.linalg.svd(warp[:, :2], compute_uv=False)
    after = np.linalg.svd(refined[:, :2], compute_uv=False)
    if after[0] > before[0] * _STRETCH or after[1] < before[1] / _STRETCH:
        return None
    return np.asarray(refined, dtype=np.float32)


def _correlation(
    first: NDArray[np.float32], second: NDArray[np.float32], warp: NDArray[np.float32]
) -> float:
    """Compute the normalised correlation over the overlap; 0 if the overlap is too small."""
    laid, inside = _laid_over(second, warp, first.shape)
    if not _is_quarter(warp):
        inside = inside & _disc(first.shape)
    if inside.sum() < _OVERLAP * min(first.size, second.size):
        return 0.0
    one, other = first[inside], laid[inside]
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length > 1e-6 else 0.0


def _laid_over(
    second: NDArray[np.float32], warp: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Warp `second` into the frame of the first map; also returns where it is known."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    known = np.ones(second.shape, np.float32) if _is_quarter(warp) else _disc(second.shape)
    inside = cv2.warpAffine(known.astype(np.float32), warp, size, flags=flags) > 0.99
    return np.asarray(cv2.warpAffine(second, warp, size, flags=flags)), np.asarray(inside)


def _is_quarter(warp: NDArray[np.float32]) -> bool:
    """Return True if a map turns by about a multiple of 90 degrees, so that no filled corners are visible."""
    longer = max(abs(float(warp[0, 0])), abs(float(warp[0, 1])))
    return min(abs(float(warp[0, 0])), abs(float(warp[0, 1]))) < 0.05 * longer


@lru_cache(maxsize=256)
def _disc(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mask the largest disc inside a picture: beyond it, a turned copy has filled corners."""
    height, width = shape
    down, across = np.mgrid[:height, :width]
    radius = min(height, width) / 2 - 2
    inside = (down - (height - 1) / 2) ** 2 + (across - (width - 1) / 2) ** 2 <= radius**2
    inside.flags.writeable = False
    return np.asarray(inside)
