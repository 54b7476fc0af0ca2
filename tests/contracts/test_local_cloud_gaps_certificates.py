"""The gap of Certificate Manager.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

from tests.support.gaps import Clients, Gaps, Probes


def certificates_with_some_options_are_listed(clients: Clients) -> object:
    options = {"CertificateTransparencyLoggingPreference": "ENABLED"}
    clients("acm").request_certificate(DomainName="options.example.com", Options=options)
    listed = clients("acm").list_certificates()["CertificateSummaryList"]
    return [each["DomainName"] for each in listed if each["DomainName"] == "options.example.com"]


PROBES: Probes = {
    certificates_with_some_options_are_listed: (["options.example.com"], "acm_options"),
}


class TestGaps(Gaps):
    probes = PROBES
