"""Export the model of a recipe for other runtimes, compared with the recipe before anything is written."""
