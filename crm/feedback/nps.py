# crm/feedback/nps.py
"""The Net Promoter Score of answers from 0 to 10. Pure: values in, values out.

Source: F. F. Reichheld, "The One Number You Need to Grow", Harvard Business Review 81(12), December 2003: promoters
answer 9 or 10, passives 7 or 8, detractors 0 to 6; the score is the share of promoters less the share of detractors.
"""

LOWEST, HIGHEST = 0, 10
PROMOTER, PASSIVE, DETRACTOR = "promoter", "passive", "detractor"
PROMOTERS_FROM, PASSIVES_FROM = 9, 7


def group(score: int) -> str:
    """Which of the three groups an answer belongs to."""
    if score >= PROMOTERS_FROM:
        return PROMOTER
    return PASSIVE if score >= PASSIVES_FROM else DETRACTOR
