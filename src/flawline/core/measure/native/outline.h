/* Contours of one region through the centres of its border pixels. */
#ifndef FLAWLINE_OUTLINE_H
#define FLAWLINE_OUTLINE_H

#include "bitmap.h"

/* A pixel of the mask. */
typedef struct {
    int32_t x, y;
} place;

typedef struct {
    size_t first; /* of its points */
    int32_t count;
    bool outer; /* else of a hole */
} ring;

typedef struct {
    buffer points, rings, marks;
    size_t point_count, ring_count;
} outline;

/* All contours, from the topmost leftmost pixel of each; only their corners are kept. */
bool trace(const region *from, const frame *of, const uint64_t *bits, outline *into);
double perimeter_of(const outline *of);
double area_inside(const outline *of);
/* From a place, in pixels from the centre of the first pixel of the mask, to the nearest point of the contours. */
double distance_to(const outline *of, double x, double y);
void release_outline(outline *of);

#endif
