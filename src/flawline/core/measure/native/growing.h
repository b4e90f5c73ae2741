/* The result as it grows; the public part is filled in at the end. */
#ifndef FLAWLINE_GROWING_H
#define FLAWLINE_GROWING_H

#include "outline.h"

typedef struct {
    result public;
    buffer table, ring_sizes, ring_points, runs;
} growing;

/* A row of the table, all 0; NULL where there is no memory. */
double *new_row(growing *to);
/* The outer contours of the region of the last row. */
bool keep_contours(const outline *borders, growing *to);
/* The runs of a mask whose regions have the last rows. */
bool keep_runs(const regions *found, int32_t picture, growing *to);
void finish(growing *made);
void discard(growing *made);

#endif
