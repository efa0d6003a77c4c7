# api/documents.py
"""Documents by their hash: those we trust, which are committed, and those that apps register as they go (0046)."""

import asyncio
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from api.answers import BadRequest
from api.charges import charge
from crm.kernel import documents
from crm.kernel.table import STORE_ERRORS
from schema.budget import Budgets
from schema.limits import MOST_CHARACTERS, MUTATION_COST
from schema.operations import MANIFEST
from schema.principal import Kind, Principal

logger = logging.getLogger(__name__)

MOST_KNOWN: Final = 1_000
LOOKUP_COST: Final = 1
REGISTRARS: Final = frozenset({Kind.CUSTOMER, Kind.STAFF})
"""Whose apps have screens. A visitor's token is to be had by everybody, and a service sends events."""
HASH = re.compile(r"[0-9a-f]{64}")


class Known(NamedTuple):
    """A registered document in memory."""

    text: str
    until: datetime


class Documents:
    """`trusted_only`: whatever is not in the manifest is refused, and nothing is registered."""

    def __init__(self, *, trusted_only: bool = False, budgets: Budgets | None = None) -> None:
        self._trusted: dict[str, str] = json.loads(MANIFEST.read_text())
        self._trusted_only = trusted_only
        self._budgets = budgets
        self._known: OrderedDict[tuple[str, str], Known] = OrderedDict()

    async def text(self, sha256: str | None, given: str | None, principal: Principal, *, now: datetime) -> str:
        """The document a request means. To ask the store for it costs a point, whether it is there or not. Raises
        BadRequest.

        The text of a known hash is the same object each time, so that looking up its plan hashes nothing anew.
        """
        if given is not None:
            if sha256 is not None and documents.hash_of(given) != sha256:
                raise BadRequest(400, "BAD_REQUEST", "The document is not of this hash.")
            if self._trusted_only and documents.hash_of(given) not in self._trusted:
                raise BadRequest(403, "PERSISTED_QUERY_ONLY", "Only documents of the manifest are served.")
            return given
        if sha256 is None:
            raise BadRequest(400, "BAD_REQUEST", "query must be a non-empty string, or documentId name a document.")
        if sha256 in self._trusted:
            return self._trusted[sha256]
        if self._trusted_only:
            raise BadRequest(400, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        shop = principal.shop
        known = self._remembered(shop, sha256, now)
        if known is not None:
            return known
        await charge(self._budgets, principal, LOOKUP_COST)
        found = await self._stored(shop, sha256, now)
        if found is None:
            raise BadRequest(400, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        self._remember(shop, sha256, found, now)
        return found

    async def register(self, sha256: str, text: str, principal: Principal, *, now: datetime) -> None:
        """Keep a document that has been answered: so it fits the schema, its limits and somebody's rights. It costs as
        much as a mutation; who has no points left registers it another time.
        """
        if self._trusted_only or sha256 in self._trusted or principal.kind not in REGISTRARS:
            return
        if self._remembered(principal.shop, sha256, now) is not None:
            return
        charged = await self._budgets.charge(principal, MUTATION_COST, now=now) if self._budgets else None
        if len(text) > MOST_CHARACTERS or (charged is not None and charged.wait > 0):
            return
        try:
            await asyncio.to_thread(documents.keep, principal.shop, text, now=now)
        except STORE_ERRORS as error:
            logger.warning("a document was not registered: %s", type(error).__name__)
            return
        self._remember(principal.shop, sha256, text, now)

    async def _stored(self, shop: str, sha256: str, now: datetime) -> str | None:
        try:
            return await asyncio.to_thread(documents.read, shop, sha256, now=now)
        except STORE_ERRORS as error:
            logger.warning("a document could not be read: %s", type(error).__name__)
            return None  # the client sends it whole

    def _remembered(self, shop: str, sha256: str, now: datetime) -> str | None:
        """What is in memory, for a day: then the store is asked again, and so is told that the document is used."""
        known = self._known.get((shop, sha256))
        if known is None or known.until <= now:
            return None
        self._known.move_to_end((shop, sha256))
        return known.text

    def _remember(self, shop: str, sha256: str, text: str, now: datetime) -> None:
        self._known[shop, sha256] = Known(text, now + documents.RENEWED)
        self._known.move_to_end((shop, sha256))
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def hash_named(body: Mapping[str, Any]) -> str | None:
    """The hash by which a request names its document: `documentId`, or Apollo's `extensions.persistedQuery`.

    Raises BadRequest for what is no SHA-256, and where the two differ.
    """
    extensions = body.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, Mapping) else None
    named = []
    if persisted is not None:
        if not isinstance(persisted, Mapping) or persisted.get("version") != 1:
            raise BadRequest(400, "BAD_REQUEST", "extensions.persistedQuery must have version 1.")
        named.append(persisted.get("sha256Hash"))
    if body.get("documentId") is not None:
        named.append(str(body["documentId"]).removeprefix("sha256:"))
    if not all(isinstance(name, str) and HASH.fullmatch(name) for name in named) or len(set(named)) > 1:
        raise BadRequest(400, "BAD_REQUEST", "A document is named by one SHA-256, in hexadecimal.")
    return named[0] if named else None
