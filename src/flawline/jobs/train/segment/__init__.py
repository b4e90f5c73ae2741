"""Segmenters of defect classes, learnt from pictures with masks. The modules below need the extra [train]."""
