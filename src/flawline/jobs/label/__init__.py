"""Sets of pictures whose masks people draw: who drew what, in which version, and the files that training reads."""
