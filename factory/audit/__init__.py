"""Say of published wheels whether they are what they claim: infer the recipe, rebuild, compare."""
