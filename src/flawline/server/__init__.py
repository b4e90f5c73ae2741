"""The page and its API: routes in, one call, shapes out. Needs the extra [serve]."""
