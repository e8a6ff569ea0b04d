"""Build and configuration files: what they say, and which builds of the program follow from it."""
