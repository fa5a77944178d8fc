"""Ask stock tools about a wheel: auditwheel, delocate and delvewheel.

The programs ``*_facts.py`` are run as ``PROGRAM REQUEST ANSWER`` with two JSON files, each in a
process of its own. auditwheel changes the working directory, all three cache by path and log as they
like, and no tool limits what a hostile file may cost. The programs import nothing from the factory
and only return facts, which `factory.verify.stock.stock_findings` interprets.
"""
