# api/__init__.py
"""The gateway."""
