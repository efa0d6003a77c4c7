# crm/loyalty/bonuses/joining.py
"""What taking part gives, once. Pure."""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from crm.customers.standing import Standing, takes_part
from crm.loyalty import expiry
from crm.loyalty.ledger import movements
from crm.loyalty.ledger.movements import Account, Moved, Occasion
from crm.loyalty.programme import Programme

SIGNUP: Final = "account:enroll:signup"


def welcome(
    account: Account,
    programme: Programme,
    customer: Standing | None,
    *,
    enrolled_at: datetime | None,
    occasion: Occasion,
    lives_from: datetime | None = None,
) -> Moved | None:
    """What somebody is given who takes part from now on, or with these first points. None: they did before, nothing is
    given for it, or not to them. `enrolled_at`: since when they do, as it was before; `lives_from`: from when it lives,
    where that is not when it was given.
    """
    points = programme.bonuses.signup
    if enrolled_at is not None or not points or customer is None or not takes_part(customer):
        return None
    pool = expiry.pool_for(lives_from or occasion.occurred_at, programme.expiry, programme.zone)
    return movements.earn(account, points, pool=pool, occasion=replace(occasion, cause=SIGNUP, order_id=None))
