"""Views of pictures: resolution and windows, alignment, illumination, region of interest, foreground."""
