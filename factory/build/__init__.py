"""Build wheels from a recipe and a payload: staging, toolchains, the two engines."""
