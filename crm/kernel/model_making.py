# crm/kernel/model_making.py
"""How PynamoDB makes models: as it makes them, in a third of the time (docs/decisions/0100).

For each it asks the class for every name it knows, `object`'s and `type`'s too, and copies all indexes with what they
are made of. There are 80 models and 110 maps; what is asked for is in what their classes say.
"""

from collections.abc import Callable
from typing import Any, Self

import pynamodb.attributes
import pynamodb.models


def members(cls: type, predicate: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """`inspect.getmembers` for what stands in a class or in one it is derived from, and is no property."""
    found = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    return sorted(item for item in found.items() if predicate(item[1]))


class CopiedAlone:
    """An index is its class; an instance knows nothing but its model, which PynamoDB tells each copy."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)()


for of_pynamodb in (pynamodb.attributes, pynamodb.models):
    of_pynamodb.getmembers = members  # type: ignore[attr-defined]  # what each of them imports
