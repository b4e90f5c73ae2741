#include "width.h"

#include <math.h>

/* Some runs, where the numbers of each begin, and for each pixel the distance to the nearest one outside in its column. */
typedef struct {
    const run *runs;
    int32_t count;
    int64_t *offset;
    int32_t *near;
} spans;

static void fill(int32_t *here, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        here[k] = 1;
}

/* One more than in the row next to it. */
static void count_on(int32_t *restrict here, const int32_t *restrict there, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        here[k] = there[k] + 1;
}

/* The number of the pixel in column x of run k. */
static int32_t *near_at(spans of, int32_t k, int64_t x) { return of.near + of.offset[k] + (x - of.runs[k].start); }

static void distances_up(spans of)
{
    int32_t above = 0;
    for (int32_t k = 0; k < of.count; k++) {
        const run *mine = of.runs + k;
        int64_t done = mine->start;
        while (of.runs[above].row < mine->row - 1 ||
               (of.runs[above].row == mine->row - 1 && of.runs[above].stop <= mine->start))
            above++;
        for (int32_t j = above; of.runs[j].row == mine->row - 1 && of.runs[j].start < mine->stop; j++) {
            int64_t start = larger(mine->start, of.runs[j].start), stop = smaller(mine->stop, of.runs[j].stop);
            fill(near_at(of, k, done), start - done);
            count_on(near_at(of, k, start), near_at(of, j, start), stop - start);
            done = stop;
        }
        fill(near_at(of, k, done), mine->stop - done);
    }
}

static void distances_down(spans of)
{
    int32_t below = of.count - 1;
    for (int32_t k = of.count - 1; k >= 0; k--) {
        const run *mine = of.runs + k;
        int64_t done = mine->stop;
        while (of.runs[below].row > mine->row + 1 ||
               (of.runs[below].row == mine->row + 1 && of.runs[below].start >= mine->stop))
            below--;
        for (int32_t j = below; of.runs[j].row == mine->row + 1 && of.runs[j].stop > mine->start; j--) {
            int64_t start = larger(mine->start, of.runs[j].start), stop = smaller(mine->stop, of.runs[j].stop);
            fill(near_at(of, k, stop), done - stop);
            count_on(near_at(of, k, start), near_at(of, j, start), stop - start);
            done = start;
        }
        fill(near_at(of, k, mine->start), done - mine->start);
    }
}

static bool lay_out(const region *from, depths *scratch, spans *up, spans *down)
{
    if (!reserve(&scratch->offsets, (size_t)from->count, sizeof(int64_t)) ||
        !reserve(&scratch->up, (size_t)from->area, sizeof(int32_t)) ||
        !reserve(&scratch->down, (size_t)from->area, sizeof(int32_t)))
        return false;
    int64_t *offset = scratch->offsets.at, size = 0;
    for (int32_t k = 0; k < from->count; k++) {
        offset[k] = size;
        size += from->runs[k].stop - from->runs[k].start;
    }
    spans upwards = {from->runs, from->count, offset, scratch->up.at};
    spans downwards = {from->runs, from->count, offset, scratch->down.at};
    distances_up(upwards);
    distances_down(downwards);
    *up = upwards;
    *down = downwards;
    return true;
}

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

/* A run of corners between upper run `j` and lower run `k`: all four of their pixels belong to the region. */
static bool add_corners(spans up, spans down, int32_t j, int32_t k, depths *scratch, spans *into)
{
    const run *upper = up.runs + j, *lower = down.runs + k;
    run both = {.row = upper->row, .value = upper->value};
    both.start = (int32_t)larger(upper->start, lower->start);
    both.stop = (int32_t)smaller(upper->stop, lower->stop) - 1;
    if (both.stop <= both.start)
        return true;
    const size_t count = (size_t)into->count++;
    if (!reserve(&scratch->corners, count + 1, sizeof(run)) ||
        !reserve(&scratch->corner_offsets, count + 2, sizeof(int64_t)))
        return false;
    ((run *)scratch->corners.at)[count] = both;
    int64_t *offset = (int64_t *)scratch->corner_offsets.at + count, size = both.stop - both.start;
    if (!count)
        offset[0] = 0;
    offset[1] = offset[0] + size;
    int32_t *here = (int32_t *)scratch->around.at + offset[0];
    const int32_t *above = near_at(up, j, both.start), *below = near_at(down, k, both.start);
    for (int64_t x = 0; x < size; x++)
        here[x] = least(least(above[x], above[x + 1]), least(below[x], below[x + 1]));
    return true;
}

/* Corners of pixels inside the region, named by the pixel to the upper left. */
static bool inner_corners(spans up, spans down, int64_t area, depths *scratch, spans *into)
{
    into->count = 0;
    if (!reserve(&scratch->around, (size_t)area, sizeof(int32_t)))
        return false;
    int32_t above = 0;
    for (int32_t k = 0; k < up.count; k++) {
        const run *lower = up.runs + k;
        while (up.runs[above].row < lower->row - 1 ||
               (up.runs[above].row == lower->row - 1 && up.runs[above].stop <= lower->start))
            above++;
        for (int32_t j = above; up.runs[j].row == lower->row - 1 && up.runs[j].start < lower->stop; j++)
            if (!add_corners(up, down, j, k, scratch, into))
                return false;
    }
    into->runs = scratch->corners.at;
    into->offset = scratch->corner_offsets.at;
    into->near = scratch->around.at;
    return true;
}

/* The square of the distance from a pixel of a run to the nearest one outside, given those along each column. */
static int64_t square_at(const int32_t *near, int64_t length, int64_t at)
{
    int64_t side = smaller(at + 1, length - at), best = smaller(side * side, (int64_t)near[at] * near[at]);
    for (int64_t off = 1; off * off < best; off++) {
        /* Outside the run nothing is nearer than its ends. */
        if (at - off >= 0)
            best = smaller(best, off * off + (int64_t)near[at - off] * near[at - off]);
        if (at + off < length)
            best = smaller(best, off * off + (int64_t)near[at + off] * near[at + off]);
    }
    return best;
}

static int64_t root_of_square(int64_t square, int64_t root)
{
    while ((root + 1) * (root + 1) <= square)
        root++;
    return root;
}

/* The first place that lies farthest from all pixels outside; false where there is none. */
static bool deepest(spans of, place *found)
{
    if (!of.count)
        return false;
    /* The middle of the middle run is deep already: what is less deep need not be looked at. */
    const int64_t middle = of.runs[of.count / 2].stop - of.runs[of.count / 2].start;
    int64_t best = square_at(of.near + of.offset[of.count / 2], middle, middle / 2) - 1;
    int64_t root = root_of_square(best, 0); /* the largest whole number whose square is no more than the best */
    for (int32_t k = 0; k < of.count; k++) {
        const run *mine = of.runs + k;
        const int32_t *near = of.near + of.offset[k];
        const int64_t length = mine->stop - mine->start;
        /* Nearer to an end of the run than that it cannot be deeper. */
        for (int64_t at = root; at < length - root; at++) {
            int64_t square = near[at] <= root ? 0 : square_at(near, length, at);
            if (square <= best)
                continue;
            best = square;
            root = root_of_square(best, root);
            found->x = mine->start + (int32_t)at;
            found->y = mine->row;
        }
    }
    return true;
}

bool largest_width(const region *of, const outline *borders, depths *scratch, double *width)
{
    spans up, down, corners;
    if (!lay_out(of, scratch, &up, &down) || !inner_corners(up, down, of->area, scratch, &corners))
        return false;
    for (int64_t k = 0; k < of->area; k++)
        up.near[k] = least(up.near[k], down.near[k]);
    place found;
    deepest(up, &found);
    *width = 2 * distance_to(borders, found.x, found.y) + 1;
    if (deepest(corners, &found)) {
        double between = 2 * distance_to(borders, found.x + 0.5, found.y + 0.5) + 1;
        *width = between > *width ? between : *width;
    }
    return true;
}

/* The square of the distance to the nearest pixel outside; the frame sees to it that there is one near. */
static int64_t square_outside(const frame *of, const uint64_t *bits, int64_t x, int64_t y)
{
    int64_t best = INT64_MAX;
    for (int64_t down = 0; down * down < best; down++)
        for (int64_t off = 0; off * off + down * down < best; off++)
            if (!bit_at(bits, of, x - off, y - down) || !bit_at(bits, of, x + off, y - down) ||
                !bit_at(bits, of, x - off, y + down) || !bit_at(bits, of, x + off, y + down))
                best = off * off + down * down;
    return best;
}

double radii_at_ends(const frame *of, const uint64_t *bits, const uint64_t *ends, int64_t *count)
{
    double sum = 0;
    *count = 0;
    for (int64_t y = 1; y + 1 < of->high; y++)
        for (int64_t k = 0; k < of->wide; k++) {
            uint64_t left = ends[y * of->wide + k];
            for (int64_t x = 64 * k; left; x++, left >>= 1)
                if (left & 1) {
                    sum += sqrt((double)square_outside(of, bits, x, y)) - 0.5;
                    ++*count;
                }
        }
    return sum;
}

void release_depths(depths *of)
{
    buffer *all[] = {&of->offsets, &of->up, &of->down, &of->corners, &of->corner_offsets, &of->around};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        release(all[k]);
}
