# tests/unit/schema/__init__.py
