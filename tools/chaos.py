"""Kill things at random moments, resume, and look whether anything was lost: `make chaos N=200 SEED=1`.

Prints a line a case; a case that failed is printed in full, with the command that repeats it. Exit code 1
if any did.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.faults.lab.campaign import Verdict, case, opened, play  # noqa: E402 - after the path


def main(argv: list[str] | None = None) -> int:
    """Play the campaign the options ask for."""
    options = _options(argv)
    numbers = [options.case] if options.case is not None else list(range(options.runs))
    jobs = min(options.jobs, len(numbers))
    began = time.monotonic()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, ProcessPoolExecutor(jobs) as executor:
        shares = [numbers[job::jobs] for job in range(jobs)]
        played = [
            executor.submit(_share, Path(folder) / str(job), options.seed, share)
            for job, share in enumerate(shares)
        ]
        for share in as_completed(played):
            failed += share.result()
    print(f"{len(numbers) - failed} of {len(numbers)} cases are well, in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="how many cases")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plays the same cases")
    parser.add_argument("--case", type=int, help="this one case only")
    parser.add_argument("--jobs", type=int, default=2, help="cases at once")
    return parser.parse_args(argv)


def _share(folder: Path, seed: int, numbers: Iterable[int]) -> int:
    """Play these cases one after another in one lab; return how many failed."""
    failed = 0
    with opened(folder) as lab:
        for number in numbers:
            verdict = play(lab, folder / f"case-{number}", case(seed, number))
            _tell(verdict)
            failed += bool(verdict.problems)
    return failed


def _tell(verdict: Verdict) -> None:
    mark = "✘" if verdict.problems else "✔"
    print(f"{mark} {verdict.case}", flush=True)
    if verdict.problems:
        again = f"python tools/chaos.py --seed {verdict.case.seed} --case {verdict.case.number}"
        print("\n".join([*verdict.problems, *verdict.story, f"play it again: {again}"]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
