"""The fast way into the AWS bindings: 12 seconds and 1.2 GB become one second and 200 MB.

`from cdktf_cdktf_provider_aws.vpc import Vpc` is slow for three reasons, and each has its module here:

1. The package's root imports all of its 2,135 submodules, and Python takes them down again at exit.
   `stand_in` puts a parent in `sys.modules` that imports a submodule when somebody asks for it.
2. The jsii kernel reads type information of 120 MB and runs 2,135 JavaScript modules.
   `pruning` writes a copy of the package with the submodules in use and nothing else; `cache` keeps it.
3. The package is loaded when it is imported, when nobody knows yet which submodules will be used.
   `assembly` puts the loading off until a request to the kernel needs one of the package's types, and
   loads again, under another name, what is imported after that.

At the end of the process Python would look through all that was built once more, for a quarter of a
second, to free what is freed anyway: it is told not to.

`kernel` holds the places where jsii is changed: how its Node process is started (`straight`), and what is
sent to it. `settings` is the only one that looks at the environment. What cdktf writes is the same byte for
byte.

Wherever something is not as expected (another jsii, another layout of the package, a cache that cannot be
written), the stock way is taken: slow, and right. `HOLDFAST_FAST_BINDINGS=0` asks for it.
"""

import atexit
import gc

from holdfast_constructs._bindings import settings, stand_in

PYTHON_PACKAGE = "cdktf_cdktf_provider_aws"
JSII_PACKAGE = "@cdktf/provider-aws"

_installed = False


def install() -> bool:
    """Make the AWS bindings fast in this process.

    Call it before anything imports the bindings; calling it again changes nothing.

    Returns:
        Whether the fast way is in place. It is not when it is switched off, when the bindings are not
        installed or were imported already, or when this version of jsii is not known to allow it.
    """
    global _installed  # noqa: PLW0603 - a fact about the process
    if _installed or not settings.enabled():
        return _installed
    parent = stand_in.install(PYTHON_PACKAGE)
    if parent is None:
        return False
    from holdfast_constructs._bindings import kernel  # noqa: PLC0415 - jsii is not needed when switched off

    _installed = kernel.install(jsii_package=JSII_PACKAGE, directory=parent)
    if _installed:
        atexit.register(gc.freeze)
    else:
        stand_in.remove(PYTHON_PACKAGE)
    return _installed
