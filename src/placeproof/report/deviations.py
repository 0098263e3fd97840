"""What was changed after the plan was locked, and how many numbers each change touches."""

from placeproof.report.document import Block, Name, Paragraph, Recorded, Spans, Table, Text
from placeproof.report.material import Material

_NOTE = (
    "Such numbers carry the mark †. They were made otherwise than the plan said that was locked "
    "before outcomes were seen, and are exploratory."
)


def blocks(material: Material) -> list[Block]:
    """
    List the deviations from the locked plan.

    Parameters
    ----------
    material : Material
        The contents; the manifest holds the deviations.

    Returns
    -------
    list of Block
        One table, or nothing where nothing was changed.
    """
    lock = material.contents.manifest.get("lock")
    if not isinstance(lock, dict) or not lock.get("deviations"):
        return []
    found = lock["deviations"]
    rows: list[tuple[Spans, ...]] = [
        (
            (Name(str(each["key"]), code=True),),
            (Name(str(each["locked"])),),
            (Name(str(each["now"])),),
            (Name(str(each["touches"])),),
            (Recorded(str(each["numbers"]), "record"),),
        )
        for each in found
    ]
    lead = Text(f"Changed after the plan was locked on {lock['locked_on']}.", strong=True)
    return [
        Paragraph((lead, Text(" "), Text(_NOTE))),
        Table(
            "deviations",
            "Deviations from the locked plan",
            ("Choice", "As locked", "As it is now", "What it touches", "Numbers"),
            tuple(rows),
            frozenset({4}),
            widths=(0.2, 0.22, 0.22, 0.26, 0.1),
        ),
    ]
