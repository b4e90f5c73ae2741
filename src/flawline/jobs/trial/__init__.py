"""Train a recipe and judge it by pictures that were held out before."""
