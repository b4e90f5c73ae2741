/* Skeletons of regions by thinning, 64 pixels at a time; skeleton.py says by which papers. */
#ifndef FLAWLINE_SKELETON_H
#define FLAWLINE_SKELETON_H

#include "bitmap.h"

typedef struct {
    buffer words;
    uint64_t *bits, *ends;                 /* the skeleton and its end pixels, in the frame of the region */
    uint64_t *near_forks, *before, *loose; /* of prune */
} skeleton;

/* The skeleton of the region in `bits`, without side branches of at most the steps of prune. */
bool thin(const frame *of, const uint64_t *bits, skeleton *into);
void prune(const frame *of, skeleton *from, int64_t reach);
/* Length from end pixel to end pixel; finds the end pixels. */
double chain_length(const frame *of, skeleton *from);
void release_skeleton(skeleton *of);

#endif
