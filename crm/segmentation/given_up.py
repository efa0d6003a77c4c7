# crm/segmentation/given_up.py
"""Segments that are deleted. Each is read with all others for as long as anybody may be a member, who is to be told why
they leave; then it is put away, and found by its id only: a shop that deletes much reads no more for it.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from crm.kernel.change import Change
from crm.kernel.errors import Stale
from crm.segmentation import repository
from crm.segmentation.in_force import InForce, meaning_of


def put_away(shop: str, segment_id: str, *, now: datetime) -> None:
    """Once nobody is a member any more. One that is not deleted is left where it is."""
    definition = repository.get_definition(shop, segment_id)
    if definition is None or definition.deleted_at is None:
        return
    change = Change(now)
    change.delete(definition, when=None, otherwise=Stale())
    change.create(definition.put_away(), otherwise=Stale())
    with suppress(Stale):  # somebody else has
        change.commit()


def known(in_force: InForce, segment_ids: Collection[str]) -> InForce:
    """With what the deletion of those means that were put away, where somebody is a member all the same."""
    unknown = set(segment_ids) - in_force.segments.keys() - in_force.gone.keys()
    if not unknown:
        return in_force
    found = repository.find_many(in_force.shop, unknown).items()
    gone = {segment_id: meaning_of(each) for segment_id, each in found if each.deleted_at is not None}
    return replace(in_force, gone={**in_force.gone, **gone})
