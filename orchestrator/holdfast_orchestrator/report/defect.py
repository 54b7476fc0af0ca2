"""Reports a defect in Holdfast: one line for the person, and a file for the developers."""

import platform
import traceback
from collections.abc import Sequence

from holdfast_orchestrator.system.private_files import UnsafePlaceError, cache_folder_of, write_new
from holdfast_orchestrator.system.runtime import Runtime


def report_defect(error: Exception, argv: Sequence[str], runtime: Runtime) -> str:
    """Write the report below the cache folder; return the line that names it."""
    redactor = runtime.redactor
    trace = "".join(traceback.format_exception(error))
    text = redactor.text(
        f"command: holdfast {' '.join(argv)}\n"
        f"python: {platform.python_version()} on {platform.platform()}\n\n{trace}"
    )
    line = redactor.text(f"a defect in Holdfast: {type(error).__name__}: {error}".splitlines()[0])
    try:
        folder = cache_folder_of(runtime.cache, "reports")
        file = folder / f"{runtime.clock.now().strftime('%Y%m%dT%H%M%S.%f')}.txt"
        write_new(file, text.encode(errors="backslashreplace"))
    except (OSError, UnsafePlaceError) as problem:
        return f"{line}; the report could not be written ({problem}):\n{text}"
    return f"{line}; report: {file}"
