# crm/loyalty/service.py
"""What can be done with points. Called by resolvers and functions alike.

Every movement is one Change: its entry, the balances and what remains, under the condition of the account's `rev`. What
is due by then is settled first, so that nobody spends what has expired, or waits for what has matured.
"""

from crm.loyalty import repository, standing, stored
from crm.loyalty.chain import Balances
from crm.loyalty.holding import Hold, capture, hold, release
from crm.loyalty.ledger import Movement
from crm.loyalty.maturing import settle, wake
from crm.loyalty.models import HoldStatus, LedgerEntry, LoyaltyAccount, OrderEarning, PointsHold
from crm.loyalty.moving import Given, adjust, redeem, reverse
from crm.loyalty.orders import Posted, post_for_order
from crm.loyalty.posting import OWNER, is_due
from crm.loyalty.programme import Programme, Withheld
from crm.loyalty.programmes.defining import ProgrammeFields
from crm.loyalty.programmes.defining import update as update_programme
from crm.loyalty.programmes.in_force import standing as programme_versions
from crm.loyalty.programmes.versions import Version as ProgrammeVersion
from crm.loyalty.refusals import HoldClosed, HoldExceeded, InsufficientPoints, NotReversible, TooManyHolds
from crm.loyalty.standing import Played, played
from crm.loyalty.transferring import transfer
from crm.loyalty.verification import Finding, Flaw
from crm.loyalty.verifying import Verified, verify

__all__ = [
    "OWNER",
    "Balances",
    "Finding",
    "Flaw",
    "Given",
    "Hold",
    "HoldClosed",
    "HoldExceeded",
    "HoldStatus",
    "InsufficientPoints",
    "LedgerEntry",
    "LoyaltyAccount",
    "Movement",
    "NotReversible",
    "OrderEarning",
    "Played",
    "PointsHold",
    "Posted",
    "Programme",
    "ProgrammeFields",
    "ProgrammeVersion",
    "TooManyHolds",
    "Verified",
    "Withheld",
    "account",
    "adjust",
    "balances_at",
    "balances_of",
    "capture",
    "earnings",
    "entries",
    "hold",
    "is_due",
    "played",
    "post_for_order",
    "programme_versions",
    "redeem",
    "release",
    "reverse",
    "settle",
    "transfer",
    "update_programme",
    "verify",
    "wake",
]  # fmt: skip

account = repository.get_account
earnings = repository.get_earnings
entries = repository.list_entries
balances_at = standing.balances
balances_of = stored.balances_of
