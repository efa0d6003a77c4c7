# crm/loyalty/service.py
"""What can be done with points. Called by resolvers and functions alike.

Every movement is one Change: its entry, the balances and what remains, under the condition of the account's `rev`. What
is due by then is settled first, so that nobody spends what has expired, or waits for what has matured.
"""

from crm.loyalty import repository, standing, stored
from crm.loyalty.absorbing import absorb, wake
from crm.loyalty.bonuses.birthday_dates import heard as heard_of_birthday
from crm.loyalty.bonuses.defining import EventBonusFields
from crm.loyalty.bonuses.defining import archive as archive_bonus
from crm.loyalty.bonuses.defining import create as create_bonus
from crm.loyalty.bonuses.defining import form_faults as bonus_faults
from crm.loyalty.bonuses.defining import update as update_bonus
from crm.loyalty.bonuses.definitions import Bonuses, Comparison, EventBonus, PropertyFilter
from crm.loyalty.bonuses.definitions import Enrolment as EnrolmentKind
from crm.loyalty.bonuses.eligibility import Unearned
from crm.loyalty.bonuses.enrolling import Enrolment, enroll
from crm.loyalty.bonuses.happenings import give_for_event
from crm.loyalty.causes import WORDS, Why, hold_of, redemption_of, why
from crm.loyalty.earning.budgets import SHARES as BUDGET_SHARES
from crm.loyalty.earning.budgets import Use as BudgetUse
from crm.loyalty.earning.budgets import use as budget_use
from crm.loyalty.earning.defining import RuleFields
from crm.loyalty.earning.defining import archive as archive_rule
from crm.loyalty.earning.defining import create as create_rule
from crm.loyalty.earning.defining import form_faults as rule_faults
from crm.loyalty.earning.defining import update as update_rule
from crm.loyalty.earning.definitions import BASE as BASE_RULE
from crm.loyalty.earning.definitions import Caps, Conditions, Rule
from crm.loyalty.earning.definitions import Kind as RuleKind
from crm.loyalty.earning.repository import get_all_spent as budgets_spent
from crm.loyalty.erasing import erase
from crm.loyalty.expiry import Expiry, Rounding, ends_at
from crm.loyalty.expiry import Kind as ExpiryKind
from crm.loyalty.holding import Hold, capture, hold, hold_faults, release
from crm.loyalty.ledger.chain import Balances
from crm.loyalty.ledger.movements import Movement
from crm.loyalty.ledger.pools import Pool
from crm.loyalty.ledger.refusals import (
    Archived,
    HoldClosed,
    HoldExceeded,
    HoldNotYours,
    InsufficientPoints,
    LedgerTooLong,
    NotReversible,
    TooManyHolds,
)
from crm.loyalty.maturing import settle
from crm.loyalty.models import (
    EntryReason,
    GivenPart,
    HoldStatus,
    LedgerEntry,
    LoyaltyAccount,
    OpenHold,
    OrderEarning,
    PointsHold,
    PointsMonth,
)
from crm.loyalty.moving import Given, adjust, adjustment_faults, points_faults, reason_faults, reverse
from crm.loyalty.naming import Known, Noun, TierNamed, UnknownName
from crm.loyalty.orders import Posted, post_for_order
from crm.loyalty.posting import OWNER, is_due
from crm.loyalty.previewing import Cart, CartLine, Previewed
from crm.loyalty.previewing import faults as cart_faults
from crm.loyalty.previewing import preview as earn_preview
from crm.loyalty.programme import Programme, Shortfall, Withheld
from crm.loyalty.programmes import begun
from crm.loyalty.programmes import in_force as programme_in_force
from crm.loyalty.programmes.defining import Lifetime, ProgrammeFields, time_faults
from crm.loyalty.programmes.defining import edit as edit_programme
from crm.loyalty.programmes.defining import form_faults as programme_faults
from crm.loyalty.programmes.defining import update as update_programme
from crm.loyalty.programmes.defining import withdraw as withdraw_programme
from crm.loyalty.programmes.in_force import in_version as programme_version
from crm.loyalty.programmes.in_force import newest as newest_programme
from crm.loyalty.programmes.in_force import standing as programme_versions
from crm.loyalty.programmes.in_force import upcoming as upcoming_programmes
from crm.loyalty.programmes.parts import Edited
from crm.loyalty.programmes.versions import Version as ProgrammeVersion
from crm.loyalty.remaining import Credit, Part, credited, credits_of, returned, taken
from crm.loyalty.standing import Ending, Played, played
from crm.loyalty.tiers import defining as tier_defining
from crm.loyalty.tiers import overriding, reading, settling
from crm.loyalty.tiers import repository as tier_repository
from crm.loyalty.tiers.book import SUBJECT as TIER
from crm.loyalty.tiers.defining import TierDefined, TierFields, TierRules
from crm.loyalty.tiers.definitions import Basis, Downgrade, Tier, Tiers, Window
from crm.loyalty.tiers.models import ChangeReason, TierChange
from crm.loyalty.tiers.overriding import TierOverride, override_tier
from crm.loyalty.tiers.reading import Progress, Standing, kept
from crm.loyalty.undoing import refusal as irreversible
from crm.loyalty.undoing import undone_by
from crm.loyalty.verification.auditing import MOST_ENTRIES as MOST_VERIFIED
from crm.loyalty.verification.auditing import VERIFICATION as LEDGER_VERIFICATION
from crm.loyalty.verification.auditing import ask_to_verify, verified
from crm.loyalty.verification.judging import Finding, Flaw
from crm.loyalty.verification.verifying import Verified, verify

__all__ = [
    "BASE_RULE",
    "BUDGET_SHARES",
    "LEDGER_VERIFICATION",
    "MOST_VERIFIED",
    "OWNER",
    "TIER",
    "WORDS",
    "Archived",
    "Balances",
    "Basis",
    "Bonuses",
    "BudgetUse",
    "Caps",
    "Cart",
    "CartLine",
    "ChangeReason",
    "Comparison",
    "Conditions",
    "Credit",
    "Downgrade",
    "Edited",
    "Ending",
    "Enrolment",
    "EnrolmentKind",
    "EntryReason",
    "EventBonus",
    "EventBonusFields",
    "Expiry",
    "ExpiryKind",
    "Finding",
    "Flaw",
    "Given",
    "GivenPart",
    "Hold",
    "HoldClosed",
    "HoldExceeded",
    "HoldNotYours",
    "HoldStatus",
    "InsufficientPoints",
    "Known",
    "LedgerEntry",
    "LedgerTooLong",
    "Lifetime",
    "LoyaltyAccount",
    "Movement",
    "NotReversible",
    "Noun",
    "OpenHold",
    "OrderEarning",
    "Part",
    "Played",
    "PointsHold",
    "PointsMonth",
    "Pool",
    "Posted",
    "Previewed",
    "Programme",
    "ProgrammeFields",
    "ProgrammeVersion",
    "Progress",
    "PropertyFilter",
    "Rounding",
    "Rule",
    "RuleFields",
    "RuleKind",
    "Shortfall",
    "Standing",
    "Tier",
    "TierChange",
    "TierDefined",
    "TierFields",
    "TierNamed",
    "TierOverride",
    "TierRules",
    "Tiers",
    "TooManyHolds",
    "Unearned",
    "UnknownName",
    "Verified",
    "Why",
    "Window",
    "Withheld",
    "absorb",
    "account",
    "adjust",
    "adjustment_faults",
    "archive_bonus",
    "archive_rule",
    "ask_to_verify",
    "balances_at",
    "balances_of",
    "bonus_faults",
    "budget_use",
    "budgets_spent",
    "capture",
    "cart_faults",
    "create_bonus",
    "create_rule",
    "credited",
    "credits_of",
    "earn_preview",
    "earnings",
    "edit_programme",
    "endings",
    "ends_at",
    "enroll",
    "entries",
    "entries_by_cause",
    "erase",
    "give_for_event",
    "heard_of_birthday",
    "hold",
    "hold_faults",
    "hold_of",
    "holds_by_id",
    "irreversible",
    "is_due",
    "months_of",
    "newest_programme",
    "override_tier",
    "pending_after",
    "pending_key",
    "played",
    "points_faults",
    "pools_in",
    "post_for_order",
    "programme_faults",
    "programme_version",
    "programme_versions",
    "reason_faults",
    "reasons",
    "redemption_of",
    "release",
    "returned",
    "reverse",
    "rule_faults",
    "settle",
    "taken",
    "tier_at",
    "tier_before",
    "tier_changes",
    "tier_create",
    "tier_due",
    "tier_faults",
    "tier_kept",
    "tier_of",
    "tier_override_faults",
    "tier_progress",
    "tier_rules_faults",
    "tier_update",
    "tiers_operation",
    "tiers_rule",
    "time_faults",
    "undone_by",
    "upcoming_programmes",
    "update_bonus",
    "update_programme",
    "update_rule",
    "verified",
    "verify",
    "version_in_force",
    "wake",
    "wake_tier",
    "why",
    "withdraw_programme",
]  # fmt: skip

account = repository.get_account
earnings = repository.get_earnings
entries = repository.list_entries
balances_at = standing.balances
balances_of = stored.balances_of
entries_by_cause = repository.get_entries
holds_by_id = repository.get_holds
pending_after = repository.list_maturing
months_of = repository.get_months
endings = standing.ending
pools_in = stored.pools_of
reasons = repository.get_reasons
pending_key = repository.pending_key
tier_due = settling.is_due
wake_tier = settling.wake
tier_of = reading.standing
tier_at = reading.standing_at
tier_progress = reading.progress
tier_changes = tier_repository.list_changes
tier_kept = kept
tier_before = reading.had_before
tier_create = tier_defining.create
tier_update = tier_defining.update
tiers_rule = tier_defining.rule
tiers_operation = begun.operation_of
tier_faults = tier_defining.fields_faults
tier_rules_faults = tier_defining.rules_faults
tier_override_faults = overriding.faults
version_in_force = programme_in_force.version
