"""JSON that others wrote: parsed with bounds, so that what is wrong with it is one error."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_file, read_source

# Terraform's own configuration is some twenty levels deep; what walks through a document calls itself.
DEEPEST = 200
# What an app writes: the largest that is known has a few megabytes.
LARGEST = 64 * 2**20


def parse_json(content: bytes | str) -> Any:
    """Return the document. Raises ValueError for what is no JSON, or is nested too deeply to be walked."""
    with suppress(RecursionError):
        document = json.loads(content)
        if not _is_deeper(document, DEEPEST):
            return document
    raise ValueError(f"nested more than {DEEPEST} levels deep")


def read_settings(file: Path, *, follow: bool = False) -> bytes:
    """Return the bytes of a file of the app; with `follow` also through a link.

    Raises FileNotFoundError, and SettingsError for anything but a file that can be read.
    """
    try:
        return read_source(file, largest=LARGEST) if follow else read_file(file, largest=LARGEST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingsError.unreadable(file, error) from None
    except UnsafePlaceError as error:
        raise SettingsError(error.what, next_step=error.next_step) from None


def _is_deeper(document: Any, levels: int) -> bool:
    level = [document]
    for _ in range(levels):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
