# infra/__init__.py
"""How Rapport runs: on a laptop (`local`) and on AWS."""
