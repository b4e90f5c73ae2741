"""Train segmenters of defect classes on pictures with masks. The modules below need the extra [train]."""
