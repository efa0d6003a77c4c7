# schema/customer/__init__.py
"""Customers, as clients see them."""
