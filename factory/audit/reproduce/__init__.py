"""Build a wheel again under named variations of its surroundings, and compare."""
