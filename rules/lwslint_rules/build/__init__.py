"""Rules about builds and about the files that configure programs."""
