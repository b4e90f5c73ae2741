#include "hull.h"

#include <stdlib.h>

/* Add a point to a chain that goes downwards on the left; what then lies right of or on a line is no corner. */
static int32_t extend(point *chain, int32_t count, point added)
{
    while (count >= 2) {
        const point *a = chain + count - 2, *b = chain + count - 1;
        if ((b->x - a->x) * (added.y - a->y) < (b->y - a->y) * (added.x - a->x))
            break;
        count--;
    }
    chain[count] = added;
    return count + 1;
}

bool find_hull(const region *around, hull *into)
{
    size_t rows = (size_t)(around->bottom - around->top);
    if (!reserve(&into->corners, 2 * rows, sizeof(point)) || !reserve(&into->other, rows, sizeof(point)))
        return false;
    point *left = into->corners.at, *right = into->other.at;
    int32_t on_left = 0, on_right = 0;
    for (int32_t k = 0; k < around->count;) {
        const run *first = around->runs + k;
        while (k < around->count && around->runs[k].row == first->row)
            k++;
        point begin = {first->start, first->row}, end = {1 - around->runs[k - 1].stop, first->row};
        on_left = extend(left, on_left, begin);
        on_right = extend(right, on_right, end);
    }
    into->count = on_left;
    for (int32_t k = on_right - 1; k >= 0; k--) {
        /* Where left and right are the same pixel it must count once. */
        const point *same = k ? left + on_left - 1 : left;
        if ((k && k < on_right - 1) || same->x != -right[k].x || same->y != right[k].y) {
            point corner = {-right[k].x, right[k].y};
            left[into->count++] = corner;
        }
    }
    return true;
}

int64_t common_divisor(int64_t a, int64_t b)
{
    a = llabs(a);
    b = llabs(b);
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

double convex_area(const hull *of)
{
    const point *corners = of->corners.at;
    int64_t doubled = 0, border = 0;
    for (int32_t k = 0; k < of->count; k++) {
        const point *a = corners + k, *b = corner_after(of, k);
        doubled += b->x * a->y - a->x * b->y;
        border += common_divisor(b->x - a->x, b->y - a->y);
    }
    return (double)llabs(doubled) / 2 + (double)border / 2 + 1;
}

void release_hull(hull *of)
{
    release(&of->corners);
    release(&of->other);
    release(&of->turned);
}
