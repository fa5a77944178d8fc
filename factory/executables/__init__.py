"""Read ELF, Mach-O and PE files at offsets and within bounds."""
