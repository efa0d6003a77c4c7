# api/startup/begun.py
"""Imported first, this begins a short start: imports come before all that is said."""

from api import startup

startup.begin()
