# crm/segmentation/querying.py
"""What whoever writes a query asks: what it says, what it may name, whom it would find, and why somebody is found. A
door beside `service`, which is that to the segments there are.
"""

from crm.customers.service import Snapshot
from crm.segmentation.drafting import may_be_named, mistakes_of, understood
from crm.segmentation.explaining import Explained, explain_query, explain_segment
from crm.segmentation.in_force import InForce
from crm.segmentation.known_texts import known_texts
from crm.segmentation.language.catalogue import Catalogue
from crm.segmentation.language.compiling import Compiled, Understood
from crm.segmentation.language.explaining import Explanation
from crm.segmentation.language.facts import ORIGINS
from crm.segmentation.language.facts import Fact as FactKind
from crm.segmentation.language.mistakes import Mistake
from crm.segmentation.language.suggesting import Suggestion, filters_at, values_at
from crm.segmentation.language.templates import TEMPLATES, Template
from crm.segmentation.previewing import MOST as MOST_LOOKED_AT
from crm.segmentation.previewing import MOST_WITH_HISTORIES, Looked, histories, look, members_among, requests
from crm.segmentation.sampling import SHARED_BY, Sample

__all__ = [
    "MOST_LOOKED_AT",
    "MOST_WITH_HISTORIES",
    "ORIGINS",
    "SHARED_BY",
    "TEMPLATES",
    "Catalogue",
    "Compiled",
    "Explained",
    "Explanation",
    "FactKind",
    "InForce",
    "Looked",
    "Mistake",
    "Sample",
    "Snapshot",
    "Suggestion",
    "Template",
    "Understood",
    "explain_query",
    "explain_segment",
    "filters_at",
    "histories",
    "known_texts",
    "look",
    "may_be_named",
    "members_among",
    "mistakes_of",
    "requests",
    "understood",
    "values_at",
]
