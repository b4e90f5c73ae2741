/* Gaps between the regions of one mask, from pixel edge to pixel edge. */
#ifndef FLAWLINE_GAPS_H
#define FLAWLINE_GAPS_H

#include "regions.h"

typedef struct {
    int32_t left, top, right, bottom; /* right and bottom: after the last */
} box;

/* A few runs of one region that follow each other, so that its pieces near by are found without all the others. */
typedef struct {
    box around;
    int32_t region, first, count;
} chunk;

/* What several chunks or nodes have around them; their region, or -1 where they are of more than one. */
typedef struct {
    box around;
    int32_t region;
} node;

/* Node k of a level holds nodes FAN k up to FAN (k + 1) of the level below; at the bottom there is one for each chunk. */
typedef struct {
    buffer chunks, nodes, scratch;
    int32_t levels;
    int32_t first[12], count[12]; /* of each level, in `nodes` */
} tree;

bool plant(const regions *of, tree *into);
/* For each region the gap to the nearest other one, infinite where it is alone: (regions,). */
bool nearest_gaps(const regions *of, tree *in, double *gap);
/* Groups of regions with gaps of at most `limit`, numbered by their first region; their number in `*count`. */
bool group_regions(const regions *of, tree *in, double limit, bool same_class, int32_t *group, int32_t *count);
void release_tree(tree *of);

#endif
