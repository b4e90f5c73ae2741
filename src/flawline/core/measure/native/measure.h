/* What the library gives to Python (structures.py holds the same): masks in, a table of defects out. */
#ifndef FLAWLINE_MEASURE_H
#define FLAWLINE_MEASURE_H

#include <stdint.h>

/* To be counted up with every change of what is declared here; compiled.py uses no other number than its own. */
#define FLAWLINE_INTERFACE 1

#if defined(_WIN32)
#define FLAWLINE_PUBLIC __declspec(dllexport)
#else
#define FLAWLINE_PUBLIC __attribute__((visibility("default")))
#endif

/* Columns of the table, in the order of `columns.NAMES`, after the place of the mask and the class. */
enum {
    PICTURE, VALUE,
    AREA, CONTOUR_AREA, CIRCLE_X, CIRCLE_Y, CIRCLE_RADIUS,
    RECTANGLE_X, RECTANGLE_Y, RECTANGLE_LENGTH, RECTANGLE_WIDTH, RECTANGLE_ANGLE,
    SKELETON_LENGTH, MEAN_WIDTH, MAX_WIDTH, PERIMETER, CONVEX_AREA, SOLIDITY, CIRCULARITY, ECCENTRICITY,
    LEFT, TOP, WIDTH, HEIGHT, CENTROID_X, CENTROID_Y, EDGE_DISTANCE, NEAREST_DISTANCE,
    CLUSTER, HOLES, PIECES, TOUCHES_BORDER, CONTRAST,
    COLUMNS
};

/* Groups of columns that are computed only where they are wanted. */
enum {
    WANT_CIRCLE = 1, WANT_RECTANGLE = 2, WANT_CONVEX = 4, WANT_MOMENTS = 8, WANT_NEAREST = 16, WANT_CLUSTER = 32,
    WANT_OUTLINE = 64, WANT_SKELETON = 128, WANT_CONTOURS = 256, WANT_RUNS = 512
};

enum { DONE = 0, NO_MEMORY = 1 };

typedef struct {
    const uint8_t *pixels; /* height x width, row after row, 0 background */
    const uint8_t *grey;   /* the picture in grey, of the same size, or NULL: then there is no contrast */
    int64_t height, width; /* at least 1; fewer than 2^31 pixels together */
} mask;

typedef struct {
    int64_t wanted;   /* WANT_... */
    int64_t smallest; /* pixels of the smallest defect that counts */
    double merge;     /* largest gap between pieces of one defect, below 0 for none, px */
    double cluster;   /* largest gap between neighbours of one cluster, px */
} wishes;

typedef struct {
    int64_t defects, rings, points, runs;
    const double *table;       /* defects x COLUMNS */
    const int32_t *ring_sizes; /* rings x 2: the defect, how many points */
    const float *ring_points;  /* points x 2 */
    const int32_t *run_table;  /* runs x 6: picture, row, start, stop, value, defect */
} result;

FLAWLINE_PUBLIC int64_t flawline_interface(void);
/* library.sources_digest() of what it was compiled from. */
FLAWLINE_PUBLIC const char *flawline_sources(void);

/* Measure `count` masks. Returns DONE or NO_MEMORY; `*found` is to be given back to flawline_free. */
FLAWLINE_PUBLIC int flawline_measure(const mask *masks, int64_t count, const wishes *wish, result **found);
FLAWLINE_PUBLIC void flawline_free(result *found);

#endif
