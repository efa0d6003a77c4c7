# crm/loyalty/rewards/service.py
"""What can be done with rewards. A door of its own: who posts for orders loads none of it, nor of customers
(docs/decisions/0075).
"""

from crm.loyalty.redemptions import codes, ending
from crm.loyalty.redemptions import repository as redeemed
from crm.loyalty.redemptions.ending import Unusable
from crm.loyalty.redemptions.models import (
    SHARDS,
    Redemption,
    RedemptionStatus,
    RefusedVoucher,
    RewardStock,
    VoucherUse,
)
from crm.loyalty.rewards import defining, offers, repository, vouchers
from crm.loyalty.rewards.defining import Defined
from crm.loyalty.rewards.eligibility import Reason
from crm.loyalty.rewards.limits import Limit, Period
from crm.loyalty.rewards.models import RewardDefinition, RewardVersion
from crm.loyalty.rewards.offers import Offer
from crm.loyalty.rewards.redeeming import Redeemed, cancel, redeem
from crm.loyalty.rewards.refusals import (
    LimitReached,
    NotEligible,
    OutOfStock,
    PriceChanged,
    RedemptionClosed,
    TooManyRewards,
    VoucherUsed,
    VoucherVoid,
)
from crm.loyalty.rewards.repository import MOST_REWARDS, Stocked
from crm.loyalty.rewards.reward import Reward, RewardFields, RewardKind
from crm.loyalty.rewards.reward import faults as faults_of_update

__all__ = [
    "MOST_REWARDS",
    "SHARDS",
    "Defined",
    "Limit",
    "LimitReached",
    "NotEligible",
    "Offer",
    "OutOfStock",
    "Period",
    "PriceChanged",
    "Reason",
    "Redeemed",
    "Redemption",
    "RedemptionClosed",
    "RedemptionStatus",
    "RefusedVoucher",
    "Reward",
    "RewardDefinition",
    "RewardFields",
    "RewardKind",
    "RewardStock",
    "RewardVersion",
    "Stocked",
    "TooManyRewards",
    "Unusable",
    "VoucherUse",
    "VoucherUsed",
    "VoucherVoid",
    "archive",
    "archive_tier",
    "archiving_tier",
    "asking_for_segment",
    "cancel",
    "count_redeemed",
    "create",
    "faults_of_new",
    "faults_of_update",
    "faults_of_use",
    "find_voucher",
    "get",
    "list_archived",
    "list_of_reward",
    "list_redemptions",
    "list_refused",
    "list_rewards",
    "list_usable",
    "list_versions",
    "offered",
    "preview",
    "promised",
    "redeem",
    "redemptions_by_id",
    "rewards_by_id",
    "shown",
    "status_at",
    "update",
    "use_voucher",
]

create = defining.create
update = defining.update
archive = defining.archive
archive_tier = defining.archive_tier
archiving_tier = defining.archiving_tier
asking_for_segment = defining.asking_for_segment
get = defining.get
faults_of_new = defining.faults
list_rewards = repository.list_rewards
list_versions = repository.list_versions
offered = offers.offers
preview = offers.preview
list_archived = repository.list_archived
rewards_by_id = repository.get_rewards
list_redemptions = redeemed.list_redemptions
list_usable = redeemed.list_usable
list_of_reward = redeemed.list_of_reward
list_refused = redeemed.list_refused
count_redeemed = redeemed.count_redeemed
redemptions_by_id = redeemed.get_redemptions
status_at = ending.status_at
find_voucher = vouchers.find
use_voucher = vouchers.use
faults_of_use = vouchers.faults_of_use
shown = codes.shown


def promised(redemption: Redemption) -> Reward:
    """What was redeemed, as it was then."""
    return Reward.read(redemption.reward)
