"""The ten research questions in words."""

QUESTIONS: dict[str, str] = {
    "RQ1": "What effect did the patrols have on serious violence?",
    "RQ2": "What effect did the patrols have on other crime and on harm?",
    "RQ3": "What effect did the patrols have on anti-social behaviour?",
    "RQ4": "How aware is the public of the patrols?",
    "RQ5": "How effective does the public think the patrols are?",
    "RQ6": "How safe do people feel in and around the hot spots?",
    "RQ7": "How does the public see the police, and how much confidence does it have in them?",
    "RQ8": "How do these answers vary by demography?",
    "RQ9": "How do these answers vary between core night-time economy hours and other hours?",
    "RQ10": "What effect did the patrols have on hospital attendances and admissions for violence?",
}
"""Identifier to title; two-sided, in the order of the report."""
