# schema/__init__.py
"""The public GraphQL contract."""
