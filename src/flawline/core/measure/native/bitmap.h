/* One region on a frame of one empty pixel, 64 pixels to a word. A plane of such words is named by its second word. */
#ifndef FLAWLINE_BITMAP_H
#define FLAWLINE_BITMAP_H

#include "regions.h"

/* The pixel (x, y) of the mask is bit x - left + 1 of row y - top + 1; the lowest bit of a word is its leftmost pixel. */
typedef struct {
    int32_t left, top;
    int64_t high, wide; /* rows, words in a row */
} frame;

static inline frame frame_of(const region *around)
{
    frame made = {around->left, around->top, (int64_t)around->bottom - around->top + 2,
                  ((int64_t)around->right - around->left + 2 + 63) / 64};
    return made;
}

static inline size_t words_of(const frame *of) { return (size_t)(of->high * of->wide); }

/* A plane has one more word at both ends, which is 0. */
static inline size_t plane_of(const frame *of) { return words_of(of) + 2; }

static inline bool bit_at(const uint64_t *bits, const frame *of, int64_t x, int64_t y)
{
    return bits[y * of->wide + (x >> 6)] >> (x & 63) & 1;
}

static inline void set_bit(uint64_t *bits, const frame *of, int64_t x, int64_t y)
{
    bits[y * of->wide + (x >> 6)] |= UINT64_C(1) << (x & 63);
}

/* Draw a region into a plane; `bits` is its second word. */
void draw_region(const region *from, const frame *of, uint64_t *bits);

/* For each of 64 pixels its neighbour in one direction, as a bit in its place. */
typedef struct {
    uint64_t n, ne, e, se, s, sw, w, nw;
} neighbours;

/* The first and the last column are empty, so what comes over from the rows above and below where a row ends is 0. */
static inline uint64_t eastern(const uint64_t *at) { return at[0] >> 1 | at[1] << 63; }
static inline uint64_t western(const uint64_t *at) { return at[0] << 1 | at[-1] >> 63; }

/* Neighbours of the pixels of a word in a row that is neither the first nor the last of a plane. */
static inline neighbours neighbours_of(const uint64_t *at, int64_t wide)
{
    const uint64_t *north = at - wide, *south = at + wide;
    neighbours found = {north[0], eastern(north), eastern(at), eastern(south),
                        south[0], western(south), western(at), western(north)};
    return found;
}

#endif
