# crm/loyalty/programmes/models.py
"""What a shop's programme has been.

Key design (docs/access-patterns.md, AP-190, AP-191):
    ProgrammeVersion  pk=SHOP#<shop>#LOYALTY  sk=PROGRAMME#<number>   written once, never changed

There is no head: the newest version is the last key, and the next key, which must not exist, is what guards an edit.
"""

from typing import Final, Self

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from crm.kernel.table import Item

PREFIX: Final = "PROGRAMME#"


class ProgrammeVersion(Item, discriminator="ProgrammeVersion"):
    """The whole programme as JSON (`crm.loyalty.programme.Programme`), since when it counts, and whose word it is.
    `tiers_in`: which version has said what it says of tiers.
    """

    number = NumberAttribute()
    effective_at = UTCDateTimeAttribute()
    document = UnicodeAttribute()
    written_at = UTCDateTimeAttribute()
    written_by = UnicodeAttribute()
    tiers_in = NumberAttribute(default=0)

    @classmethod
    def of(cls, shop: str, number: int) -> Self:
        return cls(f"SHOP#{shop}#LOYALTY", version_key(number), number=number)


def version_key(number: int) -> str:
    return f"{PREFIX}{number:010}"
