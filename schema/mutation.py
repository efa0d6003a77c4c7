# schema/mutation.py
"""What can be changed: each noun file brings its own root fields."""

import strawberry

from schema.attribute import AttributeMutation
from schema.consent_update import ConsentMutation
from schema.customer.mutations import CustomerMutation
from schema.event import EventMutation
from schema.feedback import FeedbackMutation
from schema.loyalty.event_bonus_mutations import LoyaltyEventBonusMutation
from schema.loyalty.movements import LoyaltyMutation
from schema.loyalty.programme_mutations import LoyaltyProgrammeMutation
from schema.loyalty.reward_mutations import RewardMutation
from schema.loyalty.rule_mutations import LoyaltyRuleMutation
from schema.loyalty.tier_mutations import TierMutation
from schema.loyalty.verifying import LedgerVerificationMutation
from schema.operation import OperationMutation
from schema.segment.members_file import SegmentMembersImportMutation
from schema.segment.mutations import SegmentMutation
from schema.shop import ShopMutation
from schema.suppression import SuppressionMutation


@strawberry.type(description="What can be changed.")
class Mutation(
    AttributeMutation,
    CustomerMutation,
    ConsentMutation,
    LoyaltyProgrammeMutation,
    LoyaltyRuleMutation,
    LoyaltyEventBonusMutation,
    FeedbackMutation,
    EventMutation,
    LoyaltyMutation,
    LedgerVerificationMutation,
    RewardMutation,
    SegmentMutation,
    SegmentMembersImportMutation,
    ShopMutation,
    SuppressionMutation,
    TierMutation,
    OperationMutation,
):
    pass
