# crm/segmentation/measuring.py
"""What is counted and found of a shop's segments and customers: overlaps, what is typical of members, RFM scores. A
door beside `service`.
"""

from crm.customers.service import Snapshot
from crm.segmentation.insights import Insights
from crm.segmentation.insights import insights as insights_of
from crm.segmentation.language.facts import Rfm
from crm.segmentation.overlap import MOST_COUNTED, Overlap, Region, overlap
from crm.segmentation.overlap import MOST_SEGMENTS as MOST_OVERLAPPING
from crm.segmentation.rfm import Thresholds
from crm.segmentation.scoring import rfm_of
from crm.segmentation.traits import Choice, Number, Share, Typical

__all__ = [
    "MOST_COUNTED",
    "MOST_OVERLAPPING",
    "Choice",
    "Insights",
    "Number",
    "Overlap",
    "Region",
    "Rfm",
    "Share",
    "Snapshot",
    "Thresholds",
    "Typical",
    "insights_of",
    "overlap",
    "rfm_of",
]
