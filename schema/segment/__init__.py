# schema/segment/__init__.py
"""Segments and their queries, as clients see them."""
