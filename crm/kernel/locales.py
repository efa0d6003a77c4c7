# crm/kernel/locales.py
"""Locales: language, script, region and variants of BCP 47, each written as that recommends."""

import re

FORM = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*", re.ASCII)
EXPECTED = "must be a BCP 47 locale such as en or de-AT"


def is_locale(text: str) -> bool:
    return FORM.fullmatch(text) is not None


def written(text: str) -> str:
    """As BCP 47 writes what systems write in their own way, such as `de_at`; what is no locale is returned as it is."""
    language, *others = text.replace("_", "-").split("-")
    normal = "-".join([language.lower(), *map(_part, others)])
    return normal if is_locale(normal) else text


def _part(part: str) -> str:
    return part.upper() if len(part) == 2 else part.title() if len(part) == 4 and part.isalpha() else part.lower()  # noqa: PLR2004  regions and scripts
