"""Which requests the local cloud answers: those of programs that mean it, never those of a foreign web page.

A page open in somebody's browser can send requests to a server on loopback: under the server's address (then
the browser says in `Origin` whose page it is), or under a name of its own that it lets point to 127.0.0.1
(DNS rebinding; then the name is in `Host`). AWS SDKs, Terraform and the command line send neither. So:

* `Host` is a name of loopback, one below it (`bucket.localhost`, as SDKs address a bucket), or one of AWS's,
  whose names nobody else can let point anywhere;
* `Origin` and `Referer`, where there are any, are the very host that is asked;
* `Sec-Fetch-Site`, where there is one, says that the page is ours or that a person typed the address.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_HOST = re.compile(
    r"(?:(?:[a-z0-9_-]+\.)*(?:localhost|127\.0\.0\.1|amazonaws\.com|amazonaws\.com\.cn|api\.aws)|\[::1\])"
    r"\.?(?::\d{1,5})?",
    re.IGNORECASE,
)
_OUR_PAGES = frozenset({"same-origin", "none"})


def foreign(environ: Mapping[str, object]) -> str | None:
    """Return what is foreign about a request (a WSGI environ), or None where it may be answered."""
    host = str(environ.get("HTTP_HOST", ""))
    if not _HOST.fullmatch(host):
        return f"the host {host[:100]!r} is not the local cloud's"
    for header in ("Origin", "Referer"):
        value = environ.get(f"HTTP_{header.upper()}")
        if value is not None and not _is_of(str(value), host):
            return f"the request comes from a page of {str(value)[:100]!r}"
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None and site not in _OUR_PAGES:
        return f"the request comes from a page of another site ({str(site)[:100]!r})"
    return None


def _is_of(address: str, host: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()
