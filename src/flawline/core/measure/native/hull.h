/* Convex hulls, and the smallest circles and rectangles around them. */
#ifndef FLAWLINE_HULL_H
#define FLAWLINE_HULL_H

#include "regions.h"

typedef struct {
    int64_t x, y;
} point;

/* Corners go down the left side, then up the right one. */
typedef struct {
    buffer corners, other, turned;
    int32_t count;
} hull;

bool find_hull(const region *around, hull *into);
double convex_area(const hull *of);
void enclosing_circle(const hull *of, double *row);
bool smallest_rectangle(hull *of, double *row);
int64_t common_divisor(int64_t a, int64_t b);
void release_hull(hull *of);

static inline const point *corner_after(const hull *of, int32_t k)
{
    return (const point *)of->corners.at + (k + 1 < of->count ? k + 1 : 0);
}

#endif
