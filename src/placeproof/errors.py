"""What a user can mend, said plainly, with an exit code for each kind.

Anything that is not a `StudyError` is a fault of ours and keeps its traceback.
"""


class StudyError(Exception):
    """Something that a user can mend: shown without a traceback.

    Parameters
    ----------
    message : str
        What is wrong, where (file, row, column), what was found, what is expected.
    mend : str
        What to do about it, as one sentence.
    """

    exit_code = 2
    code = "study"

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n  To mend: {self.mend}" if self.mend else self.message


class SettingsError(StudyError):
    """`study.toml` or `plan.toml` cannot be read or contradicts itself."""

    exit_code = 3
    code = "settings"


class InputError(StudyError):
    """A file is missing, empty, of the wrong kind, or none of its rows can be kept."""

    exit_code = 4
    code = "input"


class GeometryError(StudyError):
    """Coordinates are swapped, in degrees where metres are meant, or outside the study area."""

    exit_code = 5
    code = "geometry"


class ContractError(StudyError):
    """A table does not meet its contract where no quarantine is possible."""

    exit_code = 6
    code = "contract"


class LockError(StudyError):
    """The plan is not locked, or differs from the plan that was locked."""

    exit_code = 7
    code = "lock"


class IdentificationError(StudyError):
    """The data cannot bear the estimate that was asked for; the message says why."""

    exit_code = 8
    code = "identification"


class OutputError(StudyError):
    """A result cannot be written: the disk is full, read-only, or the file is open elsewhere."""

    exit_code = 9
    code = "output"


KINDS: tuple[type[StudyError], ...] = (
    StudyError,
    SettingsError,
    InputError,
    GeometryError,
    ContractError,
    LockError,
    IdentificationError,
    OutputError,
)
"""Every kind, in the order of their exit codes; the manual's table is made from it."""
