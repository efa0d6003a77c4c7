# tests/faults/__init__.py
"""What must hold when everything that can go wrong does: duplicates, disorder, killed workers, races, throttles."""
