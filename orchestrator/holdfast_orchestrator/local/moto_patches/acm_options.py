"""Options of a certificate that the request left out.

moto 5.2.1 keeps just the options that were asked for, and then fails to list a certificate whose request
said nothing of `Export`. AWS gives each option its default. So do we.
"""

from collections.abc import Callable
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Give every requested certificate the default of the option moto asks for."""
    backend = moto("acm.models").AWSCertificateManagerBackend

    @wrap(backend, "request_certificate")
    def request(original: Callable[..., str], self: Any, *args: Any, **kwargs: Any) -> str:
        arn = original(self, *args, **kwargs)
        kept = self._certificates[arn]
        kept.cert_options = {"Export": "DISABLED", **kept.cert_options}
        return arn
