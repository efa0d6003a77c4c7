# crm/kernel/settings.py
"""The environment, read once and checked as a whole."""

import os
from functools import lru_cache
from typing import Any

from msgspec import Struct


class Settings(Struct, frozen=True):
    """Each field is the environment variable of the same name in capitals; one without a default must be set by
    whoever uses it (an empty one is found at that use, by `require`).
    """

    crm_table: str = "crm"
    kpi_table: str = "kpis"
    aws_region: str = "eu-west-1"
    intake_queue_url: str = ""
    intake_dead_letters_url: str = ""
    dead_letters_url: str = ""
    operations_queue_url: str = ""
    domain_bus: str = ""
    intake_bus: str = ""
    archive_bucket: str = ""
    mail_configuration_set: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_jwks: str = ""
    cursor_secret: str = ""
    visitor_secret: str = ""
    cors_origins: str = ""
    point_budgets: str = ""
    persisted_only: str = ""
    crm_local: str = ""
    crm_local_key: str = ""
    crm_clock_file: str = ""

    def require(self, name: str) -> str:
        value: Any = getattr(self, name)
        if not value:
            raise RuntimeError(f"environment variable {name.upper()} is not set")
        return str(value)


@lru_cache(maxsize=1)
def settings() -> Settings:
    known = {name: os.environ.get(name.upper()) for name in Settings.__struct_fields__}
    return Settings(**{name: value for name, value in known.items() if value is not None})
