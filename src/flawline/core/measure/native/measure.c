/* The way of one mask: runs, regions, and for each region a row of the table. */
#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contrast.h"
#include "gaps.h"
#include "growing.h"
#include "hull.h"
#include "outline.h"
#include "skeleton.h"
#include "width.h"

/* What is kept from one region to the next, so that memory is asked for once. */
typedef struct {
    regions found;
    tree near;
    hull corners;
    outline borders;
    skeleton bones;
    depths inside;
    contrast_scratch shades;
    buffer drawn, groups, gaps, clusters;
} workspace;

static void sums(const mask *from, const region *of, double *row)
{
    int64_t aside = smaller(of->left, from->width - of->right), above = smaller(of->top, from->height - of->bottom);
    row[VALUE] = of->value;
    row[AREA] = (double)of->area;
    row[LEFT] = of->left;
    row[TOP] = of->top;
    row[WIDTH] = of->right - of->left;
    row[HEIGHT] = of->bottom - of->top;
    row[EDGE_DISTANCE] = (double)smaller(aside, above);
    row[TOUCHES_BORDER] = row[EDGE_DISTANCE] == 0;
    row[HOLES] = (double)holes_of(of);
    row[PIECES] = of->pieces;
}

/* Sums in the order of sums.moments, so that rounding is the same. */
static void moments(const region *of, double *row)
{
    double area = (double)of->area, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (int32_t k = 0; k < of->count; k++) {
        const run *one = of->runs + k;
        double length = one->stop - one->start;
        x += length * (((double)one->start + one->stop) / 2 - of->left);
        y += length * (one->row + 0.5 - of->top);
    }
    x /= area;
    y /= area;
    for (int32_t k = 0; k < of->count; k++) {
        const run *one = of->runs + k;
        double length = one->stop - one->start;
        double across = ((double)one->start + one->stop) / 2 - of->left - x, down = one->row + 0.5 - of->top - y;
        xx += length * (across * across) + length * (length * length - 1) / 12;
        yy += length * (down * down);
        xy += length * across * down;
    }
    xx /= area;
    yy /= area;
    xy /= area;
    double spread = hypot(xx - yy, 2 * xy), largest = xx + yy + spread;
    double share = largest > 0 ? (xx + yy - spread) / largest : 1;
    double square = 1 - share;
    row[CENTROID_X] = x + of->left;
    row[CENTROID_Y] = y + of->top;
    row[ECCENTRICITY] = sqrt(square < 0 ? 0 : square > 1 ? 1 : square);
}

static bool hull_columns(const region *of, int64_t wanted, hull *corners, double *row)
{
    if (!find_hull(of, corners))
        return false;
    if (wanted & WANT_CIRCLE)
        enclosing_circle(corners, row);
    if (wanted & WANT_CONVEX) {
        row[CONVEX_AREA] = convex_area(corners);
        row[SOLIDITY] = row[AREA] / row[CONVEX_AREA];
    }
    return !(wanted & WANT_RECTANGLE) || smallest_rectangle(corners, row);
}

static bool skeleton_columns(const region *of, const frame *in, const uint64_t *drawn, workspace *with, double *row)
{
    double widest;
    if (!largest_width(of, &with->borders, &with->inside, &widest) || !thin(in, drawn, &with->bones))
        return false;
    prune(in, &with->bones, (int64_t)ceil(0.75 * widest));
    double length = chain_length(in, &with->bones);
    int64_t ends;
    length += radii_at_ends(in, drawn, with->bones.ends, &ends);
    /* A single pixel is both ends of its skeleton. */
    if (ends == 1 && length < widest)
        length = widest;
    row[SKELETON_LENGTH] = length;
    row[MEAN_WIDTH] = row[AREA] / length;
    row[MAX_WIDTH] = widest;
    return true;
}

static bool shape_columns(const region *of, int64_t wanted, workspace *with, growing *to, double *row)
{
    const bool traced = wanted & (WANT_OUTLINE | WANT_SKELETON | WANT_CONTOURS);
    row[CONTOUR_AREA] = (double)of->inside / 2;
    /* The contour passes over holes, the sum does not. */
    if (!traced && !holes_of(of))
        return true;
    frame in = frame_of(of);
    if (!reserve(&with->drawn, plane_of(&in), sizeof(uint64_t)))
        return false;
    uint64_t *drawn = (uint64_t *)with->drawn.at + 1;
    draw_region(of, &in, drawn);
    if (!trace(of, &in, drawn, &with->borders))
        return false;
    row[CONTOUR_AREA] = area_inside(&with->borders);
    row[PERIMETER] = perimeter_of(&with->borders);
    double round = 4 * 3.141592653589793238462643383279502884 * row[AREA] / (row[PERIMETER] * row[PERIMETER]);
    row[CIRCULARITY] = round < 1 ? round : 1;
    if (wanted & WANT_CONTOURS && !keep_contours(&with->borders, to))
        return false;
    return !(wanted & WANT_SKELETON) || skeleton_columns(of, &in, drawn, with, row);
}

/* Columns that depend on the other regions of the mask, in `with->gaps` and `with->clusters`. */
static bool company(const wishes *wish, workspace *with)
{
    size_t count = (size_t)with->found.count;
    if (!(wish->wanted & (WANT_NEAREST | WANT_CLUSTER)))
        return true;
    if (!reserve(&with->gaps, count, sizeof(double)) || !reserve(&with->clusters, count, sizeof(int32_t)) ||
        !plant(&with->found, &with->near))
        return false;
    if (wish->wanted & WANT_NEAREST && !nearest_gaps(&with->found, &with->near, with->gaps.at))
        return false;
    int32_t groups;
    return !(wish->wanted & WANT_CLUSTER) ||
           group_regions(&with->found, &with->near, wish->cluster, false, with->clusters.at, &groups);
}

static bool find_regions(const mask *from, const wishes *wish, workspace *with)
{
    regions *found = &with->found;
    if (!find_runs(from, found) || !label_runs(found))
        return false;
    if (wish->merge >= 0 && found->count > 1) {
        int32_t groups;
        if (!reserve(&with->groups, (size_t)found->count, sizeof(int32_t)) || !plant(found, &with->near) ||
            !group_regions(found, &with->near, wish->merge, true, with->groups.at, &groups) ||
            !renumber(found, with->groups.at, groups))
            return false;
    }
    return wish->smallest <= 1 || leave_out_small(found, wish->smallest);
}

static bool measure_mask(const mask *from, int32_t picture, const wishes *wish, workspace *with, growing *to)
{
    if (!find_regions(from, wish, with) || !company(wish, with))
        return false;
    for (int32_t k = 0; k < with->found.count; k++) {
        const region *of = region_at(&with->found, k);
        double *row = new_row(to);
        if (!row)
            return false;
        row[PICTURE] = picture;
        sums(from, of, row);
        if (wish->wanted & WANT_MOMENTS)
            moments(of, row);
        if (wish->wanted & WANT_NEAREST)
            row[NEAREST_DISTANCE] = ((const double *)with->gaps.at)[k];
        if (wish->wanted & WANT_CLUSTER)
            row[CLUSTER] = ((const int32_t *)with->clusters.at)[k];
        if (wish->wanted & (WANT_CIRCLE | WANT_RECTANGLE | WANT_CONVEX) &&
            !hull_columns(of, wish->wanted, &with->corners, row))
            return false;
        if (!shape_columns(of, wish->wanted, with, to, row))
            return false;
        if (from->grey && !contrast_of(from, of, &with->shades, row + CONTRAST))
            return false;
    }
    return !(wish->wanted & WANT_RUNS) || keep_runs(&with->found, picture, to);
}

static void clear(workspace *with)
{
    release_regions(&with->found);
    release_tree(&with->near);
    release_hull(&with->corners);
    release_outline(&with->borders);
    release_skeleton(&with->bones);
    release_depths(&with->inside);
    release_contrast(&with->shades);
    buffer *all[] = {&with->drawn, &with->groups, &with->gaps, &with->clusters};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        release(all[k]);
}

#ifndef FLAWLINE_SOURCES
#define FLAWLINE_SOURCES ""
#endif

int64_t flawline_interface(void) { return FLAWLINE_INTERFACE; }

const char *flawline_sources(void) { return FLAWLINE_SOURCES; }

int flawline_measure(const mask *masks, int64_t count, const wishes *wish, result **found)
{
    workspace with;
    memset(&with, 0, sizeof with);
    growing *to = calloc(1, sizeof *to);
    *found = (result *)to;
    bool done = to != NULL;
    for (int64_t k = 0; done && k < count; k++)
        done = measure_mask(masks + k, (int32_t)k, wish, &with, to);
    clear(&with);
    if (!done)
        return NO_MEMORY;
    finish(to);
    return DONE;
}

void flawline_free(result *found) { discard((growing *)found); }
