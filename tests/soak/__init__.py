"""Whole runs of the program under kills, full disks, other runs, damage and hostile servers.

``make soak`` runs it for a given time. It is not a test of the gate: its choices are random, it takes
as long as it is allowed to, and the full disks need the right to mount.
"""
