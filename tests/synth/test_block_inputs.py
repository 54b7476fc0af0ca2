"""What a block is given in a stack: tokens are legal, wrong types are not, and its attributes are its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cdktf import TerraformVariable, Token
from cdktf_cdktf_provider_aws.vpc import Vpc
from constructs import Construct

from holdfast_constructs import (
    ConstructError,
    HoldfastApp,
    Image,
    Key,
    Network,
    Scale,
    ServiceStack,
    Target,
    WebService,
)
from holdfast_constructs.errors import ArgumentError
from holdfast_constructs.project.main import main
from holdfast_constructs.testing import Synthesis, sample_target

if TYPE_CHECKING:
    from tests.synth.conftest import Site

OnSite = Callable[..., Synthesis]


def variable(scope: Construct, name: str) -> TerraformVariable:
    return TerraformVariable(scope, name, default="x")


def test_tokens_are_legal_where_texts_lists_and_tables_are(on_site: OnSite) -> None:
    def build(site: "Site") -> None:
        stack = ServiceStack(site.app, "tokens", site.target)
        vpc = Vpc(stack, "vpc", cidr_block="10.0.0.0/16")
        text = variable(stack, "text").string_value
        service = site.service(stack, environment={"TEXT": text, "VPC": vpc.id, "MIXED": f"a-{text}"})
        stack.add_output("vpc_id", vpc.id)
        Network.import_(
            stack,
            "imported",
            vpc_id=vpc.id,
            vpc_cidr=vpc.cidr_block,
            public_subnet_ids=[text, vpc.id],
            private_subnet_ids=(text, text),
            isolated_subnet_ids=[text] * 2,
        )
        assert service.host

    on_site(build)


def test_a_number_token_is_a_number_and_no_text(on_site: OnSite) -> None:
    def build(site: "Site") -> None:
        stack = ServiceStack(site.app, "numbers", site.target)
        number: Any = variable(stack, "number").number_value
        with pytest.raises(ConstructError, match="min_tasks must be 1-5000, got a value known only after"):
            site.service(stack, scale=Scale(number, 10))
        with pytest.raises(ArgumentError, match=r"got a token, .*Token\.as_string"):
            site.service(stack, "second", host=number)
        with pytest.raises(ArgumentError, match=r"Token\.as_number"):
            site.service(stack, "third", port=Token.as_string(number))
        fields = {name: getattr(site.target, name) for name in Target.__slots__}
        fields["local"] = Token.as_any(variable(stack, "switch").value)
        with pytest.raises(ArgumentError, match="decide it in Python"):
            Target(**fields)

    on_site(build)


def test_the_mistakes_of_a_first_hour_each_give_one_clear_error(on_site: OnSite) -> None:
    mistakes: dict[str, dict[str, Any]] = {
        "port of WebService \"api\" must be a whole number (int), got '8080' (str); write 8080, without": {
            "port": "8080"
        },
        'environment[\'DB_PORT\'] of WebService "api" must be a text (str), got 5432 (int); write "5432"': {
            "environment": {"DB_PORT": 5432}
        },
        "image of WebService \"api\" must be an Image, got 'web:1' (str); write Image.of('web:1')": {
            "image": "web:1"
        },
        'image of WebService "api" must be an Image, got None; give it a value': {"image": None},
        "WebService \"api\" has no argument 'prot'; did you mean port?": {"prot": 8080},
        'scale of WebService "api" must be a Scale, got 2 (int)': {"scale": 2},
        "secrets['KEY'] of WebService \"api\" must be a text (str) or a SecretValue, got an int, not": {
            "secrets": {"KEY": 12345678}
        },
    }

    def build(site: "Site") -> None:
        for number, (message, properties) in enumerate(mistakes.items()):
            stack = ServiceStack(site.app, f"s{number}", site.target)
            with pytest.raises(ArgumentError) as raised:
                site.service(stack, **properties)
            assert message in str(raised.value)
            assert "12345678" not in str(raised.value)

    on_site(build)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("service", "self.service of Mine is an attribute of a ServiceStack already"),
        ("target", "self.target of Mine is an attribute"),
        ("record", "self.record of Mine is a method of a ServiceStack already"),
        ("add_override", "self.add_override of Mine is a method"),
        ("node", "self.node of Mine is an attribute"),
        ("_protected", "self._protected of Mine is an attribute"),
    ],
)
def test_an_attribute_of_a_stack_cannot_be_overwritten_by_a_class_that_is_derived(
    synthesize: Callable[..., Synthesis], name: str, message: str
) -> None:
    class Mine(ServiceStack):
        def __init__(self, app: HoldfastApp) -> None:
            super().__init__(app, "mine", sample_target())
            self.own = self.my_service = Key(self, "key", purpose="logs")
            setattr(self, name, self.own)

    with pytest.raises(ConstructError, match=message) as raised:
        synthesize(Mine)

    assert "such as self.key" in str(raised.value)


def test_one_that_is_set_before_the_block_sets_it_is_refused_too(
    synthesize: Callable[..., Synthesis],
) -> None:
    class Mine(ServiceStack):
        def __init__(self, app: HoldfastApp) -> None:
            self.service = "mine"
            super().__init__(app, "mine", sample_target())

    with pytest.raises(ConstructError, match=r"self\.service of Mine was set before super"):
        synthesize(Mine)


def test_a_service_keeps_its_parts_and_may_still_be_connected(on_site: OnSite) -> None:
    class Mine(WebService):
        def __init__(self, scope: Construct, *, flavour: str, **rest: Any) -> None:
            super().__init__(scope, "api", **rest)
            self.flavour = flavour

    def build(site: "Site") -> None:
        stack = ServiceStack(site.app, "mine", site.target)
        service = Mine(
            stack,
            flavour="any",
            platform=site.platform,
            image=Image.of(f"web@sha256:{'0' * 64}"),
            port=8080,
            health="/",
            host="mine.example.com",
            scale=Scale(2, 10),
        )
        service.connect_to(site.database())
        with pytest.raises(
            ConstructError, match=r"self\.service of Mine is an attribute of a WebService already"
        ):
            service.service = None  # type: ignore[assignment]

    on_site(build)


APP = """
from constructs import Construct
from holdfast_constructs import Key, ServiceStack
from holdfast_constructs.project import Site, shared


@shared("alone")
class Alone(ServiceStack):
    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "alone", site.target)
        Key(
            self,
            "key",
            purpose={purpose},
        )
"""


def test_a_project_ends_with_64_and_names_the_file_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "alone.py").write_text(APP.format(purpose='"log"'))
    example = Path("environments/local.toml").read_text().split("[services.")[0] + "[services]\n"
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "local.toml").write_text(example)
    # Python adds no folder by itself where PYTHONSAFEPATH is set.
    code = f"import sys; sys.path.insert(0, ''); from {main.__module__} import main; sys.exit(main('shop'))"

    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 64, done.stderr
    assert done.stderr == (
        "holdfast: the stacks cannot be built\n\n"
        'shop/alone.py:11: purpose of Key "key" is of the wrong type\n'
        "  got      'log' (str)\n"
        "  allowed  one of 'logs', 'data', 'messages'\n"
        "  next     pass one of 'logs', 'data', 'messages'; did you mean logs?\n"
    )
