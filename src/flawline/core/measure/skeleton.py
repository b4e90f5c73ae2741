"""Thin regions to skeletons, 64 pixels at a time, and measure their length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.ragged import Floats, Integers
from flawline.core.measure.strips import Strip, Words

STRAIGHT, DIAGONAL, CORNER = 0.980, 1.406, -0.091
Four = tuple[Words, Words, Words, Words]
_ONE, _TOP = np.uint64(1), np.uint64(63)


def thin(strip: Strip) -> Words:
    """Thin to skeletons one pixel wide with the connections and holes of the regions: words as in the strip.

    Z. Guo and R. W. Hall, "Parallel thinning with two-subiteration algorithms", Communications of the ACM 32, 1989,
    pp. 359-373, algorithm A1. All pixels of a word are decided by operations on its bits.
    """
    words = strip.words.copy()
    rows = np.arange(len(words))
    owner = strip.owner
    while len(rows):
        changed = np.zeros(len(rows), dtype=bool)
        active = words[rows]
        for even in (False, True):
            deleted = active & _deletable(active, even)
            changed |= deleted.any(axis=1)
            active = active & ~deleted
        words[rows] = active
        moving = np.zeros(len(strip.regions), dtype=bool)
        moving[owner[changed]] = True
        stays = moving[owner]
        rows, owner = rows[stays], owner[stays]
    return words


def _neighbours(words: Words) -> tuple[Words, ...]:
    """Shift the neighbours N, NE, E, SE, S, SW, W, NW of each pixel to its place."""
    north, south = np.zeros_like(words), np.zeros_like(words)
    north[1:] = words[:-1]
    south[:-1] = words[1:]
    return (
        north,
        _east(north),
        _east(words),
        _east(south),
        south,
        _west(south),
        _west(words),
        _west(north),
    )


def _east(words: Words) -> Words:
    """Shift the pixel to the right of each, a higher bit, to its place."""
    moved = words >> _ONE
    if words.shape[1] > 1:
        moved[:, :-1] |= words[:, 1:] << _TOP
    return moved


def _west(words: Words) -> Words:
    moved = words << _ONE
    if words.shape[1] > 1:
        moved[:, 1:] |= words[:, :-1] >> _TOP
    return moved


def _deletable(words: Words, even: bool) -> Words:
    n, ne, e, se, s, sw, w, nw = _neighbours(words)
    # One connected group of neighbours: it begins at exactly one of four corners.
    groups = (~n & (ne | e), ~e & (se | s), ~s & (sw | w), ~w & (nw | n))
    one_group = (groups[0] ^ groups[1] ^ groups[2] ^ groups[3]) & ~_two_or_more(groups)
    odd_pairs = (nw | n, ne | e, se | s, sw | w)
    even_pairs = (n | ne, e | se, s | sw, w | nw)
    two = _two_or_more(odd_pairs) & _two_or_more(even_pairs)
    four = _all(odd_pairs) & _all(even_pairs)
    side = (n | ne | ~se) & e if even else (s | sw | ~nw) & w
    deletable: Words = one_group & two & ~four & ~side
    return deletable


def _two_or_more(bits: Four) -> Words:
    a, b, c, d = bits
    return np.asarray((a & b) | (c & d) | ((a | b) & (c | d)), dtype=np.uint64)


def _all(bits: Four) -> Words:
    a, b, c, d = bits
    result: Words = a & b & c & d
    return result


def prune(strip: Strip, skeleton: Words, reach: Integers) -> Words:
    """Remove side branches of skeletons that are at most `reach` (regions,) steps long.

    Thinning leaves branches into corners and to bumps of the outline; they are no longer than the region is wide
    there. Ends are shortened by `reach` steps and then grow again along their line up to the next fork.
    """
    straight, diagonal = _links(skeleton)
    forks = skeleton & _three_or_more((*straight, *diagonal))
    forked = np.add.reduceat(forks.any(axis=1), strip.first) > 0
    rows = np.flatnonzero(forked[strip.owner])
    if not len(rows):
        return skeleton
    steps = np.where(forked, reach, 0)[strip.owner[rows]]
    pruned, before = skeleton[rows], skeleton[rows]
    for step in range(int(steps.max())):
        pruned = np.where((steps > step)[:, None], pruned & ~_loose_ends(pruned), pruned)
    near_forks = forks[rows] | _around(forks[rows])
    for step in range(int(steps.max())):
        ends = _ends(pruned) & ~near_forks
        pruned = np.where((steps > step)[:, None], pruned | (_around(ends) & before), pruned)
    result = skeleton.copy()
    result[rows] = pruned
    return result


def _loose_ends(skeleton: Words) -> Words:
    """Find the ends that may be deleted: none of a line of one or two pixels."""
    ends = _ends(skeleton)
    alone = skeleton & ~_around(skeleton)
    return ends & ~_around(ends) & ~alone


def _around(words: Words) -> Words:
    n, ne, e, se, s, sw, w, nw = _neighbours(words)
    return np.asarray(n | ne | e | se | s | sw | w | nw, dtype=np.uint64)


def _three_or_more(bits: tuple[Words, ...]) -> Words:
    one, two, three = (np.zeros_like(bits[0]) for _ in range(3))
    for bit in bits:
        three |= two & bit
        two |= one & bit
        one |= bit
    return three


def _links(skeleton: Words) -> tuple[Four, Four]:
    """Find straight and diagonal steps from each pixel; a diagonal one next to a straight one does not count."""
    n, ne, e, se, s, sw, w, nw = _neighbours(skeleton)
    straight = (n & skeleton, e & skeleton, s & skeleton, w & skeleton)
    diagonal = (
        ne & ~n & ~e & skeleton,
        se & ~s & ~e & skeleton,
        sw & ~s & ~w & skeleton,
        nw & ~n & ~w & skeleton,
    )
    return straight, diagonal


def _ends(skeleton: Words) -> Words:
    """Find pixels with at most one step."""
    straight, diagonal = _links(skeleton)
    several = _two_or_more(straight) | _two_or_more(diagonal)
    several |= _any(straight) & _any(diagonal)
    return np.asarray(skeleton & ~several, dtype=np.uint64)


def chain_lengths(strip: Strip, skeleton: Words) -> tuple[Floats, Words]:
    """Measure each skeleton from end pixel to end pixel, px, (regions,), and return its end pixels as words.

    0.980 a + 1.406 b - 0.091 c with a straight and b diagonal steps and c changes between the two: without bias for
    straight lines of all directions (A. M. Vossepoel and A. W. M. Smeulders, "Vector code probability and metrication
    error in the representation of straight lines of finite length", Computer Graphics and Image Processing 20, 1982,
    pp. 347-364). A single pixel is an end and has length 0.
    """
    straight, diagonal = _links(skeleton)
    corners = _exactly_one(straight) & _exactly_one(diagonal)
    length = (
        STRAIGHT * (_sum(strip, straight[1]) + _sum(strip, straight[2]))
        + DIAGONAL * (_sum(strip, diagonal[0]) + _sum(strip, diagonal[1]))
        + CORNER * _sum(strip, corners)
    )
    return length, _ends(skeleton)


def _any(bits: Four) -> Words:
    a, b, c, d = bits
    return np.asarray(a | b | c | d, dtype=np.uint64)


def _exactly_one(bits: Four) -> Words:
    return np.asarray(_any(bits) & ~_two_or_more(bits), dtype=np.uint64)


def _sum(strip: Strip, words: Words) -> Floats:
    """Count the set bits of each region."""
    per_row = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    sums: NDArray[np.float64] = np.add.reduceat(per_row, strip.first).astype(np.float64)
    return sums
