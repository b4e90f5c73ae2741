"""`python -m flawline`."""

from flawline.cli.main import main

main()
