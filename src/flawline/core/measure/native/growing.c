#include "growing.h"

#include <stdlib.h>
#include <string.h>

double *new_row(growing *to)
{
    if (!reserve(&to->table, (size_t)to->public.defects + 1, COLUMNS * sizeof(double)))
        return NULL;
    double *row = (double *)to->table.at + COLUMNS * to->public.defects++;
    memset(row, 0, COLUMNS * sizeof(double));
    return row;
}

bool keep_contours(const outline *borders, growing *to)
{
    for (size_t k = 0; k < borders->ring_count; k++) {
        const ring *one = (const ring *)borders->rings.at + k;
        if (!one->outer)
            continue;
        size_t points = (size_t)to->public.points, rings = (size_t)to->public.rings;
        if (!reserve(&to->ring_sizes, rings + 1, 2 * sizeof(int32_t)) ||
            !reserve(&to->ring_points, points + (size_t)one->count, 2 * sizeof(float)))
            return false;
        int32_t *sizes = (int32_t *)to->ring_sizes.at + 2 * rings;
        float *next = (float *)to->ring_points.at + 2 * points;
        sizes[0] = (int32_t)(to->public.defects - 1);
        sizes[1] = one->count;
        const place *from = (const place *)borders->points.at + one->first;
        for (int32_t j = 0; j < one->count; j++) {
            *next++ = (float)(from[j].x + 0.5);
            *next++ = (float)(from[j].y + 0.5);
        }
        to->public.rings++;
        to->public.points += one->count;
    }
    return true;
}

bool keep_runs(const regions *found, int32_t picture, growing *to)
{
    int64_t first = to->public.defects - found->count;
    for (int32_t k = 0; k < found->run_count; k++) {
        int32_t label = ((const int32_t *)found->label.at)[k];
        if (label < 0)
            continue;
        if (!reserve(&to->runs, (size_t)to->public.runs + 1, 6 * sizeof(int32_t)))
            return false;
        const run *one = (const run *)found->runs.at + k;
        int32_t row[6] = {picture, one->row, one->start, one->stop, one->value, (int32_t)(first + label)};
        memcpy((int32_t *)to->runs.at + 6 * to->public.runs++, row, sizeof row);
    }
    return true;
}

void finish(growing *made)
{
    made->public.table = made->table.at;
    made->public.ring_sizes = made->ring_sizes.at;
    made->public.ring_points = made->ring_points.at;
    made->public.run_table = made->runs.at;
}

void discard(growing *made)
{
    if (!made)
        return;
    release(&made->table);
    release(&made->ring_sizes);
    release(&made->ring_points);
    release(&made->runs);
    free(made);
}
