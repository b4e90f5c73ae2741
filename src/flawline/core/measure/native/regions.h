/* Masks as runs of pixels, and the 8-connected regions that runs form. */
#ifndef FLAWLINE_REGIONS_H
#define FLAWLINE_REGIONS_H

#include "measure.h"
#include "memory.h"

/* Pixels `start` up to but without `stop` of one row that have one class. */
typedef struct {
    int32_t row, start, stop, value;
    int32_t touching; /* runs of the row above that touch it, also by a corner */
    int64_t inside;   /* twice the area between pixel centres of this run and of those above */
} run;

typedef struct {
    const run *runs; /* from top to bottom, then from left to right */
    int32_t count;
    int32_t left, top, right, bottom; /* right and bottom: after the last */
    int32_t value;
    int32_t pieces;
    int64_t area, touching, inside;
} region;

/* All regions of one mask. */
typedef struct {
    buffer runs, root, label, grouped, regions, pieces, renumbered;
    int32_t run_count, count;
} regions;

bool find_runs(const mask *from, regions *into);
/* Group the runs; regions are numbered by their topmost leftmost pixel. */
bool label_runs(regions *of);
/* Number regions anew: `number[k]` for region k, -1 for one to leave out, below `count`. */
bool renumber(regions *of, const int32_t *number, int32_t count);
bool leave_out_small(regions *of, int64_t smallest);
void release_regions(regions *of);

static inline const region *region_at(const regions *of, int32_t k)
{
    return (const region *)of->regions.at + k;
}

static inline int64_t holes_of(const region *of)
{
    /* Every ring of touching runs closes one hole (Euler). */
    return of->pieces - of->count + of->touching;
}

/* The first of the tree of `k`, which is its smallest; the way there is made short. */
static inline int32_t root_of(int32_t *root, int32_t k)
{
    while (root[k] != k) {
        root[k] = root[root[k]];
        k = root[k];
    }
    return k;
}

static inline void unite(int32_t *root, int32_t one, int32_t other)
{
    one = root_of(root, one);
    other = root_of(root, other);
    if (one < other)
        root[other] = one;
    else
        root[one] = other;
}

static inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

#endif
