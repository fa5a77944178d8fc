"""The bill of materials that our recipe puts into a wheel (PEP 770)."""
