#include "contrast.h"

#include <string.h>

enum { RING = 5 };
/* How far the disc of OpenCV's ellipse of 11 x 11 px reaches to either side, by rows from its middle. */
static const int REACH[RING + 1] = {5, 5, 5, 4, 3, 0};

typedef struct {
    int64_t sum, count;
} grey_sum;

static double mean_of(grey_sum of) { return (double)of.sum / (double)of.count; }

static grey_sum inside_of(const mask *from, const region *of)
{
    grey_sum found = {0, of->area};
    for (int32_t k = 0; k < of->count; k++) {
        const uint8_t *grey = from->grey + of->runs[k].row * from->width;
        for (int32_t x = of->runs[k].start; x < of->runs[k].stop; x++)
            found.sum += grey[x];
    }
    return found;
}

/* Set what row y of the region, spread by the disc, covers: `line` begins at column `left`. */
static void spread_row(const region *of, int32_t first, int64_t y, uint8_t *line, int64_t left, int64_t right)
{
    for (int32_t k = first; k < of->count && of->runs[k].row <= y + RING; k++) {
        int64_t off = of->runs[k].row - y, reach = REACH[off < 0 ? -off : off];
        int64_t start = larger(left, of->runs[k].start - reach), stop = smaller(right, of->runs[k].stop + reach);
        memset(line + (start - left), 1, (size_t)(stop - start));
    }
}

static bool around(const mask *from, const region *of, contrast_scratch *scratch, grey_sum *found)
{
    int64_t left = larger(0, (int64_t)of->left - RING), right = smaller(from->width, (int64_t)of->right + RING);
    int64_t top = larger(0, (int64_t)of->top - RING), bottom = smaller(from->height, (int64_t)of->bottom + RING);
    if (!reserve(&scratch->line, (size_t)(right - left), 1))
        return false;
    uint8_t *line = scratch->line.at;
    int32_t first = 0;
    for (int64_t y = top; y < bottom; y++) {
        memset(line, 0, (size_t)(right - left));
        while (of->runs[first].row < y - RING)
            first++;
        spread_row(of, first, y, line, left, right);
        const uint8_t *pixels = from->pixels + y * from->width + left, *grey = from->grey + y * from->width + left;
        for (int64_t x = 0; x < right - left; x++) {
            int free = line[x] & (pixels[x] == 0);
            found->sum += free ? grey[x] : 0;
            found->count += free;
        }
    }
    return true;
}

static grey_sum elsewhere(const mask *from)
{
    grey_sum found = {0, 0};
    for (int64_t k = 0; k < from->height * from->width; k++)
        if (!from->pixels[k]) {
            found.sum += from->grey[k];
            found.count++;
        }
    return found;
}

bool contrast_of(const mask *from, const region *of, contrast_scratch *scratch, double *contrast)
{
    grey_sum ring = {0, 0};
    if (!around(from, of, scratch, &ring))
        return false;
    if (!ring.count && scratch->elsewhere_of != from) {
        grey_sum free = elsewhere(from);
        scratch->elsewhere_of = from;
        scratch->any_elsewhere = free.count > 0;
        scratch->elsewhere = free.count ? mean_of(free) : 0;
    }
    if (ring.count)
        *contrast = mean_of(inside_of(from, of)) - mean_of(ring);
    else if (scratch->any_elsewhere)
        *contrast = mean_of(inside_of(from, of)) - scratch->elsewhere;
    return true;
}

void release_contrast(contrast_scratch *of) { release(&of->line); }
