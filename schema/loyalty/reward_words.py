# schema/loyalty/reward_words.py
"""The words of rewards that refusals use too."""

from enum import Enum

import strawberry


@strawberry.enum(description="Something that stands against redeeming a reward.")
class RewardReason(Enum):
    ARCHIVED = strawberry.enum_value("ARCHIVED", description="It is archived.")
    NOT_SERVED = strawberry.enum_value(
        "NOT_SERVED", description="The customer takes no part: they are blocked, or were merged into another."
    )
    NOT_YET = strawberry.enum_value("NOT_YET", description="It begins later.")
    OVER = strawberry.enum_value("OVER", description="It has ended.")
    SEGMENT = strawberry.enum_value("SEGMENT", description="The customer is in none of its segments.")
    TIER = strawberry.enum_value("TIER", description="The customer is in none of its tiers.")
    LIMIT_REACHED = strawberry.enum_value(
        "LIMIT_REACHED", description="The customer has redeemed it as often as they may in its period."
    )
    OUT_OF_STOCK = strawberry.enum_value("OUT_OF_STOCK", description="None is left.")
    INSUFFICIENT_POINTS = strawberry.enum_value(
        "INSUFFICIENT_POINTS", description="It costs more points than can be spent."
    )


@strawberry.enum(description="A period of the calendar, in the programme's zone.")
class RewardPeriod(Enum):
    DAY = strawberry.enum_value("DAY", description="A day.")
    WEEK = strawberry.enum_value("WEEK", description="A week from Monday.")
    MONTH = strawberry.enum_value("MONTH", description="A month.")
    YEAR = strawberry.enum_value("YEAR", description="A year.")
    EVER = strawberry.enum_value("EVER", description="All time.")
