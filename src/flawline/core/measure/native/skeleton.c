/* Loops go over all words of a plane but its first and last row, without a branch, so that several go at once. */
#include "skeleton.h"

#include <string.h>

static const double STRAIGHT = 0.980, DIAGONAL = 1.406, CORNER = -0.091;

typedef uint64_t bits64;

static inline bits64 two_or_more(bits64 a, bits64 b, bits64 c, bits64 d)
{
    return (a & b) | (c & d) | ((a | b) & (c | d));
}

/* Z. Guo and R. W. Hall, CACM 32, 1989, algorithm A1; `even` is all ones or 0. */
static inline bits64 removable(neighbours p, bits64 even)
{
    bits64 north = ~p.n & (p.ne | p.e), east = ~p.e & (p.se | p.s), south = ~p.s & (p.sw | p.w),
           west = ~p.w & (p.nw | p.n);
    /* One connected group of neighbours: exactly one of four corners begins it. */
    bits64 one_group = (north ^ east ^ south ^ west) & ~two_or_more(north, east, south, west);
    bits64 a = p.nw | p.n, b = p.ne | p.e, c = p.se | p.s, d = p.sw | p.w;
    bits64 e = p.n | p.ne, f = p.e | p.se, g = p.s | p.sw, h = p.w | p.nw;
    bits64 two = two_or_more(a, b, c, d) & two_or_more(e, f, g, h);
    bits64 four = a & b & c & d & e & f & g & h;
    bits64 side = (even & (p.n | p.ne | ~p.se) & p.e) | (~even & (p.s | p.sw | ~p.nw) & p.w);
    return one_group & two & ~four & ~side;
}

static bool thin_once(const bits64 *restrict from, bits64 *restrict to, int64_t begin, int64_t end, int64_t wide,
                      bits64 even)
{
    bits64 changed = 0;
    for (int64_t k = begin; k < end; k++) {
        bits64 gone = from[k] & removable(neighbours_of(from + k, wide), even);
        to[k] = from[k] & ~gone;
        changed |= gone;
    }
    return changed;
}

/* Words of all rows but the first and the last. */
static inline int64_t first_word(const frame *of) { return of->wide; }
static inline int64_t last_word(const frame *of) { return (of->high - 1) * of->wide; }

bool thin(const frame *of, const uint64_t *bits, skeleton *into)
{
    const size_t plane = plane_of(of), size = plane * sizeof(bits64);
    if (!reserve(&into->words, plane, 5 * sizeof(bits64)))
        return false;
    into->bits = (bits64 *)into->words.at + 1;
    into->ends = into->bits + plane;
    into->near_forks = into->ends + plane;
    into->before = into->near_forks + plane;
    into->loose = into->before + plane;
    memcpy(into->bits - 1, bits - 1, size);
    memset(into->ends - 1, 0, size);
    bool changed = true;
    while (changed) {
        changed = thin_once(into->bits, into->ends, first_word(of), last_word(of), of->wide, 0);
        changed |= thin_once(into->ends, into->bits, first_word(of), last_word(of), of->wide, ~UINT64_C(0));
    }
    return true;
}

/* Straight and diagonal steps that leave the pixels; a diagonal one beside two straight ones is none. */
typedef struct {
    bits64 n, e, s, w, ne, se, sw, nw;
} steps;

static inline steps steps_of(const bits64 *at, int64_t wide)
{
    neighbours p = neighbours_of(at, wide);
    bits64 here = at[0];
    steps found = {p.n & here,
                   p.e & here,
                   p.s & here,
                   p.w & here,
                   p.ne & ~p.n & ~p.e & here,
                   p.se & ~p.s & ~p.e & here,
                   p.sw & ~p.s & ~p.w & here,
                   p.nw & ~p.n & ~p.w & here};
    return found;
}

/* Pixels with at most one step. */
static void find_ends(const bits64 *restrict bits, bits64 *restrict ends, int64_t begin, int64_t end, int64_t wide)
{
    for (int64_t k = begin; k < end; k++) {
        steps p = steps_of(bits + k, wide);
        bits64 several = two_or_more(p.n, p.e, p.s, p.w) | two_or_more(p.ne, p.se, p.sw, p.nw);
        several |= (p.n | p.e | p.s | p.w) & (p.ne | p.se | p.sw | p.nw);
        ends[k] = bits[k] & ~several;
    }
}

/* Pixels with three steps or more; whether there are any. */
static bool find_forks(const bits64 *restrict bits, bits64 *restrict forks, int64_t begin, int64_t end, int64_t wide)
{
    bits64 any = 0;
    for (int64_t k = begin; k < end; k++) {
        steps p = steps_of(bits + k, wide);
        bits64 straight = two_or_more(p.n, p.e, p.s, p.w), diagonal = two_or_more(p.ne, p.se, p.sw, p.nw);
        bits64 three = (p.n & p.e & (p.s | p.w)) | (p.s & p.w & (p.n | p.e));
        three |= (p.ne & p.se & (p.sw | p.nw)) | (p.sw & p.nw & (p.ne | p.se));
        three |= straight & (p.ne | p.se | p.sw | p.nw);
        three |= diagonal & (p.n | p.e | p.s | p.w);
        forks[k] = bits[k] & three;
        any |= forks[k];
    }
    return any;
}

static inline bits64 around(const bits64 *at, int64_t wide)
{
    neighbours p = neighbours_of(at, wide);
    return p.n | p.ne | p.e | p.se | p.s | p.sw | p.w | p.nw;
}

/* Take back the ends by a step; of a line of two pixels, or of one, nothing goes. False where nothing went. */
static bool shorten(const frame *of, skeleton *from)
{
    const int64_t wide = of->wide;
    bits64 any = 0;
    find_ends(from->bits, from->ends, first_word(of), last_word(of), wide);
    for (int64_t k = first_word(of); k < last_word(of); k++) {
        bits64 alone = from->bits[k] & ~around(from->bits + k, wide);
        from->loose[k] = from->ends[k] & ~around(from->ends + k, wide) & ~alone;
        any |= from->loose[k];
    }
    for (int64_t k = first_word(of); k < last_word(of); k++)
        from->bits[k] &= ~from->loose[k];
    return any;
}

/* Let ends grow by a step along what was there before, but not at forks. False where nothing grew. */
static bool lengthen(const frame *of, skeleton *from)
{
    const int64_t wide = of->wide;
    bits64 any = 0;
    find_ends(from->bits, from->ends, first_word(of), last_word(of), wide);
    for (int64_t k = first_word(of); k < last_word(of); k++)
        from->ends[k] &= ~from->near_forks[k];
    for (int64_t k = first_word(of); k < last_word(of); k++) {
        bits64 missing = from->before[k] & ~from->bits[k] & around(from->ends + k, wide);
        from->bits[k] |= missing;
        any |= missing;
    }
    return any;
}

void prune(const frame *of, skeleton *from, int64_t reach)
{
    const size_t size = plane_of(of) * sizeof(bits64);
    bits64 *forks = from->loose;
    memset(forks - 1, 0, size);
    if (!find_forks(from->bits, forks, first_word(of), last_word(of), of->wide))
        return;
    for (int64_t k = first_word(of); k < last_word(of); k++)
        from->near_forks[k] = forks[k] | around(forks + k, of->wide);
    memcpy(from->before - 1, from->bits - 1, size);
    memset(from->ends - 1, 0, size);
    for (int64_t step = 0; step < reach && shorten(of, from); step++)
        ;
    for (int64_t step = 0; step < reach && lengthen(of, from); step++)
        ;
}

static int64_t ones(bits64 word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int64_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

double chain_length(const frame *of, skeleton *from)
{
    int64_t straight = 0, diagonal = 0, corners = 0;
    find_ends(from->bits, from->ends, first_word(of), last_word(of), of->wide);
    for (int64_t k = first_word(of); k < last_word(of); k++) {
        if (!from->bits[k])
            continue;
        steps p = steps_of(from->bits + k, of->wide);
        straight += ones(p.e) + ones(p.s);
        diagonal += ones(p.ne) + ones(p.se);
        corners += ones((p.n | p.e | p.s | p.w) & ~two_or_more(p.n, p.e, p.s, p.w) & (p.ne | p.se | p.sw | p.nw) &
                        ~two_or_more(p.ne, p.se, p.sw, p.nw));
    }
    return STRAIGHT * (double)straight + DIAGONAL * (double)diagonal + CORNER * (double)corners;
}

void release_skeleton(skeleton *of) { release(&of->words); }
