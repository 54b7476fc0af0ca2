"""`python -m holdfast_orchestrator.engine.warm FOLDER CACHE`: be the gateway."""

import asyncio
import shutil
import sys
from pathlib import Path

from holdfast_orchestrator.engine.warm.folders import hold
from holdfast_orchestrator.engine.warm.gateway import Gateway
from holdfast_orchestrator.engine.warm.reaper import Bounds
from holdfast_orchestrator.system.capacity import memory_here


def main(folder: Path, cache: Path) -> None:
    """Serve, and leave nothing behind."""
    hold(folder)
    try:
        asyncio.run(Gateway(folder, cache, Bounds.for_memory(memory_here())).serve())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
