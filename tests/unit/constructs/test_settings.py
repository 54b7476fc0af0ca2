"""What a person is told when a settings file is wrong: file and line, key, got, allowed, next."""
# ruff: noqa: E501 - the table of what is refused reads better with a case on each line

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.edited_settings import FILE, PROD, edited, only, problems
from tests.support.example_settings import ENVIRONMENTS, load_environment, parse_environment

from holdfast_constructs.compute._fargate_sizes import FARGATE_SIZES

GATEWAY = 'zone_id = "Z0PRODEXAMPLE0000001"'
ORDERS_DIGEST = re.findall(r"/orders(@sha256:[0-9a-f]{64})", PROD)[0]


@pytest.mark.parametrize("file", sorted(ENVIRONMENTS.glob("*.toml")), ids=lambda file: file.stem)
def test_every_environment_of_the_repository_is_valid(file: Path) -> None:
    environment = load_environment(file)

    assert environment.name == file.stem


def test_an_environment_has_what_its_file_says() -> None:
    prod = load_environment(ENVIRONMENTS / "prod.toml")

    assert prod.production
    assert prod.zones("eu-west-1") == ("eu-west-1a", "eu-west-1b", "eu-west-1c")
    assert prod.network.nat == "per_az"
    assert prod.firewall.mode == "block"
    assert {"orders", "storefront"} <= set(prod.running())
    assert prod.databases()["orders"].instance_class == "db.r6g.large"


def test_production_lets_no_attack_through_behind_eight_kilobytes_of_padding() -> None:
    firewall = load_environment(ENVIRONMENTS / "prod.toml").firewall

    assert firewall.mode == "block"
    assert not firewall.rule_modes


def test_an_environment_cannot_be_changed() -> None:
    prod = load_environment(ENVIRONMENTS / "prod.toml")

    with pytest.raises(ValidationError, match="frozen"):
        prod.production = False
    with pytest.raises(TypeError, match="mappingproxy"):
        prod.tags["Owner"] = "me"  # type: ignore[index]


REFUSED = [
    ("an unknown key", [("rate_limit", "rate_limt")], "firewall.rate_limt", "'rate_limt'", "did you mean rate_limit?"),
    ("an unknown table", [("[firewall]", "[firewal]")], "firewal", "'firewal'", "did you mean firewall?"),
    ("an unknown service", [("[services.storefront]", "[services.storefrnt]")], "services.storefrnt", "'storefrnt'", "did you mean storefront?"),
    ("the name written down", [("production = true", 'production = true\nname = "prod"')], "name", "'name'", "the file's own name"),
    ("a short account id", [('"210987654321"', '"21098765432"')], "account", "'21098765432'", "12 digits"),
    ("an account id without quotes", [('"210987654321"', "210987654321")], "account", "210987654321", "in quotes"),
    ("an unknown region", [('["eu-west-1"]', '["europe"]')], "regions[0]", "'europe'", "such as eu-west-1"),
    ("no region", [('["eu-west-1"]', "[]")], "regions", "a list of 0", "a list of at least 1"),
    ("a region twice", [('["eu-west-1"]', '["eu-west-1", "eu-west-1"]')], "regions", "'eu-west-1'", "each region once"),
    ("a domain with a scheme", [('"example.com"', '"https://example.com"')], "domain", "'https://example.com'", "such as example.com"),
    ("a bucket with capitals", [("example-holdfast-state-prod", "Example-State")], "state.bucket", "'Example-State'", "3-63 of a-z"),
    ("a bucket called like an address", [("example-holdfast-state-prod", "10.0.0.1")], "state.bucket", "'10.0.0.1'", "not an IP address"),
    ("a bucket with two dots", [("example-holdfast-state-prod", "a..b")], "state.bucket", "'a..b'", "no two dots"),
    ("a missing bucket", [('bucket = "example-holdfast-state-prod"\n', "")], "state.bucket", "nothing", "3-63 of a-z"),
    ("a network with host bits", [("10.40.0.0/16", "10.40.0.1/16")], "network.cidr", "'10.40.0.1/16'", "no host bits set"),
    ("a network no VPC can have", [("10.40.0.0/16", "10.0.0.0/8")], "network.cidr", "'10.0.0.0/8'", "/16 to /28"),
    ("a network too small for its subnets", [("10.40.0.0/16", "10.40.0.0/24")], "network.cidr", "10.40.0.0/24 for 3 zones", "/16 to /21"),
    ("no zones", [("zones = 3", "zones = 0")], "network.zones", "0", "1-6"),
    ("one zone in production", [("zones = 3", "zones = 1")], "network.zones", "1 (eu-west-1a)", "2-6 zones"),
    ("one zone anywhere but on the local cloud", [("zones = 3", "zones = 1"), ("production = true\n", "")], "network.zones", "1 (eu-west-1a)", "2-6 zones, except on the local cloud"),
    ("one named zone in production", [("zones = 3", 'zone_names = ["eu-west-1c"]')], "network.zone_names", "1 (eu-west-1c)", "2-6 zones"),
    ("zones of another region", [("zones = 3", 'zone_names = ["eu-west-1a", "eu-west-2b"]')], "network.zone_names", "eu-west-1a, eu-west-2b", "different zones of eu-west-1"),
    ("a zone twice", [("zones = 3", 'zone_names = ["eu-west-1a", "eu-west-1a"]')], "network.zone_names", "eu-west-1a, eu-west-1a", "different zones of eu-west-1"),
    ("an unknown way out", [('"per_az"', '"per_zone"')], "network.nat", "'per_zone'", "per_az, single, none"),
    ("a zone that the region lacks", [("zones = 3", "zones = 4")], "network.zones", "eu-west-1d", "zones of eu-west-1: eu-west-1a, eu-west-1b, eu-west-1c"),
    ("a caller that is none", [(GATEWAY, f'{GATEWAY}\nallow_from = ["203.0.113.0/24", "office"]')], "gateway.allow_from[1]", "'office'", "a range such as 203.0.113.0/24"),
    ("a caller twice", [(GATEWAY, f'{GATEWAY}\nallow_from = ["10.0.0.0/8", "10.0.0.0/8"]')], "gateway.allow_from[1]", "'10.0.0.0/8'", "each once"),
    ("a TLS policy with old ciphers", [(GATEWAY, f'{GATEWAY}\ntls_policy = "ELBSecurityPolicy-2016-08"')], "gateway.tls_policy", "'ELBSecurityPolicy-2016-08'", "one of ELBSecurityPolicy-TLS13-1-2-2021-06"),
    ("a connection that waits too long", [(GATEWAY, f"{GATEWAY}\nidle_seconds = 4001")], "gateway.idle_seconds", "4001", "1-4000"),
    ("a named zone that the region lacks", [("zones = 3", 'zone_names = ["eu-west-1a", "eu-west-1e"]')], "network.zone_names", "eu-west-1e", "zones of eu-west-1"),
    ("fewer addresses than tasks", [("10.40.0.0/16", "10.40.0.0/21"), ("max_tasks = 12\ncpu = 512", "max_tasks = 190\ncpu = 512")], "network.cidr", "369 in private subnets, for 404 tasks", "twice the max_tasks"),
    ("one way out in production", [('"per_az"', '"single"')], "network.nat", "'single'", "per_az in production"),
    ("a firewall nobody decided on", [('mode = "block"\n', "")], "firewall.mode", "nothing", "block or count"),
    ("no firewall in production", [('[firewall]\nmode = "block"\nrate_limit = 2000\n', "")], "firewall.mode", "nothing", "block or count"),
    ("logs of a month in production", [("retention_days = 365", "retention_days = 30")], "logs.retention_days", "30", "one of 365, 400"),
    ("no way to AWS", [('"per_az"', '"none"\nprivate_endpoints = ["logs"]')], "network.private_endpoints", "logs", "ecr.api, ecr.dkr, logs, secretsmanager"),
    ("no way to a parameter", [('"per_az"', '"none"\nprivate_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]'), ("arn:aws:secretsmanager:eu-west-1:210987654321:secret:orders", "arn:aws:ssm:eu-west-1:210987654321:parameter/orders")], "network.private_endpoints", "ecr.api, ecr.dkr, logs, secretsmanager", "secretsmanager, ssm"),
    ("no way to an image elsewhere", [('"per_az"', '"none"\nprivate_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]'), ("210987654321.dkr.ecr.eu-west-1.amazonaws.com/orders", "ghcr.io/example/orders")], "services.orders.image", "ghcr.io/example/orders", "in Amazon ECR in eu-west-1"),
    ("no way to an image of another region", [('"per_az"', '"none"\nprivate_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]'), ("ecr.eu-west-1.amazonaws.com/orders", "ecr.us-east-1.amazonaws.com/orders")], "services.orders.image", "ecr.us-east-1", "in Amazon ECR in eu-west-1"),
    ("plain HTTP in production", [("[gateway]", "[gateway]\ntls = false")], "gateway.tls", "false", "true in production"),
    ("no certificate", [('zone_id = "Z0PRODEXAMPLE0000001"', "")], "gateway", "neither zone_id nor a certificate", "zone_id"),
    ("a certificate of another region", [("[gateway]", '[gateway]\ncertificates = { eu-west-1 = "arn:aws:acm:us-east-1:210987654321:certificate/0a" }')], "gateway.certificates.eu-west-1", "us-east-1", "a certificate in eu-west-1"),
    ("a certificate for no region", [("[gateway]", '[gateway]\ncertificates = { eu-west-2 = "arn:aws:acm:eu-west-2:210987654321:certificate/0a" }')], "gateway.certificates.eu-west-2", "'eu-west-2'", "eu-west-1"),
    ("an unknown firewall mode", [('mode = "block"', 'mode = "blok"')], "firewall.mode", "'blok'", "count, block"),
    ("an unknown firewall rule", [('mode = "block"', 'mode = "block"\nrule_modes = { SizeRestriction_BODY = "count" }')], "firewall.rule_modes.SizeRestriction_BODY", "'SizeRestriction_BODY'", "a managed group"),
    ("a rate limit AWS does not take", [("rate_limit = 2000", "rate_limit = 9")], "firewall.rate_limit", "9", "10-2000000000"),
    ("an exception of an unknown rule", [("rate_limit = 2000", 'rate_limit = 2000\n[[firewall.exceptions]]\nrules = ["SizeRestriction_BODY"]\npath = "/upload"\nbecause = "pictures of the goods"')], "firewall.exceptions[0].rules", "'SizeRestriction_BODY'", "a managed group"),
    ("an exception for everything", [("rate_limit = 2000", 'rate_limit = 2000\n[[firewall.exceptions]]\nrules = ["SizeRestrictions_BODY"]\nbecause = "pictures of the goods"')], "firewall.exceptions[0]", "", "host, path or both"),
    ("an exception for a URL", [("rate_limit = 2000", 'rate_limit = 2000\n[[firewall.exceptions]]\nrules = ["SizeRestrictions_BODY"]\npath = "https://x"\nbecause = "pictures of the goods"')], "firewall.exceptions[0]", "https://x", "a path of 1-200 characters"),
    ("an exception without a reason", [("rate_limit = 2000", 'rate_limit = 2000\n[[firewall.exceptions]]\nrules = ["SizeRestrictions_BODY"]\npath = "/upload"\nbecause = "so"')], "firewall.exceptions[0]", "'so'", "a reason"),
    ("two limits of one name", [("rate_limit = 2000", 'rate_limit = 2000\n[[firewall.rate_limits]]\nname = "a"\nrequests = 10\npath = "/a"\n[[firewall.rate_limits]]\nname = "a"\nrequests = 10\npath = "/b"')], "firewall", "", "one of the two"),
    ("a limit of a path AWS does not take", [("rate_limit = 2000", 'rate_limit = 2000\n[[firewall.rate_limits]]\nname = "a"\nrequests = 9\npath = "/a"')], "firewall.rate_limits[0].requests", "9", "10-2000000000"),
    ("an address with host bits", [("rate_limit = 2000", 'rate_limit = 2000\nallow_addresses = ["203.0.113.7/24"]')], "firewall.allow_addresses", "203.0.113.7/24", "no host bits set"),
    ("an address let through and refused", [("rate_limit = 2000", 'rate_limit = 2000\nallow_addresses = ["203.0.113.7"]\nblock_addresses = ["203.0.113.7/32"]')], "firewall.allow_addresses", "", "one of the two"),
    ("a retention CloudWatch lacks", [("retention_days = 365", "retention_days = 100")], "logs.retention_days", "100", "90, 120"),
    ("a tag of Holdfast's", [("CostCenter", "ManagedBy")], "tags.ManagedBy", "'ManagedBy'", "other tags"),
    ("a tag of AWS's", [("CostCenter", '"aws:cost"')], "tags.aws:cost", "a key of 8", "not begin with aws:"),
    ("no owner", [('["team-platform", "team-checkout"]', "[]")], "owners", "a list of 0", "a list of at least 1"),
    ("an impossible CPU", [("cpu = 512", "cpu = 500")], "services.storefront.cpu", "cpu = 500 with memory = 1024", "one of 256, 512"),
    ("an impossible pair of CPU and memory", [("memory = 2048", "memory = 512")], "services.orders.memory", "cpu = 1024 with memory = 512", "2048-8192"),
    ("an image by tag in production", [(ORDERS_DIGEST, ":v1")], "services.orders.image", "orders:v1", "@sha256:<64 hex digits> in production"),
    ("an image of neither form", [(ORDERS_DIGEST, "@sha256:abc")], "services.orders.image", "orders@sha256:abc", "repository@sha256:<64 hex digits>"),
    ("a variable given twice", [("LOG_LEVEL", "PAYMENTS_API_KEY_ID"), ("PAYMENTS_API_KEY =", "PAYMENTS_API_KEY_ID =")], "services.orders.environment", "both in environment and in secrets", "each once"),
    ("fewer tasks at most than at least", [("max_tasks = 12\ncpu = 512", "max_tasks = 2\ncpu = 512")], "services.storefront.max_tasks", "2, while min_tasks is 3", "3-5000"),
    ("a single task in production", [("min_tasks = 3\nmax_tasks = 12\ncpu = 512", "min_tasks = 1\ncpu = 512")], "services.storefront.min_tasks", "1", "2-5000 in production"),
    ("no task at all", [("min_tasks = 3\nmax_tasks = 12\ncpu = 512", "min_tasks = 0\ncpu = 512")], "services.storefront.min_tasks", "0", "1-5000"),
    ("a number in quotes", [("min_tasks = 3\nmax_tasks = 12\ncpu = 512", 'min_tasks = "3"\ncpu = 512')], "services.storefront.min_tasks", "'3'", "a whole number"),
    ("a host twice", [('host = "www"', 'host = "orders"')], "services.storefront.host", "'orders'", "a host of its own"),
    ("a host with a dot", [('host = "www"', 'host = "www.shop"')], "services.storefront.host", "'www.shop'", "inner hyphens"),
    ("a host that is no domain's", [('host = "www"', 'host = "www"\nhosts = ["@", "shop.example.org"]')], "services.storefront.hosts[1]", "'shop.example.org'", "one level below example.com, such as"),
    ("a host two levels below", [('host = "www"', 'host = "www"\nhosts = ["a.b.example.com"]')], "services.storefront.hosts[0]", "'a.b.example.com'", "one level below example.com"),
    ("a host that is no name", [('host = "www"', 'host = "www"\nhosts = ["-a"]')], "services.storefront.hosts[0]", "'-a'", "@ for the domain itself"),
    ("a host of the service twice", [('host = "www"', 'host = "www"\nhosts = ["www.example.com"]')], "services.storefront.hosts[0]", "'www.example.com'", "each host once"),
    ("a further host of another service", [('host = "www"', 'host = "www"\nhosts = ["orders.example.com"]')], "services.storefront.hosts[0]", "'orders.example.com'", "or paths of it"),
    ("a path of another service", [('host = "www"', 'host = "www"\npaths = ["/a", "/b"]'), ("cpu = 1024", 'cpu = 1024\nhost = "www"\npaths = ["/b"]')], "services.storefront.host", "'/b' of 'www'", "for one service only"),
    ("a wildcard with paths", [('host = "www"', 'host = "www"\nhosts = ["*"]\npaths = ["/a"]')], "services.storefront.hosts[0]", "'*'", "hosts by name, or no paths"),
    ("a path without a slash", [('host = "www"', 'host = "www"\npaths = ["api/*"]')], "services.storefront.paths[0]", "'api/*'", "that begins with '/'"),
    ("a path that is every one", [('host = "www"', 'host = "www"\npaths = ["/*"]')], "services.storefront.paths[0]", "'/*'", "that begins with '/'"),
    ("a path twice", [('host = "www"', 'host = "www"\npaths = ["/a", "/a"]')], "services.storefront.paths", "'/a'", "each path once"),
    ("a domain twice", [("[firewall]", '[[gateway.domains]]\nname = "example.com"\nzone_id = "Z0PRODEXAMPLE0000001"\n\n[firewall]')], "gateway.domains[0].name", "'example.com'", "each domain once"),
    ("a domain without a certificate", [("[firewall]", '[[gateway.domains]]\nname = "example.org"\n\n[firewall]')], "gateway.domains[0]", "neither zone_id nor a certificate", "zone_id"),
    ("a domain's certificate of another region", [("[firewall]", '[[gateway.domains]]\nname = "example.org"\ncertificates = { eu-west-1 = "arn:aws:acm:us-east-1:210987654321:certificate/0a" }\n\n[firewall]')], "gateway.domains[0].certificates.eu-west-1", "us-east-1", "a certificate in eu-west-1"),
    ("a domain's certificate for no region", [("[firewall]", '[[gateway.domains]]\nname = "example.org"\nzone_id = "Z0PRODEXAMPLE0000002"\ncertificates = { eu-west-2 = "arn:aws:acm:eu-west-2:210987654321:certificate/0a" }\n\n[firewall]')], "gateway.domains[0].certificates.eu-west-2", "'eu-west-2'", "eu-west-1"),
    ("more domains than a listener has certificates", [("[firewall]", "".join(f'[[gateway.domains]]\nname = "a{n}.com"\nzone_id = "Z0PRODEXAMPLE0000002"\n\n' for n in range(26)) + "[firewall]")], "gateway.domains", "26", "at most 25"),
    ("a variable with a space", [("LOG_LEVEL", '"LOG LEVEL"')], "services.orders.environment.LOG LEVEL", "'LOG LEVEL'", "letters, digits and underscores"),
    ("too little storage", [("storage_gib = 100\n", "storage_gib = 5\n")], "services.orders.database.storage_gib", "5", "20-65536"),
    ("too much storage", [("max_storage_gib = 500", "max_storage_gib = 70000")], "services.orders.database.max_storage_gib", "70000", "0-65536"),
    ("storage that cannot grow", [("max_storage_gib = 500", "max_storage_gib = 105")], "services.orders.database.max_storage_gib", "105", "110-65536"),
    ("a database without a standby in production", [("multi_az = true", "multi_az = false")], "services.orders.database.multi_az", "false", "true in production"),
    ("a database with a day of backups in production", [("backup_days = 14", "backup_days = 1")], "services.orders.database.backup_days", "1", "7-35 in production"),
    ("a database that is no class", [("db.r6g.large", "r6g.large")], "services.orders.database.class", "'r6g.large'", "such as db.t4g.medium"),
    ("a class that RDS does not have", [("db.r6g.large", "db.r6g.huge")], "services.orders.database.class", "'db.r6g.huge'", "db.r6g. and one of large"),
    ("a version out of its support", [("backup_days = 14", 'backup_days = 14\nengine_version = "13"')], "services.orders.database.engine_version", "'13'", "ended on 2026-02-28"),
    ("a version that is not there yet", [("backup_days = 14", 'backup_days = 14\nengine_version = "19"')], "services.orders.database.engine_version", "'19'", "14-18"),
    ("a window that overlaps", [("backup_days = 14", 'backup_days = 14\nbackup_window = "03:00-04:00"')], "services.orders.database.backup_window", "'03:00-04:00'", "at another time"),
    ("a parameter that every database has", [("backup_days = 14", 'backup_days = 14\nparameters = { "rds.force_ssl" = "0" }')], "services.orders.database.parameters", "'0'", "left at 1"),
    ("users of a pooler that is not there", [("backup_days = 14", 'backup_days = 14\npooled_users = { orders = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:o-a1b2c3" }')], "services.orders.database.pooled_users", "['orders']", "left out without pooler"),
    ("speed for little storage", [("backup_days = 14", "backup_days = 14\niops = 12000")], "services.orders.database.iops", "12000", "left out below 400 GiB"),
    ("a service without its database", [(PROD[PROD.index("[services.orders.database]") :], "")], "services.orders.database", "nothing", "a table"),
    ("production without its data kept", [("production = true", "production = true\nkeep_data = false")], "keep_data", "false", "true in production"),
    ("production on the local cloud", [("production = true", "production = true\nlocal = true")], "production", "production = true and local = true", "one of the two"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "key", "got", "allowed"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refuses(edits: list[tuple[str, str]], key: str, got: str, allowed: str) -> None:
    problem = next(problem for problem in problems(edited(*edits)) if problem.key == key)

    assert problem.place.startswith("environments/prod.toml")
    assert got in problem.got
    assert allowed in problem.allowed
    assert problem.next_step


def test_private_endpoints_are_a_way_to_aws() -> None:
    endpoints = '"none"\nprivate_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]'

    assert parse_environment(edited(('"per_az"', endpoints)), FILE).network.nat == "none"


def test_the_local_cloud_may_have_a_single_zone() -> None:
    text = (ENVIRONMENTS / "local.toml").read_text(encoding="utf-8").replace("zones = 2", "zones = 1")

    assert parse_environment(text, FILE).zones("eu-west-1") == ("eu-west-1a",)


def test_the_place_is_the_line_the_key_stands_on() -> None:
    problem = only(("rate_limit = 2000", "rate_limit = 9"))

    line = PROD[: PROD.index("rate_limit")].count("\n") + 1
    assert problem.place == f"environments/prod.toml:{line}"


def test_the_place_of_a_missing_key_is_the_table_it_belongs_to() -> None:
    problem = only(('bucket = "example-holdfast-state-prod"\n', ""))

    line = PROD[: PROD.index("[state]")].count("\n") + 1
    assert problem.place == f"environments/prod.toml:{line}"


def test_a_region_more_needs_a_network_of_its_own() -> None:
    problem = only(('["eu-west-1"]', '["eu-west-1", "eu-central-1"]'))

    assert problem.key == "network.regions.eu-central-1"
    assert "[network.regions.eu-central-1]" in problem.next_step


def test_networks_of_two_regions_do_not_overlap() -> None:
    own = '[network.regions.eu-central-1]\ncidr = "10.40.128.0/17"\n\n[gateway]'

    problem = only(('["eu-west-1"]', '["eu-west-1", "eu-central-1"]'), ("[gateway]", own))

    assert problem.key == "network.regions.eu-central-1.cidr"
    assert "10.40.128.0/17, while eu-west-1 has 10.40.0.0/16" in problem.got


def test_a_region_more_has_its_own_network_and_zones() -> None:
    own = '[network.regions.eu-central-1]\ncidr = "10.41.0.0/16"\n\n[gateway]'

    prod = parse_environment(
        edited(('["eu-west-1"]', '["eu-west-1", "eu-central-1"]'), ("[gateway]", own)), FILE
    )

    assert prod.cidr("eu-west-1") == "10.40.0.0/16"
    assert prod.cidr("eu-central-1") == "10.41.0.0/16"
    assert prod.zones("eu-central-1") == ("eu-central-1a", "eu-central-1b", "eu-central-1c")


@settings(deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(PROD.splitlines()), max_size=40).map("\n".join))
def test_any_text_is_either_an_environment_or_a_list_of_problems(text: str) -> None:
    found = problems(text)

    assert all(problem.what and problem.allowed and problem.next_step for problem in found)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(FARGATE_SIZES)),
    st.integers(min_value=1, max_value=240).map(lambda half: half * 512),
)
def test_a_size_is_accepted_exactly_when_fargate_has_it(cpu: int, memory: int) -> None:
    text = PROD.replace("cpu = 512", f"cpu = {cpu}").replace("memory = 1024", f"memory = {memory}")

    keys = {problem.key for problem in problems(text)}

    assert (keys == set()) == (memory in FARGATE_SIZES[cpu])
    assert keys <= {"services.storefront.memory"}


def test_quotes_that_are_too_many_are_told_with_what_to_write() -> None:
    text = edited(("max_tasks = 12\n", 'max_tasks = "12"\n'))

    assert {problem.next_step for problem in problems(text)} == {"write 12 without quotes"}
