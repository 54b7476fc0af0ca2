"""Stacks that register themselves, and the site that builds them."""

import linecache
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from constructs import Construct
from tests.support.example_settings import ENVIRONMENTS, example, load_environment, parse_environment

from holdfast_constructs import ConstructError, HoldfastApp, ServiceStack
from holdfast_constructs.project import Site, service, shared
from holdfast_constructs.project.main import build
from holdfast_constructs.project.registry import registrations
from holdfast_constructs.settings import Environment, Service
from holdfast_constructs.settings.base import recorded, unread

if TYPE_CHECKING:
    from decimal import Decimal


@shared("first")
class First(ServiceStack):
    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "first", site.target)
        site.stack(Second)


@shared("second")
class Second(ServiceStack):
    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "second", site.target)
        site.stack(First)


@service("elsewhere")
class Elsewhere(ServiceStack):
    def __init__(self, scope: Construct, site: Site, settings: Service) -> None:
        super().__init__(scope, "elsewhere", site.target)


@shared("misnamed")
class Misnamed(ServiceStack):
    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "otherwise", site.target)


@shared("caller")
class Caller(ServiceStack):
    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "caller", site.target)
        self.calls: list[str] = []
        site.later(Callee, lambda callee: self.calls.append(callee.name))


@shared("callee")
class Callee(ServiceStack):
    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "callee", site.target)
        self.calls: list[str] = []
        site.later(Caller, lambda caller: self.calls.append(caller.name))


@shared("hopeful")
class Hopeful(ServiceStack):
    def __init__(self, scope: Construct, site: Site) -> None:
        super().__init__(scope, "hopeful", site.target)
        site.later(Elsewhere, lambda _: None)


class Unregistered(ServiceStack):
    pass


@pytest.fixture
def site(tmp_path: Path) -> Site:
    environment = load_environment(ENVIRONMENTS / "local.toml")
    return Site(HoldfastApp(str(tmp_path / "out")), environment, environment.regions[0])


def package(folder: Path, name: str, **modules: str) -> str:
    (folder / name).mkdir()
    (folder / name / "__init__.py").touch()
    header = (
        "from holdfast_constructs import ServiceStack\n"
        "from holdfast_constructs.project import service, shared\n"
        "from holdfast_constructs.settings import Service\n"
    )
    for module, text in modules.items():
        (folder / name / f"{module}.py").write_text(header + text, encoding="utf-8")
    return name


def test_stacks_that_ask_for_each_other_are_named(site: Site) -> None:
    with pytest.raises(ConstructError, match="in a circle: ") as raised:
        site.stack(First)

    circle = r"first asks for second \((\S+:\d+)\), second asks for first \((\S+:\d+)\)"
    places = re.search(circle, str(raised.value))
    assert places is not None
    assert [linecache.getline(*_file_and_line(place)).strip() for place in places.groups()] == [
        "site.stack(Second)",
        "site.stack(First)",
    ]


def test_two_stacks_use_each_other_once_both_are_there(site: Site) -> None:
    caller = site.stack(Caller)

    callee = site.stack(Callee)
    assert (caller.calls, callee.calls) == ([callee.name], [caller.name])


def test_what_is_used_later_has_to_be_in_the_environment_and_the_asking_stack_is_named(site: Site) -> None:
    with pytest.raises(ConstructError, match="hopeful asks for the stack elsewhere, which environment local"):
        site.stack(Hopeful)


def test_outside_of_a_stack_later_is_now(site: Site) -> None:
    used: list[str] = []

    site.later(Callee, lambda callee: used.append(callee.service))

    assert used == ["callee"]


def _file_and_line(place: str) -> tuple[str, int]:
    file, _, line = place.rpartition(":")
    return file, int(line)


def test_a_service_that_the_environment_does_not_have_is_named(site: Site) -> None:
    with pytest.raises(
        ConstructError, match=r"elsewhere, which environment local .* add \[services.elsewhere\]"
    ):
        site.stack(Elsewhere)


def test_a_stack_that_is_not_registered_is_named(site: Site) -> None:
    with pytest.raises(ConstructError, match=r"Unregistered is not registered; write @service"):
        site.stack(Unregistered)


def test_a_stack_has_the_name_it_is_registered_with(site: Site) -> None:
    with pytest.raises(ConstructError, match="registered as 'misnamed' and calls itself 'otherwise'"):
        site.stack(Misnamed)


def test_a_name_no_service_can_have_is_refused() -> None:
    with pytest.raises(ConstructError, match="Pay_ments"):
        shared("Pay_ments")(Unregistered)


def test_a_service_says_what_its_settings_are() -> None:
    class Wrong(ServiceStack):
        def __init__(self, scope: Construct, site: Site, settings: dict[str, str]) -> None: ...

    class Fewer(ServiceStack):
        def __init__(self, scope: Construct, site: Site) -> None: ...

    class Hidden(ServiceStack):
        def __init__(self, scope: Construct, site: Site, settings: "Decimal") -> None: ...

    with pytest.raises(ConstructError, match="the type of its table as annotation"):
        service("wrong")(Wrong)
    with pytest.raises(ConstructError, match=r"\(self, scope, site, settings\)"):
        service("fewer")(Fewer)
    with pytest.raises(ConstructError, match="not only for type checkers"):
        service("hidden")(Hidden)


def test_every_module_of_the_package_is_looked_at_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    stack = "    def __init__(self, scope, site, settings: Service): ...\n"
    name = package(
        tmp_path,
        "stacks_of_a_test",
        pay=f'@service("pay")\nclass Pay(ServiceStack):\n{stack}',
        base='@shared("base")\nclass Base(ServiceStack):\n    pass\n',
        helper="NOTHING = 1\n",
    )

    assert list(registrations(name)) == ["base", "pay"]
    assert registrations(name)["pay"].settings is Service


def test_two_stacks_with_one_name_are_both_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    stack = '@shared("base")\nclass {}(ServiceStack):\n    pass\n'
    name = package(tmp_path, "stacks_named_twice", one=stack.format("One"), two=stack.format("Two"))

    with pytest.raises(ConstructError, match=r"'base': One in \S+\.one and Two in \S+\.two"):
        registrations(name)


EVERYTHING = """
[services.storefront.environment]
LOG_LEVEL = "info"
[services.storefront.secrets]
KEY = "arn:aws:ssm:eu-west-1:210987654321:parameter/key"
[health.alb_targets_healthy]
window = 600
[audit]
days = 365
[[state.copies]]
bucket = "example-holdfast-state-prod-copy"
region = "eu-central-1"
[network.regions.eu-west-1]
cidr = "10.50.0.0/16"
zone_names = ["eu-west-1a", "eu-west-1b"]
[gateway.certificates]
eu-west-1 = "arn:aws:acm:eu-west-1:210987654321:certificate/0a1b2c3d"
[[gateway.domains]]
name = "example.org"
zone_id = "Z0PRODEXAMPLE0000002"
certificates = { eu-west-1 = "arn:aws:acm:eu-west-1:210987654321:certificate/0a1b2c3e" }
[firewall.rule_modes]
HostingProviderIPList = "block"
[[firewall.exceptions]]
rules = ["SizeRestrictions_BODY"]
host = "shop.example.com"
path = "/upload*"
because = "pictures of the goods"
[[firewall.rate_limits]]
name = "login"
requests = 100
host = "shop.example.com"
path = "/login"
[foundation]
"""


DATABASE = r"""\g<0>
engine_version = "16"
extended_support = false
iops = 13000
throughput_mib = 600
backup_window = "01:00-02:00"
maintenance_window = "sun:02:30-sun:03:30"
pooler = true
parameters = {work_mem = "8192"}
pooled_users = {orders = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:orders-db-a1b2c3"}"""


def test_the_example_reads_every_setting_that_its_schema_accepts(tmp_path: Path) -> None:
    text = example("prod")
    for old, new in (
        (
            'bucket = "example-holdfast-state-prod"',
            '\\g<0>\nregion = "eu-west-1"\nkms_key_id = "alias/state"',
        ),
        ("backup_days = 14", DATABASE),
        ("storage_gib = 100", "storage_gib = 400"),
        ("max_storage_gib = 500", "max_storage_gib = 800"),
        ("cpu = 1024", '\\g<0>\nhost = "shop"\nhosts = ["@", "example.org"]\npaths = ["/api/*"]'),
        ("cpu = 512", '\\g<0>\nhosts = ["shop.example.org"]\npaths = ["/"]'),
        ("nat = .*", '\\g<0>\nprivate_endpoints = ["logs"]\nzone_names = ["eu-west-1a", "eu-west-1b"]'),
        (
            "production = true",
            (
                '\\g<0>\nprofile = "prod"\nproject.name = "shop"\nkeep_data = true\n'
                'role_arn = "arn:aws:iam::210987654321:role/deploy"'
            ),
        ),
        (
            r"\[gateway\]",
            (
                '\\g<0>\ntls = true\ninternal = true\nallow_from = ["10.0.0.0/8"]\nidle_seconds = 120\n'
                'tls_policy = "ELBSecurityPolicy-TLS13-1-3-2021-06"'
            ),
        ),
        (
            "rate_limit = 2000",
            '\\g<0>\nallow_addresses = ["203.0.113.0/24"]\nblock_addresses = ["198.51.100.7"]',
        ),
    ):
        text = re.sub(old, new, text)
    environment = parse_environment(text + EVERYTHING, tmp_path / "prod.toml")
    app = HoldfastApp(str(tmp_path / "out"))

    with recorded() as reads:
        build(app, registrations("holdfast_stacks"), [environment])

    assert {path for path, _ in unread(environment, reads)} == set()
    assert not not_set(environment)


def not_set(environment: Environment) -> set[str]:
    """The keys of the schema that the environment of this test does not set."""
    fields = set(Environment.model_fields) - environment.model_fields_set - {"local"}
    for name in ("state", "network", "gateway", "firewall"):
        table = getattr(environment, name)
        fields |= {f"{name}.{key}" for key in type(table).model_fields if key not in table.model_fields_set}
    domain = environment.gateway.domains[0]
    fields |= {key for key in type(domain).model_fields if key not in domain.model_fields_set}
    web, orders = environment.web_services()["storefront"], environment.databases()["orders"]
    fields |= {key for key in type(web).model_fields if key not in web.model_fields_set}
    fields |= {key for key in type(orders).model_fields if key not in orders.model_fields_set}
    return fields - {"state.backup_count", "state.backup_days"}


def test_a_setting_of_the_environment_that_no_stack_reads_is_found() -> None:
    environment = load_environment(ENVIRONMENTS / "local.toml")

    with recorded() as reads:
        _ = (environment.account, environment.network.cidr)

    paths = dict(unread(environment, reads))
    assert ("domain",) in paths
    assert paths["network", "nat"] == ("cidr",)


@pytest.mark.parametrize(
    ("name", "home", "abroad"),
    [
        ("www", "www.example.com", "www.eu-central-1.example.com"),
        ("@", "example.com", "eu-central-1.example.com"),
        ("*", "*.example.com", "*.eu-central-1.example.com"),
        ("www.example.com", "www.example.com", "www.eu-central-1.example.com"),
        ("shop.example.org", "shop.example.org", "shop.eu-central-1.example.org"),
        ("example.org", "example.org", "eu-central-1.example.org"),
    ],
)
def test_a_host_of_the_settings_is_below_the_name_of_its_region(
    tmp_path: Path, name: str, home: str, abroad: str
) -> None:
    text = re.sub(r"(?m)^regions = .*", 'regions = ["eu-west-1", "eu-central-1"]', example("prod"))
    text += '\n[network.regions.eu-central-1]\ncidr = "10.50.0.0/16"\n'
    text += '\n[[gateway.domains]]\nname = "example.org"\nzone_id = "Z0PRODEXAMPLE0000002"\n'
    environment = parse_environment(text, tmp_path / "prod.toml")
    app = HoldfastApp(str(tmp_path / "out"))

    sites = [Site(app, environment, region) for region in environment.regions]

    assert [site.host(name) for site in sites] == [home, abroad]
    assert [each.name for each in sites[1].further_domains] == ["eu-central-1.example.org"]
