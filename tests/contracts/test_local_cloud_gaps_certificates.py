"""The gap of Certificate Manager.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

Clients = Callable[[str], Any]
Probe = Callable[[Clients], object]


def certificates_with_some_options_are_listed(clients: Clients) -> object:
    options = {"CertificateTransparencyLoggingPreference": "ENABLED"}
    clients("acm").request_certificate(DomainName="options.example.com", Options=options)
    listed = clients("acm").list_certificates()["CertificateSummaryList"]
    return [each["DomainName"] for each in listed if each["DomainName"] == "options.example.com"]


# probe -> what AWS shows, and the module that makes the local cloud show it.
PROBES: dict[Probe, tuple[object, str]] = {
    certificates_with_some_options_are_listed: (["options.example.com"], "acm_options"),
}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_the_local_cloud_shows_what_aws_shows(probe: Probe, local_clients: Clients) -> None:
    seen = probe(local_clients)

    assert seen == PROBES[probe][0]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.__name__)
def test_moto_by_itself_still_does_not(probe: Probe, moto_clients: Clients) -> None:
    wanted, module = PROBES[probe]

    try:
        seen = probe(moto_clients)
    except (BotoCoreError, ClientError, KeyError, ResponseParserError) as gap:
        seen = gap

    assert seen != wanted, f"moto has closed this gap: delete local/gaps/{module}.py, or what it does of this"
