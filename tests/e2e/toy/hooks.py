# tests/e2e/toy/hooks.py
"""What CRM_WORKER_HOOK may name: called in each container before its handler is imported."""


def install(function_name: str) -> None:
    print(f"hooked into {function_name}", flush=True)
