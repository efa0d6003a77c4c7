# crm/notifications/thank_you.py
"""The e-mail after a first order. Pure: values in, a letter out.

Every value is escaped for HTML and put on one line, so that a name can neither add markup nor a header.
"""

from html import escape
from string import Template

from msgspec import Struct

LONGEST_NAME = 60
FALLBACK_LANGUAGE = "en"


class Letter(Struct, frozen=True):
    subject: str
    text: str
    html: str


class Wording(Struct, frozen=True):
    subject: str
    greeting: str
    greeting_without_name: str
    thanks: str
    closing: str
    unsubscribe: str


WORDINGS = {
    "en": Wording(
        subject="Thank you for your first order at $shop",
        greeting="Hello $name,",
        greeting_without_name="Hello,",
        thanks="thank you for your first order. We are glad that you are here.",
        closing="$shop",
        unsubscribe=(
            "You get this message because you agreed to e-mails from us. To stop them, reply with “unsubscribe”."
        ),
    ),
    "de": Wording(
        subject="Danke für Ihre erste Bestellung bei $shop",
        greeting="Guten Tag $name,",
        greeting_without_name="Guten Tag,",
        thanks="danke für Ihre erste Bestellung. Wir freuen uns, dass Sie da sind.",
        closing="$shop",
        unsubscribe=(
            "Sie erhalten diese Nachricht, weil Sie E-Mails von uns zugestimmt haben. "
            "Antworten Sie mit „Abmelden“, wenn Sie keine mehr möchten."
        ),
    ),
}


def write(locale: str | None, *, first_name: str | None, shop_name: str) -> Letter:
    """The letter in the language of a BCP 47 locale, or in English."""
    language = (locale or "").split("-")[0].lower()
    wording = WORDINGS.get(language) or WORDINGS[FALLBACK_LANGUAGE]
    name = _usable(first_name)
    values = {"name": name or "", "shop": " ".join(shop_name.split())}
    greeting = wording.greeting if name else wording.greeting_without_name
    paragraphs = [greeting, wording.thanks, wording.closing, wording.unsubscribe]
    safe = {key: escape(value) for key, value in values.items()}
    body = "\n".join(f"<p>{Template(escape(paragraph)).substitute(safe)}</p>" for paragraph in paragraphs)
    return Letter(
        subject=Template(wording.subject).substitute(values),
        text="\n\n".join(Template(paragraph).substitute(values) for paragraph in paragraphs) + "\n",
        html=f'<!doctype html>\n<html lang="{language if language in WORDINGS else FALLBACK_LANGUAGE}">'
        f'<meta charset="utf-8"><body>\n{body}\n</body></html>\n',
    )


def _usable(name: str | None) -> str | None:
    """A name to greet with. Sign-up forms are used to send links to strangers, in the place of a name."""
    name = " ".join((name or "").split())
    return name if name and len(name) <= LONGEST_NAME and not set("/@<>") & set(name) else None
