# tests/contract/test_errors.py
import importlib
import pkgutil
from collections.abc import Iterator

from strawberry.types import get_object_definition
from strawberry.types.base import StrawberryObjectDefinition

import crm
from crm.kernel.change import PartlyDone
from crm.kernel.errors import CrmError, InvalidInputs
from schema.errors import PRESENT, AnswersRefusals, typed
from schema.schema import schema

# Handled before a client could see them, or shown entry by entry.
NOT_SHOWN = {PartlyDone, InvalidInputs}


def refusals(kind: type[CrmError] = CrmError) -> Iterator[type[CrmError]]:
    for module in pkgutil.walk_packages(crm.__path__, "crm."):
        importlib.import_module(module.name)
    for below in kind.__subclasses__():
        yield below
        yield from refusals(below)


def test_every_refusal_with_data_is_shown_with_its_data() -> None:
    with_data = {
        kind
        for kind in refusals()
        if "__init__" in vars(kind) and set(kind.__init__.__code__.co_names) - {"super", "__init__"}
    }
    assert with_data - NOT_SHOWN - set(typed) == set()


def test_payloads_say_where_they_show_what_is_stored_beside_another_version() -> None:
    mutations = schema.get_type_by_name("Mutation")
    assert isinstance(mutations, StrawberryObjectDefinition)
    said, shown = set(), set()
    for mutation in mutations.fields:
        payload = get_object_definition(mutation.type, strict=True)
        said |= {mutation.name for one in payload.fields if PRESENT in (one.description or "")}
        shown |= {mutation.name for one in mutation.extensions if isinstance(one, AnswersRefusals) and one.present}
    assert said == shown != set()
