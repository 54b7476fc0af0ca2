"""The first service of the README is a service: it synthesizes as printed."""

import re
from pathlib import Path
from typing import Any

from holdfast_constructs.testing import synthesize_into
from holdfast_stacks.edge import Edge
from holdfast_stacks.network import Network
from holdfast_stacks.settings import Service, load_environments
from holdfast_stacks.site import Site

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "example.com/payments@sha256:" + "0" * 64


def test_the_first_service_of_the_readme_synthesizes(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(# stacks/.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    printed: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), printed)
    (env,) = load_environments(ROOT / "environments", ("local",))

    def build(app: Any) -> None:
        site = Site(env, env.regions[0])
        platform = Edge(app, site, base=Network(app, site)).platform
        printed["Payments"](app, site, Service(image=IMAGE), platform=platform)

    found = synthesize_into(tmp_path, build)

    found["payments"].has_resource("aws_ecs_service", launch_type="FARGATE")
