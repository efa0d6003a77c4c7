# crm/intake/models.py
"""What is stored about events that came in.

Key design (docs/access-patterns.md, AP-11, AP-100):
    ReceivedEvent  pk=SHOP#<shop>#EVENT#<event>  sk=EVENT   its key makes a repeat a no-op, forever
"""

from typing import Any, Self

from pynamodb.attributes import ListAttribute, UnicodeAttribute, UnicodeSetAttribute, UTCDateTimeAttribute

from crm.kernel.table import Correlated, Part

APPLIED, WAITING, DEAD_LETTERED = "applied", "waiting", "dead_lettered"


class Reason(Part):
    path = UnicodeAttribute()
    code = UnicodeAttribute()
    message = UnicodeAttribute()


class ReceivedEvent(Correlated, discriminator="ReceivedEvent"):
    """What became of an event. Its content is not kept; `content_hash` tells a repeat from another under its id."""

    event_id = UnicodeAttribute()
    type = UnicodeAttribute()
    status = UnicodeAttribute()
    content_hash = UnicodeAttribute()
    received_at = UTCDateTimeAttribute()
    occurred_at = UTCDateTimeAttribute(null=True)
    effect = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    ignored: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    """The paths of fields that its type does not know, where there are any."""
    reasons: ListAttribute[Reason] = ListAttribute(of=Reason, default=list)
    rejected_hashes = UnicodeSetAttribute(null=True)
    """Other contents that came under its id once it had its effect, and had none: a set, so that each counts once."""
    rejected_at = UTCDateTimeAttribute(null=True)
    rejected_reasons: ListAttribute[Reason] = ListAttribute(of=Reason, default=list)
    """Of the last of them."""

    @classmethod
    def of(cls, shop: str, event_id: str) -> Self:
        return cls(f"SHOP#{shop}#EVENT#{event_id}", "EVENT", event_id=event_id)
