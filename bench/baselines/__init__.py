# bench/baselines/__init__.py
"""The least that does something of the kind: what our own is measured against."""
