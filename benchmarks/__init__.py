"""Measure the factory on this machine: ``python -m benchmarks``, or ``make bench``.

Each measurement is a process of its own, so that time, memory and I/O are not shared. One run measures
the factory, upstream's method, and bare compression as a lower limit, so that the ratios between them
also hold on a busy machine.
"""
