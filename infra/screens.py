# infra/screens.py
"""The example operations in docs/api.md, as they are committed: a part of that page, written by `make schema`."""

import json
import re
from pathlib import Path
from typing import Final

from schema.operations import Operation, operations

API_PAGE: Final = Path(__file__).parents[1] / "docs" / "api.md"
PART = re.compile(r"<!-- operation: (?P<name>\w+) -->.*?<!-- end: (?P=name) -->", re.DOTALL)
COMMENTS = re.compile(r"^#.*\n", re.MULTILINE)


def rendered(page: str) -> str:
    """The page with its operations as they are now. Raises KeyError where one is gone."""
    known = {operation.name: operation for operation in operations()}
    return PART.sub(lambda found: _part(known[found["name"]]), page)


def _part(operation: Operation) -> str:
    lines = ["```graphql", COMMENTS.sub("", operation.text).strip(), "```"]
    if operation.variables:
        lines += ["", "```json", json.dumps(operation.variables, indent=2), "```"]
    return "\n".join([f"<!-- operation: {operation.name} -->", *lines, f"<!-- end: {operation.name} -->"])
