# schema/loyalty/__init__.py
"""Points, as clients see them."""
