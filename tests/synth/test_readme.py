"""The first service of the README is a service: it synthesizes as printed, added as printed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from holdfast_constructs.testing import synthesize_into
from holdfast_stacks.edge import Edge
from holdfast_stacks.network import Network
from holdfast_stacks.settings import Service, load_environments
from holdfast_stacks.site import Site

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DIGEST = "@sha256:" + "0" * 64


def printed_in(language: str, beginning: str) -> str:
    """Return the one block of the README that begins so."""
    (block,) = re.findall(rf"```{language}\n({re.escape(beginning)}.*?)```", README, re.DOTALL)
    return str(block)


def edit(file: Path, place: str, added: str) -> None:
    """Put `added` behind `place`."""
    text = file.read_text(encoding="utf-8")
    assert text.count(place) == 1
    file.write_text(text.replace(place, place + added), encoding="utf-8")


def test_the_first_service_of_the_readme_synthesizes(tmp_path: Path) -> None:
    printed: dict[str, Any] = {}
    exec(compile(printed_in("python", "# stacks/"), "README.md", "exec"), printed)
    (env,) = load_environments(ROOT / "environments", ("local",))

    def build(app: Any) -> None:
        site = Site(env, env.regions[0])
        platform = Edge(app, site, base=Network(app, site)).platform
        image = f"example.com/payments{DIGEST}"
        printed["Payments"](app, site, Service(image=image), platform=platform)

    found = synthesize_into(tmp_path, build)

    found["payments"].has_resource("aws_ecs_service", launch_type="FARGATE")


def test_it_is_known_after_what_the_readme_says_and_nothing_else(tmp_path: Path) -> None:
    package = tmp_path / "stacks" / "holdfast_stacks"
    shutil.copytree(ROOT / "stacks" / "holdfast_stacks", package)
    shutil.copytree(ROOT / "environments", tmp_path / "environments")
    (package / "payments.py").write_text(printed_in("python", "# stacks/"), encoding="utf-8")
    (field,) = re.findall(r"`(payments: .*?)`", README)
    edit(package / "settings" / "models.py", "    orders: DatabaseService | None = None\n", f"    {field}\n")
    edit(package / "catalog.py", "import Orders\n", "from holdfast_stacks.payments import Payments\n")
    with (package / "catalog.py").open("a", encoding="utf-8") as catalog:
        catalog.write(printed_in("python", "    if services.payments"))
    settings = printed_in("toml", "# environments/staging.toml").replace("@sha256:…", DIGEST)
    with (tmp_path / "environments" / "staging.toml").open("a", encoding="utf-8") as staging:
        staging.write(settings)

    path = os.pathsep.join([str(package.parent), *sys.path])
    asked = {"HOLDFAST_ENV": "staging", "HOLDFAST_SERVICE": "payments", "HOLDFAST_ENVIRONMENTS": ""}
    outdir = tmp_path / "cdktf.out"
    run = subprocess.run(
        [sys.executable, "-m", "holdfast_stacks"],
        cwd=tmp_path,
        env=os.environ | asked | {"CDKTF_OUTDIR": str(outdir), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    kept = sorted(folder.name for folder in (outdir / "stacks").iterdir())
    assert kept == [f"{service}-staging-eu-west-1" for service in ("edge", "network", "payments")]
    (account,) = re.findall(r'image = "([0-9]{12})', settings)
    assert account == load_environments(ROOT / "environments", ("staging",))[0].account
