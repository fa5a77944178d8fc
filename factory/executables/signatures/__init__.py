"""Who signed what is inside: one honest level for every executable, from its own bytes."""
