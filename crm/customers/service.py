# crm/customers/service.py
"""What can be done with customers: the only door into this area."""

from crm.customers import (
    attribute_definitions,
    attribute_setting,
    attribute_values,
    attributes,
    by_hand,
    deletion,
    history,
    lookup,
    pending,
    profile,
    provenance,
    repository,
    snapshot,
    standing,
    telling,
    unusable,
)
from crm.customers.attribute_definitions import AttributeFields, Definitions
from crm.customers.attribute_values import AttributeValue
from crm.customers.attributes import (
    BOOLEAN,
    CHOICE,
    DATE,
    HIDDEN,
    LIST,
    MONEY,
    MOST_AT_ONCE,
    NUMBER,
    Typed,
)
from crm.customers.attributes import Rule as AttributeRule
from crm.customers.history import FieldChange
from crm.customers.identifiers import OURS
from crm.customers.identity import Words
from crm.customers.models import (
    SHARDS,
    Address,
    AttributeDefinition,
    Customer,
    CustomerAttributes,
    HistoryEntry,
    IdentityClaim,
    SegmentsHead,
    SegmentState,
)
from crm.customers.profile import MOST_ADDRESSES
from crm.customers.provenance import HERE, Origin, Provenance
from crm.customers.reach import Reach, reach
from crm.customers.refusals import CustomerBlocked, CustomerDeleted, IdentifierTaken, TooManyAttributes
from crm.customers.segments import segments_at, segments_before
from crm.customers.snapshot import Snapshot
from crm.customers.telling import Identified

__all__ = [
    "BOOLEAN",
    "CHOICE",
    "DATE",
    "HERE",
    "HIDDEN",
    "LIST",
    "MONEY",
    "MOST_ADDRESSES",
    "MOST_AT_ONCE",
    "NUMBER",
    "OURS",
    "SHARDS",
    "Address",
    "AttributeDefinition",
    "AttributeFields",
    "AttributeRule",
    "AttributeValue",
    "Customer",
    "CustomerAttributes",
    "CustomerBlocked",
    "CustomerDeleted",
    "Definitions",
    "FieldChange",
    "HistoryEntry",
    "Identified",
    "IdentifierTaken",
    "IdentityClaim",
    "Origin",
    "Provenance",
    "Reach",
    "SegmentState",
    "SegmentsHead",
    "Snapshot",
    "TooManyAttributes",
    "Typed",
    "Words",
    "attribute_definitions_now",
    "attribute_definitions_of",
    "attribute_rules",
    "attribute_values_of",
    "attributes_of",
    "change_tags",
    "changes",
    "changes_in",
    "check_standing",
    "create",
    "define_attribute",
    "delete",
    "faults",
    "faults_by_hand",
    "faults_of_definition",
    "faults_of_external_ids",
    "find",
    "get",
    "identify",
    "is_hidden",
    "judged_attributes",
    "list_shard",
    "nameless",
    "origins",
    "pending_address",
    "reach",
    "refuse_barred",
    "restore",
    "retire_attribute",
    "segments_at",
    "segments_before",
    "set_attributes",
    "snapshots",
    "tag_faults",
    "tags",
    "take_snapshot",
    "takes_part",
    "tidied",
    "update",
]  # fmt: skip


tags = profile.tags
tidied = profile.tidied
nameless = by_hand.nameless
tag_faults = profile.tag_faults
faults_of_external_ids = unusable.faults_of_external_ids
faults_by_hand = by_hand.faults
faults = profile.judged
create = by_hand.create
update = by_hand.update
change_tags = by_hand.change_tags
identify = telling.identify
get = lookup.get
find = lookup.find
check_standing = lookup.check_standing
refuse_barred = standing.refuse_barred
take_snapshot = snapshot.read
snapshots = snapshot.read_many
list_shard = repository.list_shard
changes = repository.list_changes
changes_in = history.changes_in
takes_part = standing.takes_part
is_hidden = standing.is_hidden
delete = deletion.delete
restore = deletion.restore
set_attributes = attribute_setting.set_attributes
define_attribute = attribute_definitions.define
faults_of_definition = attribute_definitions.faults
retire_attribute = attribute_definitions.retire
attribute_definitions_of = attribute_definitions.current
attribute_definitions_now = attribute_definitions.fresh
attribute_rules = attribute_definitions.rules_of
judged_attributes = attributes.judged
attributes_of = repository.get_attributes
attribute_values_of = attribute_values.values


def origins(customer: Customer) -> list[Provenance]:
    """Where each field of the profile comes from, by field; also of fields that were cleared."""
    return provenance.of_fields(customer.field_times, customer.field_origins)


def pending_address(customer: Customer, kind: str) -> str | None:
    """The e-mail address or phone number that the customer says is theirs and nobody has vouched for."""
    return pending.shown(kind, pending.of(customer))
