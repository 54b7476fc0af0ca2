"""`python -m holdfast_orchestrator.engine.warm FOLDER CACHE`: be the gateway."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from holdfast_orchestrator.engine.warm.gateway import Gateway
from holdfast_orchestrator.engine.warm.reaper import Bounds


def main(folder: Path, cache: Path) -> None:
    """Serve, and leave nothing behind."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        asyncio.run(Gateway(folder, cache, Bounds.for_memory(memory)).serve())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
