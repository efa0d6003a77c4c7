# crm/kernel/service_models.py
"""How botocore's descriptions of AWS's services are read: as it reads them, in half the time (docs/decisions/0100).

A process makes its first client when it starts, and half of that goes into descriptions: json decodes them pair by
pair, and to find that one service is there botocore looks for files in the folders of all 400, twice.
"""

import gzip
from contextlib import suppress
from os import pathsep, scandir
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session
from msgspec import json


class Descriptions(JSONFileLoader):
    def load_file(self, file_path: str) -> Any:
        with suppress(FileNotFoundError):
            return json.decode(Path(f"{file_path}.json").read_bytes())
        with suppress(FileNotFoundError):
            return json.decode(gzip.decompress(Path(f"{file_path}.json.gz").read_bytes()))
        return None


class Services(Loader):
    """Takes what has a folder for a service. One without a description is still refused where that is asked for."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  the signature is botocore's
        found: set[str] = set()
        for path in self.search_paths:
            with suppress(FileNotFoundError), scandir(path) as entries:
                found.update(entry.name for entry in entries if entry.is_dir())
        return sorted(found)


def _prepare(session: Session) -> None:
    def services() -> Services:
        more_paths = session.get_config_variable("data_path")
        return Services(more_paths.split(pathsep) if more_paths else None, Descriptions())

    session.lazy_register_component("data_loader", services)


botocore.register_initializer(_prepare)
