# tests/unit/api/__init__.py
