/* How wide a region is: the largest circle inside its contours, as widths.py has it. */
#ifndef FLAWLINE_WIDTH_H
#define FLAWLINE_WIDTH_H

#include "outline.h"

typedef struct {
    buffer offsets, up, down;               /* of the pixels of the region */
    buffer corners, corner_offsets, around; /* of the corners between them */
} depths;

/* The diameter of the largest circle inside, px, in `*width`. */
bool largest_width(const region *of, const outline *borders, depths *scratch, double *width);
/* Sum over the `ends` of a skeleton of the distance to the nearest pixel outside less 1/2, and how many there are. */
double radii_at_ends(const frame *of, const uint64_t *bits, const uint64_t *ends, int64_t *count);
void release_depths(depths *of);

#endif
