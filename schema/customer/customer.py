# schema/customer/customer.py
"""The customer's record and everything that hangs on it."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, TypeVar

import strawberry

from crm.consent import service as consent
from crm.consent.service import ConsentHead
from crm.customers import service
from crm.segmentation import service as segmentation
from schema.access import own, signed_in, staff
from schema.cart import MOST_CARTS, Cart, cart_of, carts_of
from schema.connections import After, Connection, First, Place, about, at_most, connection, page_size, paged, priced
from schema.consent import (
    PAST,
    AboutTopic,
    Consent,
    ConsentEntriesByCustomer,
    ConsentEntry,
    ConsentMoment,
    ConsentsByMoment,
    ForPurpose,
    Moment,
    OfChannel,
    Permission,
)
from schema.context import Context, Info
from schema.customer.attributes import Attribute, attributes_of
from schema.customer.changes import CustomerChanges, Feed, Since, fed
from schema.customer.history import ChangesByCustomer, CustomerChange, FieldProvenance, third_parties
from schema.customer.parts import Address, CustomerStatus, Gender, Identity
from schema.customer.record import Record, newest_records, place_in_list, visible_record
from schema.customer.timeline import Kinds, TimelineEntry, timeline_of
from schema.feedback import FeedbackByCustomer, FeedbackResponse
from schema.loaders import timeline_page
from schema.loyalty.account import LoyaltyAccount
from schema.message import Message, MessagesByCustomer
from schema.node import Node, global_id
from schema.order import Order, OrdersByCustomer
from schema.scalars import EmailAddress, TimeZone
from schema.segment.by_key import as_of, memberships_of
from schema.segment.rfm import RfmScore, rfm_of
from schema.segment.stays import SegmentMembership, SegmentStay, history_of
from schema.statistics import Statistics
from schema.suppression import AddressChannel, OfAddress, Suppression, suppression_of
from schema.touchpoint import SINCE, UNTIL, Acquisition, OfType, Touchpoint, touchpoints_of

S = TypeVar("S", bound=str)


@strawberry.type(description="One person who buys, or may buy, in the shop.", directives=own("customers:read"))
class Customer(Node):
    record: strawberry.Private[Record]

    @strawberry.field(description="Opaque.", directives=signed_in())
    def id(self) -> strawberry.ID:
        return global_id("Customer", self.record.profile.customer_id)

    @strawberry.field(description="What events name the customer by.")
    def customer_id(self) -> str:
        return self.record.profile.customer_id

    @strawberry.field(description="Give it as `expectedVersion` to change what was read.")
    def version(self) -> int:
        return int(self.record.profile.version)

    @strawberry.field(description="Whether the customer takes part.")
    def status(self) -> CustomerStatus:
        return CustomerStatus(self.record.profile.status)

    @strawberry.field(description="A test customer counts in no KPI.", directives=staff("customers:read"))
    def test(self) -> bool:
        return bool(self.record.profile.test)

    @strawberry.field(description="Given name.")
    def first_name(self) -> str | None:
        return self.record.profile.first_name

    @strawberry.field(description="Family name.")
    def last_name(self) -> str | None:
        return self.record.profile.last_name

    @strawberry.field(description="As it was written; compared without case.")
    def email(self) -> EmailAddress | None:
        return _as(EmailAddress, self.record.profile.email)

    @strawberry.field(description="As it was written.")
    def phone(self) -> str | None:
        return self.record.profile.phone

    @strawberry.field(
        description=(
            "What the customer says their address is, until a shop's event or staff say it too. Nobody is found by it, "
            "and nothing is sent to it. The address on record is not shown as pending, and is again what the customer "
            "says once the shop puts another in its place."
        )
    )
    def pending_email(self) -> EmailAddress | None:
        return _as(EmailAddress, service.pending_address(self.record.profile, "email"))

    @strawberry.field(description="As `pendingEmail`.")
    def pending_phone(self) -> str | None:
        return service.pending_address(self.record.profile, "phone")

    @strawberry.field(description="BCP 47, such as `de-AT`.")
    def locale(self) -> str | None:
        return self.record.profile.locale

    @strawberry.field(description="Where the customer's day begins; null: the shop's zone.")
    def zone(self) -> TimeZone | None:
        return _as(TimeZone, self.record.profile.zone)

    @strawberry.field(description="Date of birth.")
    def birth_date(self) -> date | None:
        return date.fromisoformat(text) if (text := self.record.profile.birth_date) else None

    @strawberry.field(description="As the customer states it.")
    def gender(self) -> Gender | None:
        return Gender(self.record.profile.gender) if self.record.profile.gender else None

    @strawberry.field(description="The shop's own words about the customer.", directives=staff("customers:read"))
    def tags(self) -> list[str]:
        return sorted(self.record.profile.tags or ())

    @strawberry.field(description="Postal addresses.", directives=[at_most(service.MOST_ADDRESSES)])
    def addresses(self) -> list[Address]:
        return [Address(item=item) for item in self.record.profile.addresses]

    @strawberry.field(
        description="What the customer is known by, also to other systems.",
        directives=[*staff("customers:read"), about(5)],
    )
    def identities(self) -> list[Identity]:
        return [Identity(item=item) for item in self.record.profile.identities]

    @strawberry.field(
        description="The shop's own attributes that are set, by key; customers see those that the shop shows them.",
        directives=[about(20)],
    )
    async def attributes(
        self,
        info: Info,
        keys: Annotated[list[str] | None, strawberry.argument(description="Of these keys only.")] = None,
    ) -> list[Attribute]:
        return await attributes_of(info.context, self.record, keys)

    @strawberry.field(
        description="Where each field of the profile comes from, by field.",
        directives=[*staff("customers:read"), about(12)],
    )
    async def provenance(self, info: Info) -> list[FieldProvenance]:
        third = await third_parties(info.context)
        return [
            FieldProvenance(item=each, third=each.is_third_party(third))
            for each in service.origins(self.record.profile)
        ]

    @strawberry.field(
        description="What was changed about the customer, by whom and when; newest first.",
        directives=[*staff("customers:history"), paged()],
    )
    async def history(self, info: Info, first: First = 20, after: After = None) -> Connection[CustomerChange] | None:
        return await timeline_page(
            info.context,
            ChangesByCustomer,
            "Customer.history",
            self.record.profile.customer_id,
            first=first,
            after=after,
            node=lambda item: CustomerChange(item=item),
        )

    @strawberry.field(description="When the record was founded.")
    def created_at(self) -> datetime:
        return self.record.profile.created_at

    @strawberry.field(description="When the record last changed.")
    def updated_at(self) -> datetime:
        return self.record.profile.updated_at

    @strawberry.field(description="Exact sums over the customer's orders.")
    def statistics(self) -> Statistics:
        return Statistics(item=self.record.head(Statistics.HEAD))

    @strawberry.field(description="Orders, newest first.", directives=[*own("orders:read"), paged()])
    async def orders(self, info: Info, first: First = 20, after: After = None) -> Connection[Order] | None:
        return await timeline_page(
            info.context,
            OrdersByCustomer,
            "Customer.orders",
            self.record.profile.customer_id,
            first=first,
            after=after,
            node=lambda item: Order(item=item),
        )

    @strawberry.field(
        description=f"The segments the customer is in now; {segmentation.MOST_SEGMENTS} at most.",
        directives=[*staff("segments:read"), about(5)],
    )
    async def segments(self, info: Info) -> list[SegmentMembership]:
        return await memberships_of(info.context, self.record.heads)

    @strawberry.field(
        description=(
            "As of when `segments` is right: now, or when a segment changed by whose new meaning the customer is yet "
            "to be looked at."
        ),
        directives=staff("segments:read"),
    )
    async def segments_as_of(self, info: Info) -> datetime:
        return await as_of(info.context, self.record.head(service.SegmentsHead))

    @strawberry.field(
        description=(
            "When the customer was in segments, or in one of them; the stay that began last first. What time begins "
            "or ends is here once it has been looked at, as in `Segment.members`."
        ),
        directives=[*staff("segments:read"), paged()],
    )
    async def segment_history(
        self,
        info: Info,
        segment: Annotated[
            strawberry.ID | None, strawberry.argument(description="A segment's `id`; it may be deleted.")
        ] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[SegmentStay] | None:
        return await history_of(
            info.context, self.record.profile.customer_id, segment_id=segment, first=first, after=after
        )

    @strawberry.field(
        description=(
            "How lately, how often and for how much the customer buys, beside the shop's others; null until the shop's "
            "customers have been compared."
        ),
        directives=staff("segments:read"),
    )
    async def rfm(self, info: Info) -> RfmScore | None:
        return await rfm_of(info.context, self.record.heads)

    @strawberry.field(description="The customer's points.", directives=own("loyalty:read"))
    def loyalty(self) -> LoyaltyAccount:
        return LoyaltyAccount(customer_id=self.record.profile.customer_id, item=self.record.head(LoyaltyAccount.HEAD))

    @strawberry.field(
        description="What the customer answered, newest first.", directives=[*own("feedback:read"), paged()]
    )
    async def feedback(self, info: Info, first: First = 20, after: After = None) -> Connection[FeedbackResponse] | None:
        return await timeline_page(
            info.context,
            FeedbackByCustomer,
            "Customer.feedback",
            self.record.profile.customer_id,
            first=first,
            after=after,
            node=lambda item: FeedbackResponse(item=item),
        )

    @strawberry.field(
        description="What holds now, by channel, purpose and topic; silence is not listed.",
        directives=[*own("consents:read"), at_most(consent.MOST_HELD)],
    )
    def consents(self) -> list[Consent]:
        head = self.record.head(ConsentHead)
        return [Consent(item=item) for item in consent.held(head.states if head else ())]

    @strawberry.field(
        description="What held at a moment as far as is known now: what came late counts from when it was said.",
        directives=[*own("consents:read"), priced(PAST)],
    )
    async def consent(
        self,
        info: Info,
        as_of: Annotated[datetime, strawberry.argument(description="The moment; not one in the future.")],
    ) -> ConsentMoment | None:
        moment = Moment(self.record.profile.customer_id, as_of).check(info.context.now)
        states = await info.context.loader(ConsentsByMoment).load(moment)
        return ConsentMoment(as_of=as_of, states=states)

    @strawberry.field(
        description="Whether a channel may be used for a purpose now, by what the customer said of it.",
        directives=own("consents:read"),
    )
    def permission(
        self,
        channel: OfChannel,
        purpose: ForPurpose,
        topic: AboutTopic = None,
    ) -> Permission:
        head = self.record.head(ConsentHead)
        return Permission.of(head.states if head else (), channel, purpose, topic)

    @strawberry.field(
        description="What speaks against the address on record that messages of a channel go to; null where nothing "
        "ever did, or there is no such address.",
        directives=staff("suppressions:read"),
    )
    async def suppression(self, info: Info, channel: OfAddress) -> Suppression | None:
        profile = self.record.profile
        on_record = {AddressChannel.EMAIL: profile.email, AddressChannel.SMS: profile.phone}
        return await suppression_of(info.context, channel, on_record.get(channel))

    @strawberry.field(
        description="Everything that was said about consent, newest first.",
        directives=[*own("consents:read"), paged()],
    )
    async def consent_entries(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[ConsentEntry] | None:
        return await timeline_page(
            info.context,
            ConsentEntriesByCustomer,
            "Customer.consentEntries",
            self.record.profile.customer_id,
            first=first,
            after=after,
            node=lambda item: ConsentEntry(item=item),
        )

    @strawberry.field(
        description="What was said to the customer, or was not and why; newest first.",
        directives=[*own("messages:read"), paged()],
    )
    async def messages(self, info: Info, first: First = 20, after: After = None) -> Connection[Message] | None:
        return await timeline_page(
            info.context,
            MessagesByCustomer,
            "Customer.messages",
            self.record.profile.customer_id,
            first=first,
            after=after,
            node=lambda item: Message(item=item),
        )

    @strawberry.field(
        description="What the customer did, newest first.", directives=[*own("touchpoints:read"), paged()]
    )
    async def touchpoints(
        self,
        info: Info,
        type: OfType = None,
        since: Annotated[datetime | None, SINCE] = None,
        until: Annotated[datetime | None, UNTIL] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Touchpoint] | None:
        return await touchpoints_of(
            info.context,
            self.record.profile.customer_id,
            of_type=type,
            since=since,
            until=until,
            first=first,
            after=after,
        )

    @strawberry.field(
        description=(
            "The newest cart that can be resumed, on any device; or the one of this id, whatever became of it. Carts "
            "are told from the customer's newest 50 `cart.updated` and 50 `checkout.started`: null for one behind "
            "those."
        ),
        directives=own("touchpoints:read"),
    )
    async def cart(
        self,
        info: Info,
        cart_id: Annotated[
            str | None,
            strawberry.argument(
                description="The `cartId` that its events have. Without it: the newest that can be resumed."
            ),
        ] = None,
    ) -> Cart | None:
        return await cart_of(info.context, self.record.profile.customer_id, cart_id)

    @strawberry.field(
        description=(
            "The newest 20 carts that the customer's newest 50 `cart.updated` and 50 `checkout.started` tell of, the "
            "newest first; ordered and empty ones too."
        ),
        directives=[*own("touchpoints:read"), at_most(MOST_CARTS)],
    )
    async def carts(self, info: Info) -> list[Cart]:
        return await carts_of(info.context, self.record.profile.customer_id)

    @strawberry.field(
        description="All that happened to the customer, newest first.", directives=[*own("customers:read"), paged()]
    )
    async def timeline(
        self, info: Info, kinds: Kinds = None, first: First = 20, after: After = None
    ) -> Connection[TimelineEntry] | None:
        return await timeline_of(info.context, self.record.profile.customer_id, kinds=kinds, first=first, after=after)

    @strawberry.field(
        description=(
            "What changed since an app last asked: ask with the last answer's `cursor`, at once while `hasMore`, and "
            "store each node under its id in place of what was there. Deletions are none: a record that is hidden is "
            "seen no more at all."
        ),
        directives=[*own("customers:read"), fed()],
    )
    async def changes(self, info: Info, since: Since = None, first: First = 20) -> CustomerChanges | None:
        return await Feed(info.context, self.record).since(since, first)

    @strawberry.field(description="What brought the customer.", directives=staff("touchpoints:read"))
    def acquisition(self) -> Acquisition:
        return Acquisition(item=self.record.head(Acquisition.HEAD))


async def customer_by_key(context: Context, customer_id: str) -> Customer | None:
    """None for a customer who does not exist, is another shop's, or is not the caller's to see."""
    record = await visible_record(context, customer_id)
    return Customer(record=record) if record else None


async def customers_of(context: Context, first: int | None, after: str | None) -> Connection[Customer]:
    """The shop's customers, newest first."""
    size = page_size(first)
    place = Place("Query.customers", context.shop)
    records = await newest_records(context, before=place.position(after), most=size + 1)
    return connection(
        place,
        records,
        first=size,
        after=after,
        position=lambda record: place_in_list(record.profile),
        node=lambda record: Customer(record=record),
    )


def _as(kind: Callable[[str], S], text: str | None) -> S | None:
    return None if text is None else kind(text)
