# infra/local/__init__.py
"""The whole of Rapport on one machine: `python -m infra.local.dev`."""
