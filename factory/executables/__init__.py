"""Read ELF, Mach-O and PE files, and the signatures in them."""
