"""What a saved plan file says about the state it was made from.

A plan file is a zip archive. `tfstate` in it carries the lineage and serial Terraform compares under the
lock before it applies; `tfstate-prev` carries neither, and `terraform show -json` leaves both out.
"""

import io
import json
import zipfile
from dataclasses import dataclass

from holdfast_orchestrator.errors import HoldfastError

STATE = "tfstate"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which state: the lineage (a UUID made at the first write) and the serial (one more per write)."""

    lineage: str
    serial: int


def prior_stamp(plan_file: bytes) -> Stamp:
    """Lineage and serial of the state a saved plan was made from; ("", 0) when there was none.

    Raises:
        HoldfastError: the file is no plan of Terraform.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(plan_file)) as archive:
            state = json.loads(archive.read(STATE))
        return Stamp(state.get("lineage", ""), int(state.get("serial", 0)))
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise HoldfastError(
            f"This is not a plan file Terraform wrote: {error}.", next_step="plan again"
        ) from error
