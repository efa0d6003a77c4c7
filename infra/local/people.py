# infra/local/people.py
"""Made-up people for real, anonymous purchases: the same ones every time, and none that exists."""

import random
from dataclasses import dataclass
from typing import Any

_FIRST = """
    Ada Alan Amara Anna Ben Bruno Carla Chen Clara Dario Dana Elena Emil Eva Felix Fatima Greta Hana Hugo Ida Ines
    Jakob Jana Jonas Karim Kira Lea Leo Lena Lin Luca Maya Mara Max Mila Nina Noah Nora Omar Paula Rosa Ruben Sara
    Sofia Tara Theo Uma Viktor Yara Zoe
""".split()  # noqa: SIM905  a list of these would be a hundred lines
_LAST = """
    Adler Baker Berg Bianchi Blake Carter Castro Chung Cole Costa Diaz Ebner Fischer Flores Fox Garcia Gruber Hale
    Hansen Hill Ito Jansen Kaya Keller King Kovacs Lang Larsen Lopez Maier Mason Meyer Moreau Nagy Novak Okafor Park
    Perez Quinn Reed Rossi Sato Silva Stone Tanaka Vogel Wagner Weber Yilmaz Zhang
""".split()  # noqa: SIM905  a list of these would be a hundred lines

_AGREES, _DECLINES = 0.65, 0.85


@dataclass(frozen=True)
class Person:
    number: str
    first_name: str
    last_name: str
    birth_year: int
    marketing: str | None

    @classmethod
    def of(cls, number: str) -> "Person":
        """Return the person that stands for a customer of the purchase log."""
        chance = random.Random(f"cdnow {number}")
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        drawn = chance.random()
        marketing = "granted" if drawn < _AGREES else "denied" if drawn < _DECLINES else None
        return cls(number, first, last, chance.randint(1950, 2004), marketing)

    def customer(self) -> dict[str, Any]:
        """Return what an envelope says of its customer. example.com belongs to nobody, for good."""
        return {
            "externalId": f"cdnow-{self.number}",
            "email": f"{self.first_name}.{self.last_name}.{self.number}@example.com".lower(),
            "emailVerified": True,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "locale": "en-US",
            "birthDate": f"{self.birth_year}-06-15",
        }

    def consents(self) -> list[dict[str, str]]:
        service = {"channel": "email", "purpose": "transactional", "state": "granted", "source": "demo"}
        if self.marketing is None:
            return [service]
        return [service, {"channel": "email", "purpose": "marketing", "state": self.marketing, "source": "demo"}]
