#include "bitmap.h"

#include <string.h>

static void set_bits(uint64_t *row, int64_t start, int64_t stop)
{
    int64_t first = start >> 6, last = (stop - 1) >> 6;
    uint64_t from = ~UINT64_C(0) << (start & 63), to = ~UINT64_C(0) >> (63 - ((stop - 1) & 63));
    if (first == last) {
        row[first] |= from & to;
        return;
    }
    row[first] |= from;
    for (int64_t k = first + 1; k < last; k++)
        row[k] = ~UINT64_C(0);
    row[last] |= to;
}

void draw_region(const region *from, const frame *of, uint64_t *bits)
{
    memset(bits - 1, 0, plane_of(of) * sizeof *bits);
    for (int32_t k = 0; k < from->count; k++) {
        const run *drawn = from->runs + k;
        uint64_t *row = bits + ((int64_t)drawn->row - of->top + 1) * of->wide;
        set_bits(row, (int64_t)drawn->start - of->left + 1, (int64_t)drawn->stop - of->left + 1);
    }
}
