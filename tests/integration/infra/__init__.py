# tests/integration/infra/__init__.py
