/* How much darker or lighter a region is than its surroundings. */
#ifndef FLAWLINE_CONTRAST_H
#define FLAWLINE_CONTRAST_H

#include "regions.h"

typedef struct {
    buffer line;
    const mask *elsewhere_of; /* the mask whose free pixels were summed up last */
    double elsewhere;
    bool any_elsewhere;
} contrast_scratch;

/* Mean grey of the region less that of the pixels of no class within 5 px, else of all of the mask's: see pixels.py. */
bool contrast_of(const mask *from, const region *of, contrast_scratch *scratch, double *contrast);
void release_contrast(contrast_scratch *of);

#endif
