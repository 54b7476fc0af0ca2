"""Hosts and paths of services, changed one after the other on one environment: each change is deployed.

No host that is there before and after a change is without its record or its rules meanwhile.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import pytest
from tests.support.local_app import LocalApp, local_app

Stacks = dict[str, dict[str, dict[str, Any]]]

_BETWEEN_LOOKS_SECONDS = 0.3


class Site:
    """The environment: what it should have, and what the cloud has."""

    def __init__(self, app: LocalApp) -> None:
        self.app = app
        self.stacks: Stacks = {}
        self.edge: dict[str, Any] = {}
        self.before = True

    def change(self, *, approve: str | None = None, **stacks: dict[str, dict[str, Any]] | None) -> set[str]:
        """Give stacks these services (None: no stack), deploy, and return which stacks were changed."""
        for name, services in stacks.items():
            if services is None:
                del self.stacks[name]
            else:
                self.stacks[name] = services
        self._write()
        with _Watched(self) as watched:
            outcomes = self.run("deploy", "--yes", *(("--approve", approve) if approve else ()))
            for name in (name for name, services in stacks.items() if services is None):
                outcomes |= self.run("destroy", "--retired", f"{name}-local-eu-west-1", "--yes")
        changed = {name.split("-")[0] for name, outcome in outcomes.items() if outcome != "unchanged"}
        assert set(outcomes.values()) <= {"committed", "unchanged"}, outcomes
        kept = watched.first & set(self.records())
        assert kept <= watched.always, "a host was without a record for a while"
        return changed

    def run(self, *argv: str) -> dict[str, str]:
        return self.app.outcomes(*argv)

    def records(self) -> dict[str, int]:
        """How many address records each name has."""
        route53 = self.app.client("route53")
        names: dict[str, int] = {}
        for zone in route53.list_hosted_zones()["HostedZones"]:
            for each in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
                if each["Type"] == "A":
                    name = each["Name"].rstrip(".").replace("\\052", "*")
                    names[name] = names.get(name, 0) + 1
        return names

    def rules(self) -> list[dict[str, Any]]:
        """The rules of the listener in the order in which they are asked, without the default one."""
        elb = self.app.client("elbv2")
        [balancer] = elb.describe_load_balancers()["LoadBalancers"]
        listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        [listener] = [each for each in listeners if each["Port"] == 443]
        rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        numbered = [rule for rule in rules if rule["Priority"] != "default"]
        return sorted(numbered, key=lambda rule: int(rule["Priority"]))

    def answers(self, host: str, path: str = "/") -> str | None:
        """Which service's target group gets a request, by the beginning of its name."""
        for rule in self.rules():
            conditions = {
                each["Field"]: (each.get("HostHeaderConfig") or each.get("PathPatternConfig"))["Values"]
                for each in rule["Conditions"]
            }
            if any(fnmatch.fnmatchcase(host, each) for each in conditions["host-header"]) and any(
                fnmatch.fnmatchcase(path, each) for each in conditions.get("path-pattern", ["*"])
            ):
                group = rule["Actions"][0]["TargetGroupArn"].split("/")[1]
                return str(group.split("-")[0])
        return None

    def _write(self) -> None:
        wanted = {"stacks": self.stacks, "edge": self.edge, "before": self.before}
        (self.app.folder / "routes.json").write_text(json.dumps(wanted))


class _Watched:
    """Looks at the records again and again while a change is deployed."""

    def __init__(self, site: Site) -> None:
        self._site, self._stop = site, Event()
        self.first: set[str] = set()
        self.always: set[str] = set()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> Self:
        self.first = set(self._site.records())
        self.always = set(self.first)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(_BETWEEN_LOOKS_SECONDS):
            self.always &= set(self._site.records())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with local_app("routes_app", tmp_path) as app:
        yield Site(app)


def _host(name: str, *more: str, **properties: Any) -> dict[str, Any]:
    return {"host": name, "hosts": more, **properties}


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_hosts_and_paths_are_changed_again_and_again_without_a_gap(site: Site) -> None:
    www, api, shop = "www.first.test", "api.first.test", "shop.first.test"
    site.change(web={"web": _host(www)}, api={"api": _host(api)})
    assert site.records() == {"*.first.test": 1}

    # The release in which services write records: the one for every name stays, until it is asked away.
    site.before = False
    site.change()
    assert site.records() == {"*.first.test": 1, www: 1, api: 1}
    numbers = _numbers(site)

    # It goes, and a service is added.
    site.edge = {"wildcard_record": False}
    assert site.change(shop={"shop": _host(shop)}) == {"edge", "shop"}
    assert site.records() == {www: 1, api: 1, shop: 1}
    assert numbers.items() <= _numbers(site).items()

    # Two services swap their hosts, and one gets the domain itself, and a second domain.
    more = ("first.test", "second.test")
    site.change(web={"web": _host(shop, *more)}, shop={"shop": _host(www)})
    assert [site.answers(host) for host in (www, shop, *more)] == ["shop", "web", "web", "web"]

    # A host moves to the other service, and both domains move the other way.
    site.change(web={"web": _host(shop, www)}, shop={"shop": _host("s.first.test", *more)})
    assert [site.answers(host) for host in (www, shop, *more)] == ["web", "web", "shop", "shop"]
    assert site.records() == dict.fromkeys((www, api, shop, "s.first.test", *more), 1)

    # From here on another region has the records: each takes Terraform's provider half a minute.
    site.edge = {"alias": False}
    site.change()
    assert site.records() == {}

    # Paths of a host that is another's, then a longer path of a third.
    numbers = _numbers(site)
    assert site.change(api={"api": _host(www, paths=["/api/*", "/api"])}) == {"api"}
    assert [site.answers(www, path) for path in ("/", "/api", "/api/v1/x")] == ["web", "api", "api"]
    site.change(shop={"shop": _host(www, "first.test", paths=["/api/v1/*"])})
    assert [site.answers(www, path) for path in ("/", "/api", "/api/v1/x")] == ["web", "api", "shop"]
    assert len(numbers.items() & _numbers(site).items()) == 1

    # A path goes, and another comes.
    assert site.change(api={"api": _host(www, paths=["/api/*", "/files/*"])}) == {"api"}
    assert [site.answers(www, path) for path in ("/api", "/files/x", "/api/x")] == ["web", "api", "api"]

    # A construct is renamed, which has a log group of its own.
    renamed = {"files": _host(www, paths=["/api/*", "/files/*"])}
    site.change(approve="aws_cloudwatch_log_group.api_log_45119C08", api=renamed)
    assert site.answers(www, "/files/x") == "files"

    # Every other name to one service; then a service goes.
    site.change(shop={"shop": _host("*.first.test", "*.second.test")})
    assert (site.answers("x.first.test"), site.answers(www, "/api/v1/x")) == ("shop", "files")
    site.change(api=None)
    assert site.answers(www, "/api/x") == "web"

    assert set(site.run("plan", "--refresh").values()) == {"unchanged"}


def _numbers(site: Site) -> Mapping[str, str]:
    return {rule["RuleArn"]: rule["Priority"] for rule in site.rules()}
