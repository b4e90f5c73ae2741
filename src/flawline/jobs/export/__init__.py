"""A recipe's detector as a model for other runtimes, compared with the recipe before anything is written."""
