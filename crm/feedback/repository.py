# crm/feedback/repository.py
"""Every read of feedback items; writes go through a Change."""

from collections.abc import Iterable

from pynamodb.exceptions import DoesNotExist

from crm.feedback.models import FeedbackHead, FeedbackResponse
from crm.kernel import batch_reads, timeline
from crm.kernel.settings import settings
from crm.kernel.table import customer_key


def get_head(shop: str, customer_id: str) -> FeedbackHead | None:
    """AP-35."""
    try:
        return FeedbackHead.get(customer_key(shop, customer_id), FeedbackHead.SK, consistent_read=True)
    except DoesNotExist:
        return None


def get_response(shop: str, customer_id: str, response_id: str) -> FeedbackResponse | None:
    """AP-36."""
    try:
        return FeedbackResponse.get(customer_key(shop, customer_id), f"FEEDBACK#{response_id}", consistent_read=True)
    except DoesNotExist:
        return None


def get_many(shop: str, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FeedbackResponse]:
    """Answers by customer and response id, in batch reads of the exact keys of AP-36 (AP-137)."""
    places = [(customer_key(shop, customer_id), f"FEEDBACK#{response_id}") for customer_id, response_id in keys]
    found = map(FeedbackResponse.from_raw_data, batch_reads.read(settings().crm_table, places))
    return {(response.customer_id, response.response_id): response for response in found}


def list_newest(shop: str, customer_id: str, *, before: str | None, limit: int) -> list[FeedbackResponse]:
    """AP-31."""
    return timeline.newest(FeedbackResponse, customer_key(shop, customer_id), "FEEDBACK#", before=before, limit=limit)
