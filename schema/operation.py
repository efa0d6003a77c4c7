# schema/operation.py
"""Imports, exports, what segments take and what else is long work, as staff ask for it and watch it."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Final

import strawberry

from crm.bulk import service
from crm.bulk.service import EXPORTS, IMPORTS, MEMBERS_IMPORT, ImportAsked
from crm.kernel import clock
from crm.kernel.actor import Actor as Doer
from crm.kernel.errors import NotFound
from crm.loyalty.service import LEDGER_VERIFICATION, verified
from schema.access import signed_in, staff
from schema.connections import After, Connection, First, Place, about, connection, merged, page_size, paged
from schema.context import GIVEN, Context, Info, Loader, stored
from schema.customer.history import Actor
from schema.errors import AnswersRefusals, UserError
from schema.loyalty.verification import LedgerVerification
from schema.node import Node, global_id, key_of
from schema.principal import Kind

IMPORT: Final = "imports:write"
EXPORT: Final = "exports:read"
OF_SEGMENTS: Final = ("segments_refresh", "rfm_score", "segment_insights")
OF_TIERS: Final = "tiers_settle"
FILELESS: Final = (*OF_SEGMENTS, OF_TIERS, LEDGER_VERIFICATION)
SCOPE_OF: Final = (
    dict.fromkeys((*IMPORTS, MEMBERS_IMPORT), IMPORT)
    | dict.fromkeys(EXPORTS, EXPORT)
    | dict.fromkeys(OF_SEGMENTS, "segments:read")
    | {OF_TIERS: "loyalty:read", LEDGER_VERIFICATION: "loyalty:read"}
)
"""What staff need to hold to learn of an operation: an import's results name customers, an export's are customers."""
CANCELS: Final = SCOPE_OF | dict.fromkeys(OF_SEGMENTS, "segments:write") | {OF_TIERS: "loyalty:write"}
"""What they need to hold to stop one."""


@strawberry.enum(description="What an operation does.")
class OperationKind(Enum):
    CUSTOMERS_IMPORT = strawberry.enum_value("customers_import", description="Takes in customers from a file.")
    ORDERS_IMPORT = strawberry.enum_value("orders_import", description="Takes in orders and refunds from a file.")
    CUSTOMERS_EXPORT = strawberry.enum_value("customers_export", description="Writes all customers to a file.")
    ORDERS_EXPORT = strawberry.enum_value("orders_export", description="Writes all orders and refunds to a file.")
    SEGMENT_MEMBERS_IMPORT = strawberry.enum_value(
        "segment_members_import", description="Puts customers into a segment, or takes them out, by a file."
    )
    SEGMENTS_REFRESH = strawberry.enum_value(
        "segments_refresh", description="Brings customers' memberships up to what segments have come to mean."
    )
    RFM_SCORE = strawberry.enum_value("rfm_score", description="Compares the shop's customers, each day.")
    SEGMENT_INSIGHTS = strawberry.enum_value(
        "segment_insights", description="Works out what is typical of segments' members, each day."
    )
    TIERS_SETTLE = strawberry.enum_value(
        "tiers_settle", description="Gives customers the tiers that a version of the programme means, once it counts."
    )
    LEDGER_VERIFICATION = strawberry.enum_value(
        LEDGER_VERIFICATION, description="Works a customer's ledger of points out anew."
    )


@strawberry.enum(description="Where an operation stands.")
class OperationStatus(Enum):
    AWAITING_UPLOAD = strawberry.enum_value("awaiting_upload", description="It has no file yet, or is not started.")
    QUEUED = strawberry.enum_value("queued", description="It will begin soon.")
    RUNNING = strawberry.enum_value("running", description="It is going on.")
    DONE = strawberry.enum_value("done", description="It is over; `resultUrl` leads to what came of it.")
    FAILED = strawberry.enum_value("failed", description="It could not be done; `faults` says why.")
    CANCELLED = strawberry.enum_value(
        "cancelled", description="Somebody stopped it, or a newer one took its work over; what it had done stays done."
    )


@strawberry.enum(description="How a file is written.")
class ImportFormat(Enum):
    CSV = strawberry.enum_value("csv", description="A line for each customer or order line; the columns are in docs.")
    JSONL = strawberry.enum_value("jsonl", description="An event, as sources send them, on each line.")


@strawberry.enum(description="How a file is to be written.")
class ExportFormat(Enum):
    CSV = strawberry.enum_value("csv", description="A row for each customer or order line, for spreadsheets.")
    JSONL = strawberry.enum_value("jsonl", description="An event, as sources send them, on each line.")


@strawberry.type(description="Why an operation failed as a whole.", directives=signed_in())
class OperationFault:
    path: str = strawberry.field(description="The column at fault; empty for the file itself.")
    code: str = strawberry.field(description="What to switch on.")
    message: str = strawberry.field(description="For developers.")


@strawberry.type(description="How far an operation is, in what it has done for good.", directives=signed_in())
class OperationProgress:
    bytes_done: int = strawberry.field(description="How much of an import's file is read; 0 for exports.")
    bytes_total: int | None = strawberry.field(description="How large that file is; null for exports.")
    rows: int = strawberry.field(description="How many rows are read, lines written, or customers looked at.")
    rows_total: int | None = strawberry.field(
        description="Of a refresh, how many customers there are to look at, as far as is known; null otherwise."
    )
    applied: int = strawberry.field(description="Of an import, how many rows had their effect, now or before.")
    waiting: int = strawberry.field(description="How many wait for another: refunds whose order has not come.")
    refused: int = strawberry.field(description="How many were refused, and changed nothing; the result says why.")


@strawberry.type(description="What an operation has asked of the store.", directives=signed_in())
class OperationCost:
    item: strawberry.Private[service.Operation]

    @strawberry.field(description="How many requests.")
    def requests(self) -> int:
        return int(self.item.request_count)

    @strawberry.field(description="How many read units.")
    def read_units(self) -> float:
        return float(self.item.read_units)

    @strawberry.field(description="How many write units.")
    def write_units(self) -> float:
        return float(self.item.write_units)


@strawberry.type(
    description="Long work one can watch: an import, an export, what segments and tiers take, or a ledger that is "
    "verified.",
    directives=staff(None),
)
class Operation(Node):
    item: strawberry.Private[service.Operation]

    @strawberry.field(description="Opaque, and the same for the same object for ever.")
    def id(self) -> strawberry.ID:
        return global_id("Operation", self.item.operation_id)

    @strawberry.field(description="What it does.")
    def kind(self) -> OperationKind:
        return OperationKind(self.item.name)

    @strawberry.field(description="Where it stands.")
    def status(self) -> OperationStatus:
        return OperationStatus(self.item.status)

    @strawberry.field(description="How far it is.")
    def progress(self) -> OperationProgress:
        item = self.item
        return OperationProgress(
            bytes_done=int(item.bytes_done),
            bytes_total=None if item.bytes_total is None else int(item.bytes_total),
            rows=int(item.row_count),
            rows_total=None if item.row_total is None else int(item.row_total),
            applied=int(item.applied_count),
            waiting=int(item.waiting_count),
            refused=int(item.refused_count),
        )

    @strawberry.field(description="What it has asked of the store; null of imports and exports.")
    def cost(self) -> OperationCost | None:
        return OperationCost(item=self.item) if self.item.name in {*OF_SEGMENTS, OF_TIERS} else None

    @strawberry.field(description="Why it failed, or what took its work over; empty of others.", directives=[about(3)])
    def faults(self) -> list[OperationFault]:
        return [OperationFault(path=one.path, code=one.code, message=one.message) for one in self.item.faults]

    @strawberry.field(description="Columns of an import's CSV that nothing is read from.", directives=[about(5)])
    def ignored_columns(self) -> list[str]:
        return service.ignored_columns(self.item)

    @strawberry.field(
        description=(
            "Where to PUT an import's file, for a quarter of an hour; ask again for another address. Null once it is "
            "started, and for exports."
        )
    )
    async def upload_url(self) -> str | None:
        if self.item.status != service.AWAITING_UPLOAD:
            return None
        return await stored(service.upload_url, self.item)

    @strawberry.field(
        description=(
            "Where to GET what came of it, for a quarter of an hour. Of an import, a result for each row, in JSON "
            "Lines; of an export, what tells another shop the same. Null until it is over, where there is none, and a "
            "week after."
        )
    )
    async def result_url(self, info: Info) -> str | None:
        if self.item.name in FILELESS:
            return None
        return await stored(service.result_url, self.item, now=info.context.now)

    @strawberry.field(
        description="Whether a ledger is what was posted; null until that is worked out, and of other operations.",
        directives=staff("loyalty:read"),
    )
    def verification(self) -> LedgerVerification | None:
        found = verified(self.item)
        return LedgerVerification(found=found) if found else None

    @strawberry.field(
        description=(
            "As of when it is true: what an import was told, for rows that do not say. An export has everybody who was "
            "a customer then, each as they were between `startedAt` and `finishedAt`."
        )
    )
    def as_of(self) -> datetime:
        return clock.parse(self.item.arguments["asOf"]) if "asOf" in self.item.arguments else self.item.created_at

    @strawberry.field(description="The system that an import's file comes from.")
    def source(self) -> str | None:
        source: str | None = self.item.arguments.get("source")
        return source

    @strawberry.field(description="Who asked for it.")
    def actor(self) -> Actor:
        return Actor.of(Doer.parse(self.item.actor))

    @strawberry.field(description="When it was asked for.")
    def created_at(self) -> datetime:
        return self.item.created_at

    @strawberry.field(description="When it began.")
    def started_at(self) -> datetime | None:
        return self.item.started_at

    @strawberry.field(description="When it was over.")
    def finished_at(self) -> datetime | None:
        return self.item.finished_at


def _visible(context: Context, name: str) -> bool:
    return context.principal.kind is Kind.STAFF and SCOPE_OF.get(name) in context.principal.scopes


class OperationByKey(Loader[str, service.Operation | None]):
    async def load_many(self, keys: list[str]) -> Sequence[service.Operation | None]:
        found = await stored(service.find_many, self.context.shop, keys)
        return [found.get(key) for key in keys]


async def operation_by_key(context: Context, operation_id: str) -> Operation | None:
    """None for one that does not exist, is another shop's, or is not the caller's to see."""
    item = await context.loader(OperationByKey).load(operation_id)
    return Operation(item=item) if item is not None and _visible(context, item.name) else None


@strawberry.input(description="A file of customers or orders that is to come.")
class CustomersImportInput:
    source: str = strawberry.field(
        description="The system it comes from, as its events would name it: its external ids are that system's."
    )
    format: ImportFormat = strawberry.field(default=ImportFormat.CSV, description="How it is written.")
    as_of: datetime = strawberry.field(
        description="When what it says was true, where a row does not say: when the file was made."
    )
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the shop's for good.")


@strawberry.input(description="A file of orders and refunds that is to come.")
class OrdersImportInput(CustomersImportInput):
    pass


@strawberry.input(description="An import whose file is there.")
class ImportStartInput:
    id: strawberry.ID = strawberry.field(description="Which import.")


@strawberry.input(description="An operation that is not to go on.")
class OperationCancelInput:
    id: strawberry.ID = strawberry.field(description="Which operation.")


@strawberry.input(description="All customers of the shop, as a file.")
class CustomersExportInput:
    format: ExportFormat = strawberry.field(default=ExportFormat.JSONL, description="How it is to be written.")
    idempotency_key: str = strawberry.field(description="Repeat it to retry safely; it is the shop's for good.")


@strawberry.input(description="All orders and refunds of the shop, as a file.")
class OrdersExportInput(CustomersExportInput):
    pass


@strawberry.type(description="The operation, or why there is none.", directives=signed_in())
class CustomersImportPayload:
    operation: Operation | None = strawberry.field(default=None, description="Null when refused.")
    replayed: bool = strawberry.field(default=False, description="True when an earlier call with this key did it.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The operation, or why there is none.", directives=signed_in())
class OrdersImportPayload(CustomersImportPayload):
    pass


@strawberry.type(description="The operation, or why there is none.", directives=signed_in())
class CustomersExportPayload(CustomersImportPayload):
    pass


@strawberry.type(description="The operation, or why there is none.", directives=signed_in())
class OrdersExportPayload(CustomersImportPayload):
    pass


@strawberry.type(description="The import as it is now, or why it was not started.", directives=signed_in())
class ImportStartPayload:
    operation: Operation | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type(description="The operation as it is now, or why it was not stopped.", directives=signed_in())
class OperationCancelPayload:
    operation: Operation | None = strawberry.field(default=None, description="Null when refused.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Empty when it was done.")


@strawberry.type
class OperationQuery:
    @strawberry.field(
        description="An operation by id; null where there is none that one's scopes let one see.",
        directives=staff(None),
    )
    async def operation(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The operation's `id`.")]
    ) -> Operation | None:
        key = key_of("Operation", id)
        return await operation_by_key(info.context, key[0]) if key else None

    @strawberry.field(
        description=(
            f"Imports (with the scope `{IMPORT}`), exports (`{EXPORT}`), what segments take (`segments:read`) and "
            "what tiers and ledgers that are verified take (`loyalty:read`), newest first."
        ),
        directives=[*staff(None), paged()],
    )
    async def operations(self, info: Info, first: First = 20, after: After = None) -> Connection[Operation] | None:
        context, size = info.context, page_size(first)
        place = Place("Query.operations", context.shop)
        before = place.position(after)
        names = [name for name in SCOPE_OF if _visible(context, name)]
        asked = (stored(service.list_newest, context.shop, name, before=before, limit=size + 1) for name in names)
        items = merged(await gather(*asked), key=_place_in_list, most=size + 1, newest_first=True)
        return connection(
            place, items, first=size, after=after, position=_place_in_list, node=lambda item: Operation(item=item)
        )


def _place_in_list(item: service.Operation) -> str:
    return item.list_sk or ""


@strawberry.type
class OperationMutation:
    @strawberry.mutation(
        description=(
            "Ask to import customers: PUT the file to `uploadUrl`, then `importStart`. The same row has its effect "
            "once, in whichever import it stands, and messages nobody."
        ),
        extensions=[AnswersRefusals()],
        directives=staff(IMPORT),
    )
    async def customers_import(
        self, info: Info, input: Annotated[CustomersImportInput, GIVEN]
    ) -> CustomersImportPayload:
        operation, replayed = await _import(info.context, OperationKind.CUSTOMERS_IMPORT, input)
        return CustomersImportPayload(operation=operation, replayed=replayed)

    @strawberry.mutation(
        description="Ask to import orders and refunds, as `customersImport`.",
        extensions=[AnswersRefusals()],
        directives=staff(IMPORT),
    )
    async def orders_import(self, info: Info, input: Annotated[OrdersImportInput, GIVEN]) -> OrdersImportPayload:
        operation, replayed = await _import(info.context, OperationKind.ORDERS_IMPORT, input)
        return OrdersImportPayload(operation=operation, replayed=replayed)

    @strawberry.mutation(
        description="Begin an import with the file that was sent. Repeating it is harmless, and sends a stuck one on.",
        extensions=[AnswersRefusals()],
        directives=staff(IMPORT),
    )
    async def import_start(self, info: Info, input: Annotated[ImportStartInput, GIVEN]) -> ImportStartPayload:
        operation_id = _operation_id(input.id)
        item = await stored(service.start, info.context.shop, operation_id, now=info.context.now)
        return ImportStartPayload(operation=Operation(item=item))

    @strawberry.mutation(
        description=(
            "Stop an operation: it takes the scope that asking for it does. What it has done stays done; one that is "
            "over is left so."
        ),
        extensions=[AnswersRefusals()],
        directives=staff(None),
    )
    async def operation_cancel(
        self, info: Info, input: Annotated[OperationCancelInput, GIVEN]
    ) -> OperationCancelPayload:
        operation_id = _operation_id(input.id)
        known = await operation_by_key(info.context, operation_id)
        if known is None or CANCELS[known.item.name] not in info.context.principal.scopes:
            raise NotFound("There is no such operation.", field="id")
        item = await stored(service.cancel, info.context.shop, operation_id, now=info.context.now)
        return OperationCancelPayload(operation=Operation(item=item))

    @strawberry.mutation(
        description="Export all customers who are not deleted, so that another shop can import them.",
        extensions=[AnswersRefusals()],
        directives=staff(EXPORT),
    )
    async def customers_export(
        self, info: Info, input: Annotated[CustomersExportInput, GIVEN]
    ) -> CustomersExportPayload:
        operation, replayed = await _export(info.context, OperationKind.CUSTOMERS_EXPORT, input)
        return CustomersExportPayload(operation=operation, replayed=replayed)

    @strawberry.mutation(
        description="Export all orders and refunds of customers who are not deleted, as `customersExport`.",
        extensions=[AnswersRefusals()],
        directives=staff(EXPORT),
    )
    async def orders_export(self, info: Info, input: Annotated[OrdersExportInput, GIVEN]) -> OrdersExportPayload:
        operation, replayed = await _export(info.context, OperationKind.ORDERS_EXPORT, input)
        return OrdersExportPayload(operation=operation, replayed=replayed)


async def _import(context: Context, kind: OperationKind, given: CustomersImportInput) -> tuple[Operation, bool]:
    asked = ImportAsked(given.source, str(given.format.value), given.as_of)
    item, replayed = await stored(
        service.import_from,
        context.shop,
        str(kind.value),
        asked,
        actor=context.principal.actor,
        idempotency_key=given.idempotency_key,
        now=context.now,
    )
    return Operation(item=item), replayed


async def _export(context: Context, kind: OperationKind, given: CustomersExportInput) -> tuple[Operation, bool]:
    item, replayed = await stored(
        service.export,
        context.shop,
        str(kind.value),
        str(given.format.value),
        actor=context.principal.actor,
        idempotency_key=given.idempotency_key,
        now=context.now,
    )
    return Operation(item=item), replayed


def _operation_id(id: str) -> str:
    key = key_of("Operation", id)
    if key is None:
        raise NotFound("There is no such operation.", field="id")
    return key[0]
