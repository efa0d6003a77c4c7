# tests/unit/infra/__init__.py
