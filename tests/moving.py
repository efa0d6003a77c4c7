# tests/moving.py
"""Customers and orders moved in and out of a running system by file, as staff do it over HTTP."""

from dataclasses import dataclass
from typing import Any, Final

from tests.local_system import LocalSystem

AS_OF: Final = "2026-03-01T00:00:00Z"
OPERATION: Final = """id status progress { bytesDone bytesTotal rows applied waiting refused } faults { path code }
  ignoredColumns uploadUrl resultUrl"""
SEEN: Final = f"query ($id: ID!) {{ operation(id: $id) {{ {OPERATION} }} }}"
START: Final = """mutation ($input: ImportStartInput!) {
  importStart(input: $input) { operation { status } userErrors { code } } }"""


@dataclass(frozen=True)
class Mover:
    """Somebody on the staff of a shop. Each import and export is told apart by its `key`."""

    system: LocalSystem
    shop: str

    def asked_for(self, name: str, key: str, **given: Any) -> dict[str, Any]:
        """A new operation, or the one that was asked for with this key before."""
        standard = {"source": "moved", "asOf": AS_OF, "format": "CSV"} if name.endswith("Import") else {}
        text = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{
            {name}(input: $input) {{ operation {{ {OPERATION} }} userErrors {{ code field }} }} }}"""
        asked = {"idempotencyKey": key} | standard | given
        payload = self.system.ask(text, shop=self.shop, input=asked)[name]
        assert payload["userErrors"] == []
        operation: dict[str, Any] = payload["operation"]
        return operation

    def started(self, name: str, key: str, text: str, **given: Any) -> str:
        """An import that has begun; its id."""
        operation = self.asked_for(name, key, **given)
        self.system.http.put(operation["uploadUrl"], content=text.encode()).raise_for_status()
        payload = self.system.ask(START, shop=self.shop, input={"id": operation["id"]})["importStart"]
        assert payload["userErrors"] == []
        return str(operation["id"])

    def seen(self, operation_id: str) -> dict[str, Any]:
        operation: dict[str, Any] = self.system.ask(SEEN, shop=self.shop, id=operation_id)["operation"]
        return operation

    def is_over(self, operation_id: str) -> bool:
        return self.seen(operation_id)["status"] in {"DONE", "FAILED", "CANCELLED"}

    def result(self, operation_id: str) -> str:
        """What came of it, downloaded."""
        return self.system.http.get(self.seen(operation_id)["resultUrl"]).raise_for_status().content.decode()
