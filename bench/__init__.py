# bench/__init__.py
"""How much it costs: counted requests, ratios to named baselines measured in the same run, and latencies."""
