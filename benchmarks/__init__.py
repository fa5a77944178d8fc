"""Measures the factory on the machine at hand: ``python -m benchmarks``, or ``make bench``.

Each thing measured runs in a process of its own, so that its time, memory and input and
output are its own. Beside the factory stand what upstream does and a floor that no
factory can go below, all in one run: ratios between them hold on a busy machine, too.
"""
