# crm/loyalty/verification/auditing.py
"""Ledgers verified as an operation: those that are too long for anybody to wait for."""

from datetime import datetime
from typing import Final

from crm.kernel import operations
from crm.kernel.actor import Actor
from crm.kernel.errors import Fault, NotFound, Stale
from crm.kernel.operations import DONE, GOING_ON, QUEUED, Operation
from crm.loyalty.ledger.refusals import LedgerTooLong
from crm.loyalty.verification.judging import Finding, Flaw
from crm.loyalty.verification.verifying import Verified, verify

VERIFICATION: Final = "ledger_verification"
MOST_ENTRIES: Final = 50_000
"""Of a ledger: it is worked out in one step, and a step has two minutes."""
MOST_TOLD: Final = 100
WHOSE, ENTRIES, FINDINGS = "customerId", "entries", "findings"


def ask_to_verify(
    shop: str, customer_id: str, *, actor: Actor, idempotency_key: str, now: datetime
) -> tuple[Operation, bool]:
    """A new verification, on its way; True beside it where an earlier call with this key asked for it: it is sent on.

    Raises InvalidInputs, KeyReused.
    """
    operation, replayed = operations.ask_for(
        shop, VERIFICATION, {WHOSE: customer_id}, status=QUEUED, actor=actor, idempotency_key=idempotency_key, now=now
    )
    if operation.status in GOING_ON:
        operations.send_on(operation)
    return operation, replayed


def step(operation: Operation, *, patient: bool, now: datetime) -> None:  # noqa: ARG001  as of what is stored
    """All of it: entries are in no order by which a part of them could be worked out."""
    try:
        found = verify(operation.shop, operation.arguments[WHOSE], most=MOST_ENTRIES)
    except NotFound:
        found = Verified(0, [])
    except (LedgerTooLong, Stale) as refusal:
        if patient and isinstance(refusal, Stale):
            raise
        operation.fail([Fault("", refusal.code, str(refusal))])
        return
    findings = [[str(one.flaw), one.place] for one in found.findings[:MOST_TOLD]]
    operation.state = {ENTRIES: found.entry_count, FINDINGS: findings}
    operation.row_count, operation.status = found.entry_count, DONE


def verified(operation: Operation) -> Verified | None:
    """What a verification has come to; None of another operation, and until it is done."""
    if operation.name != VERIFICATION or operation.status != DONE:
        return None
    findings = [Finding(Flaw(flaw), place) for flaw, place in operation.state[FINDINGS]]
    return Verified(int(operation.state[ENTRIES]), findings)
