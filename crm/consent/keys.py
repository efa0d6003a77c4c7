# crm/consent/keys.py
"""Idempotency keys: a call repeated has its effect once."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime

from crm.consent import repository
from crm.consent.models import UsedKey
from crm.kernel import texts
from crm.kernel.change import Change, PartlyDone, retrying
from crm.kernel.errors import Fault, KeyReused, Stale

LONGEST = 100  # characters


def faults(key: str) -> list[Fault]:
    return texts.faults("idempotencyKey", key, longest=LONGEST)


def name(key: str) -> str:
    """What stands for a key in item keys and causes: a key may hold any character."""
    return _hash(key)[:26]


def once(pk: str, key: str, arguments: object, gather: Callable[[Change], None], *, now: datetime) -> bool:
    """Commit what `gather` adds to a change, once; return whether an earlier call with this key did.

    The key is that partition's, for good: it is written with the effect. Raises KeyReused where it came with other
    arguments before, and what `gather` and the commit raise.
    """
    used = UsedKey.of(pk, name(key))
    used.arguments_hash = _hash(arguments)

    def attempt() -> bool:
        known = repository.get_used_key(used)
        if known is not None:
            if known.arguments_hash != used.arguments_hash:
                raise KeyReused("This key came with something else before.", field="idempotencyKey")
            return True
        change = Change(now)
        change.once(used)
        gather(change)
        try:
            done = change.commit()
        except PartlyDone as error:
            raise Stale from error
        if not done:
            raise Stale  # used meanwhile: for what, is read now
        return False

    return retrying(attempt)


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
