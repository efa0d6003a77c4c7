# infra/local/dispatcher/__init__.py
"""Calls the template's handlers as Lambda would: `python -m infra.local.dispatcher`."""
