# crm/segmentation/language/vocabulary/profile.py
"""Attributes of who a customer is, and where they came from."""

from collections.abc import Callable

from crm.kernel.countries import COUNTRIES
from crm.segmentation.language import comparing, days, stretches
from crm.segmentation.language.facts import Address, Fact, Source
from crm.segmentation.language.kinds import DATE, INTEGER, PLACES, TEXT, TEXTS, Kind, Type, choice
from crm.segmentation.language.truth import Moment
from crm.segmentation.language.words import Attribute, Group

COUNTRY = Type(Kind.LIST, element=choice(*sorted(COUNTRIES)))
NO_SOURCE = "of whom nothing tells what brought them"


def _birth_date(moment: Moment) -> object:
    return moment.facts.profile.birth_date


def _age(moment: Moment) -> int | None:
    born = moment.facts.profile.birth_date
    return None if born is None else stretches.age(born, moment.today)


def _email_domain(moment: Moment) -> str | None:
    email = moment.facts.profile.email
    return email.rpartition("@")[2] if email else None


def _language(moment: Moment) -> str | None:
    locale = moment.facts.profile.locale
    return locale.partition("-")[0] if locale else None


def _regions(moment: Moment) -> tuple[str, ...]:
    """Each alone and within its country."""
    known = [address for address in moment.facts.profile.addresses if address.region]
    return tuple(name for address in known for name in _names(address, address.region or ""))


def _cities(moment: Moment) -> tuple[str, ...]:
    """Each alone, within its country and within its region."""
    known = [address for address in moment.facts.profile.addresses if address.city]
    found = [name for address in known for name in _names(address, address.city or "")]
    return (*found, *(f"{each.country}-{each.region}-{each.city}" for each in known if each.country and each.region))


def _names(address: Address, name: str) -> list[str]:
    return [name, f"{address.country}-{name}"] if address.country else [name]


def _part_of(first: bool, part: str) -> Callable[[Moment], str | None]:  # noqa: FBT001  one of two ends
    def read(moment: Moment) -> str | None:
        source: Source | None = moment.facts.first_source if first else moment.facts.last_source
        found: str | None = getattr(source, part) if source else None
        return found

    return read


PROFILE = (
    Attribute(
        "first_name", TEXT, Group.PROFILE, "The first name.", "first_name STARTS WITH 'An'", Fact.PROFILE,
        lambda moment: moment.facts.profile.first_name, unknown="without a first name",
    ),
    Attribute(
        "last_name", TEXT, Group.PROFILE, "The last name.", "last_name = 'O''Hara'", Fact.PROFILE,
        lambda moment: moment.facts.profile.last_name, unknown="without a last name",
    ),
    Attribute(
        "customer_email_domain", TEXT, Group.PROFILE, "What stands behind the @ of the e-mail address.",
        "customer_email_domain = 'gmail.com'", Fact.PROFILE, _email_domain, unknown="without an e-mail address",
    ),
    Attribute(
        "customer_language", TEXT, Group.PROFILE, "The language of the locale, as in ISO 639.",
        "customer_language = 'de'", Fact.PROFILE, _language, unknown="without a locale",
    ),
    Attribute(
        "customer_locale", TEXT, Group.PROFILE, "The locale, as in BCP 47.", "customer_locale IN ('de-AT', 'de-CH')",
        Fact.PROFILE, lambda moment: moment.facts.profile.locale, unknown="without a locale",
    ),
    Attribute(
        "customer_countries", COUNTRY, Group.PROFILE, "The countries of all addresses, as in ISO 3166-1.",
        "customer_countries CONTAINS 'DE'", Fact.PROFILE,
        lambda moment: tuple(each.country for each in moment.facts.profile.addresses if each.country),
    ),
    Attribute(
        "customer_regions", PLACES, Group.PROFILE,
        "The regions of all addresses: alone (`'NY'`) or behind their country (`'US-NY'`).",
        "customer_regions CONTAINS 'US-NY'", Fact.PROFILE, _regions,
    ),
    Attribute(
        "customer_cities", PLACES, Group.PROFILE,
        "The cities of all addresses: alone (`'Berlin'`), behind their country (`'DE-Berlin'`), or behind country and "
        "region (`'US-NY-NewYorkCity'`).",
        "customer_cities CONTAINS 'US-NY-NewYorkCity'", Fact.PROFILE, _cities,
    ),
    Attribute(
        "customer_tags", TEXTS, Group.PROFILE, "The tags.", "customer_tags NOT CONTAINS 'wholesale'", Fact.PROFILE,
        lambda moment: moment.facts.profile.tags,
    ),
    Attribute(
        "customer_added_date", DATE, Group.PROFILE, "The day on which the customer was first recorded.",
        "customer_added_date >= -30d", Fact.PROFILE,
        lambda moment: days.of(moment.facts.profile.added_at, moment.facts.zone),
    ),
    Attribute(
        "birth_date", DATE, Group.PROFILE, "The day of birth. For birthdays, see `anniversary`.",
        "birth_date < 1990-01-01", Fact.PROFILE, _birth_date, unknown="without a day of birth",
    ),
    Attribute(
        "age", INTEGER, Group.PROFILE,
        "Completed years. Who was born on 29 February becomes a year older on 28 February where there is no other.",
        "age BETWEEN 18 AND 25", Fact.PROFILE, _age, unknown="without a day of birth",
        compared=lambda operator, values, negated: comparing.aged(_birth_date, operator, values, negated=negated),
    ),
    Attribute(
        "gender", choice("female", "male", "other", "undisclosed"), Group.PROFILE, "The gender, as told.",
        "gender IN ('female', 'other')", Fact.PROFILE, lambda moment: moment.facts.profile.gender,
        unknown="of whom nothing was told",
    ),
    Attribute(
        "customer_status", choice("active", "blocked"), Group.PROFILE,
        "Whether the customer takes part. Who is deleted is in no segment.", "customer_status = 'active'",
        Fact.PROFILE, lambda moment: moment.facts.profile.status,
    ),
)  # fmt: skip

PARTS = ("source", "medium", "campaign", "term", "content")
ACQUISITION = (
    *(
        Attribute(
            f"{prefix}utm_{part}", TEXT, Group.PROFILE,
            f"The UTM {part} of the {end} touchpoint that told one, or of the site that led here.",
            f"{prefix}utm_{part} = '{example}'", Fact.ACQUISITION, _part_of(end == "first", part), unknown=NO_SOURCE,
        )
        for prefix, end in (("", "first"), ("last_", "last"))
        for part, example in zip(PARTS, ("newsletter", "email", "spring", "shoes", "banner-2"), strict=True)
    ),
    Attribute(
        "acquisition_channel", TEXT, Group.PROFILE, "The channel of the first touchpoint that told a source.",
        "acquisition_channel = 'web'", Fact.ACQUISITION, _part_of(True, "channel"), unknown=NO_SOURCE,  # noqa: FBT003
    ),
)  # fmt: skip
