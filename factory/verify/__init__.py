"""What is wrong with a wheel: readers, checks, stock tools and reports."""
