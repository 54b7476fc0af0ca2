"""A mirror of providers with the AWS provider of this machine and the tests' own one."""

import sys
from pathlib import Path

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.mirrors import find_mirrors, this_platform
from holdfast_orchestrator.engine.warm.packages import _h1
from holdfast_orchestrator.system.runtime import real_runtime

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = "registry.terraform.io"
AWS, TINY = f"{REGISTRY}/hashicorp/aws", f"{REGISTRY}/acme/tiny"
_PROVIDER = ROOT / "tests" / "fixtures" / "tiny_provider" / "provider.py"


def mirror(folder: Path) -> dict[str, lockfile.LockedProvider]:
    """Make the mirror, and return what locks its providers."""
    real = find_mirrors(real_runtime(), REGISTRY)[0].path
    # Terraform follows a link at this place only.
    (package,) = (real / AWS).glob(f"*/{this_platform()}")
    (folder / AWS / package.parent.name).mkdir(parents=True)
    (folder / AWS / package.parent.name / package.name).symlink_to(package)
    tiny = folder / TINY / "1.0.0" / this_platform()
    tiny.mkdir(parents=True)
    binary = tiny / "terraform-provider-tiny_v1.0.0"
    binary.write_text(f"#!{sys.executable}\n{_PROVIDER.read_text()}")
    binary.chmod(0o755)
    lock = lockfile.LockedProvider("1.0.0", "1.0.0", (_h1(tiny, folder / "hashes"),))
    return {**lockfile.read(ROOT), TINY: lock}
