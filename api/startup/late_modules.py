# api/startup/late_modules.py
"""Modules that libraries import and never ask for anything here: each is read when it is first asked."""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from typing import Final

LATE: Final = ("cryptography.x509",)
"""PyJWT takes keys out of certificates, too; issuers' keys come without."""


def begin() -> None:
    for name in LATE:
        spec = find_spec(name)
        assert spec is not None, name
        if name in sys.modules or spec.loader is None:
            continue
        spec.loader = LazyLoader(spec.loader)
        sys.modules[name] = late = module_from_spec(spec)
        spec.loader.exec_module(late)
        package, _, last = name.rpartition(".")
        setattr(sys.modules[package], last, late)  # else to import it from there would ask it
