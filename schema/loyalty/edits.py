# schema/loyalty/edits.py
"""What every edit of a programme takes, be it of its rules, its bonuses, its tiers or itself."""

from typing import Any, Final

from schema.context import Info

WRITE: Final = "loyalty:write"
EFFECTIVE_AT: Final = (
    "From when it counts: two minutes from now at the earliest, and of the first version a shop's programme has also "
    "from up to ten years ago; two years from now at the latest, and not before a version that is still to come "
    "(`loyaltyProgrammeWithdraw` takes that back). Null: as soon as it can."
)
EXPECTED: Final = "Refuse where the newest version of the programme is another."


def when(info: Info, input: Any) -> dict[str, Any]:
    """By whom and for when it is edited."""
    return {
        "actor": info.context.principal.actor,
        "now": info.context.now,
        "effective_at": input.effective_at,
        "expected_version": input.expected_version,
    }
