# crm/segmentation/language/vocabulary/special.py
"""Functions over days that recur, places, chance, and other segments."""

import hashlib
import math
from typing import Final

from crm.segmentation.language.facts import Fact, read
from crm.segmentation.language.kinds import ANNIVERSARY, EXACT, INTEGER, NUMBER, TEXT
from crm.segmentation.language.reading import Reads, only
from crm.segmentation.language.truth import FALSE, Judged, Moment, lasting
from crm.segmentation.language.words import (
    Arguments,
    Asked,
    Condition,
    Evidence,
    Function,
    Group,
    Parameter,
    Plan,
    Role,
)

EARTH: Final = 6371.0088
"""The mean radius in kilometres (IUGG)."""
BUCKETS: Final = 100


def anniversary(given: Arguments) -> Asked:
    date: Asked = given.values["date"]
    return Asked(ANNIVERSARY, date.read, date.reads)


def distance(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Kilometres between two places in degrees, on a sphere (haversine): at most 0.6 % off on the ellipsoid."""
    latitude, longitude, other_latitude, other_longitude = map(math.radians, (*here, *there))
    half_chord = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude) * math.cos(other_latitude) * math.sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, half_chord)))


def customer_within_distance(given: Arguments) -> Condition:
    here = float(given.values["lat"]), float(given.values["lon"])
    furthest = float(given.values["km"])

    def nearest(moment: Moment) -> float | None:
        places = (
            (address.latitude, address.longitude)
            for address in moment.facts.profile.addresses
            if address.latitude is not None and address.longitude is not None
        )
        return min((distance(here, (float(place[0]), float(place[1]))) for place in places), default=None)

    def judge(moment: Moment) -> Judged:
        found = nearest(moment)
        return lasting(None if found is None else found <= furthest)

    def evidence(moment: Moment) -> Evidence:
        found = nearest(moment)
        return Evidence(None if found is None else f"{found:.1f} km")

    return Condition(judge, only(Fact.PROFILE), evidence)


def random_bucket(given: Arguments) -> Asked:
    salt = given.values["salt"]
    return Asked(INTEGER, lambda moment: bucket(salt, moment.facts.customer_id), only(Fact.IDENTITY))


def bucket(salt: str, customer_id: str) -> int:
    r"""0 to 99: the first 8 bytes of SHA-256 of `<salt>\\n<customer id>` in UTF-8, as a number, modulo 100."""
    digest = hashlib.sha256(f"{salt}\n{customer_id}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % BUCKETS


def segment(given: Arguments) -> Condition:
    found: Condition = given.values["name"]
    return found


def by_query(segment_id: str, plan: Plan) -> Condition:
    """Whether a customer is in a segment that has a query: only where that is true, and nobody took them out."""

    def is_member(moment: Moment) -> Judged:
        if segment_id in moment.facts.exclusions:
            return FALSE
        truth, until, _ = plan.stand(moment)
        return truth is True, until

    return Condition(
        is_member,
        plan.reads | Reads(frozenset({Fact.MEMBERSHIPS}), segments=frozenset({segment_id})),
        lambda moment: Evidence("a member" if is_member(moment)[0] else "no member", (segment_id,)),
        plan.size + 1,
        plan,
    )


def by_hand(segment_id: str) -> Condition:
    """Whether a customer is in a segment whose members are set by hand."""

    def is_member(moment: Moment) -> bool:
        return segment_id in read(moment.facts.memberships, Fact.MEMBERSHIPS)

    return Condition(
        lambda moment: lasting(is_member(moment)),
        Reads(frozenset({Fact.MEMBERSHIPS}), segments=frozenset({segment_id})),
        lambda moment: Evidence("a member" if is_member(moment) else "no member", (segment_id,)),
    )


SPECIAL = (
    Function(
        "anniversary",
        (
            Parameter(
                "date", TEXT, "Any attribute that is a date.", required=True, positional=True, role=Role.DATE_ATTRIBUTE
            ),
        ),
        Group.SPECIAL,
        "The day in any year on which a date recurs. Of 29 February, in a year that has none, 28 February.",
        "anniversary(birth_date) BETWEEN today AND +7d",
        (),
        anniversary,
        returns=ANNIVERSARY,
        unknown="of whom the date is unknown",
    ),
    Function(
        "customer_within_distance",
        (
            Parameter("lat", NUMBER, "Degrees north.", required=True, positional=True, least=-90, most=90),
            Parameter("lon", NUMBER, "Degrees east.", required=True, positional=True, least=-180, most=180),
            Parameter(
                "km", NUMBER, "Kilometres, as the crow flies.", required=True, positional=True, least=0, most=20_040
            ),
        ),
        Group.SPECIAL,
        "One of the addresses lies within a distance of a place. Addresses without coordinates are not looked at.",
        "customer_within_distance(52.52, 13.405, 25)",
        (Fact.PROFILE,),
        customer_within_distance,
        unknown="without an address that has coordinates",
    ),
    Function(
        "segment",
        (Parameter("name", EXACT, "A segment's id or name.", required=True, positional=True, role=Role.SEGMENT),),
        Group.SPECIAL,
        "The customer is in another segment. Somebody of whom its query is unknown is not.",
        "segment('VIP') AND NOT segment('Staff')",
        (Fact.MEMBERSHIPS,),
        segment,
    ),
    Function(
        "random_bucket",
        (Parameter("salt", EXACT, "Tells one division from another.", required=True, positional=True),),
        Group.SPECIAL,
        "A number from 0 to 99, for each customer always the same: the first 8 bytes of SHA-256 of `<salt>\\n<customer "
        "id>` in UTF-8, as a number, modulo 100. `< 10` is a tenth of the customers.",
        "random_bucket('autumn test') < 10",
        (Fact.IDENTITY,),
        random_bucket,
        returns=INTEGER,
    ),
)
