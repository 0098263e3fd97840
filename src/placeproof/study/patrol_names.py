"""Names in the plan that nothing in the data bears: most likely a slip of the pen."""

from collections.abc import Collection, Sequence

from placeproof.files import packed
from placeproof.files.feed import notice
from placeproof.study.patrol_keys import PatrolPlan
from placeproof.study.position_files import positions_of_study
from placeproof.study.reading import Inputs
from placeproof.study.settings import Study


def unknown_names(study: Study, plan: PatrolPlan, inputs: Inputs) -> list[dict[str, object]]:
    """
    Tell of vehicles and deliverers of the plan that do not occur.

    Parameters
    ----------
    study : Study
        With its packed feeds.
    plan : PatrolPlan
        Names `vehicle_devices` and `without_gps`.
    inputs : Inputs
        Tables `ping` and `delivered`.

    Returns
    -------
    list of dict
        A warning for each of the two lists that names what is not there, as `feed.notice` makes
        it. Devices are told by their place in the list, because pseudonyms are not printed.

    Raises
    ------
    InputError
        If a packed folder is not whole.
    """
    said = []
    absent = _absent(plan.vehicle_devices, _devices(study, inputs)) if plan.vehicle_devices else []
    if absent:
        which = ", ".join(str(place) for place in absent)
        of = len(plan.vehicle_devices)
        said.append(
            notice(
                "plan.toml",
                "unknown_vehicle_device",
                "warning",
                f"[patrols]: {len(absent)} of the {of} vehicle_devices (number {which} in the "
                "list) sent no position, so they change nothing.",
                mend="write each as table ping has it in device_id, or take it out of the list",
            )
        )
    told = inputs.get("delivered")
    known = set() if told is None else set(told["delivered_by"].unique().to_list())
    if missing := _absent(plan.without_gps, known):
        names = ", ".join(repr(plan.without_gps[place - 1]) for place in missing)
        there = ", ".join(repr(name) for name in sorted(known)) or "nobody"
        said.append(
            notice(
                "plan.toml",
                "unknown_deliverer",
                "warning",
                f"[patrols]: without_gps names {names}, who delivered nothing; delivered_by holds "
                f"{there}.",
                mend="write each as delivered_by has it, or take it out of the list",
            )
        )
    return said


def _absent(names: Sequence[str], known: Collection[str]) -> list[int]:
    """Places in the list, from 1."""
    return [place for place, name in enumerate(names, start=1) if name not in known]


def _devices(study: Study, inputs: Inputs) -> set[str]:
    pings = inputs.get("ping")
    devices = set() if pings is None else set(pings["device_id"].unique().to_list())
    positions = positions_of_study(study, None)
    for one in () if positions is None else positions.folders:
        devices |= set(packed.device_ids(str(one.folder / packed.DEVICES)))
    return devices
