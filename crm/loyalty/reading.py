# crm/loyalty/reading.py
"""How an account stands, for those who decide by it. A door of its own: who moves no points loads nothing that does
(docs/decisions/0075).
"""

from crm.loyalty.models import LoyaltyAccount
from crm.loyalty.posting import is_due
from crm.loyalty.standing import Played, played
from crm.loyalty.tiers.reading import Standing
from crm.loyalty.tiers.reading import standing as tier_of

__all__ = ["LoyaltyAccount", "Played", "Standing", "is_due", "played", "tier_of"]
