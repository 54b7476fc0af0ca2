"""The fast way into cdktf's bindings: 12 seconds and 1.2 GB become one second and 200 MB.

`from cdktf_cdktf_provider_aws.vpc import Vpc` is slow for three reasons, and each has its module here:

1. The package's root imports all of its 2,135 submodules, and Python takes them down again at exit.
   `stand_in` is a root that imports a submodule when somebody asks for it.
2. The jsii kernel reads type information of 120 MB and runs 2,135 JavaScript modules.
   `pruning` writes a copy of the package with the submodules in use and nothing else; `cache` keeps it.
3. The package is loaded when it is imported, when nobody knows yet which submodules will be used.
   `assembly` puts the loading off until a request to the kernel needs one of the package's types, and
   loads again, under another name, what is imported after that.

At the end of the process Python would look through all that was built once more, for a quarter of a
second, to free what is freed anyway: it is told not to.

`hook` finds the packages: every prebuilt provider of cdktf and cdktn, and what `cdktf get` wrote. It is put
in place in two ways: `holdfast synth` has its folder on PYTHONPATH, so that any app's Python starts with it;
or a module of the app calls `install()`, as `import holdfast_constructs` does. `takeover` decides which
packages are laid out as known.
`kernel` holds the places where jsii is changed: how its Node process is started (`straight`), and what is
sent to it. `settings` is the only one that looks at the environment. What cdktf writes is the same byte for
byte.

Wherever something is not as expected (another jsii, another layout of the package, a cache that cannot be
written), the stock way is taken: slow, and right. `HOLDFAST_FAST_BINDINGS=0` asks for it. An error that a
copy may have caused is reported (`refusal`), and `holdfast synth` runs the app again the stock way.

The code runs in the app's own Python, 3.9 or newer, and uses nothing but what jsii needs itself.
"""

from __future__ import annotations

from holdfast_bindings import settings
from holdfast_bindings.hook import _holdfast_finder


def install() -> None:
    """Make the bindings fast that this process imports from here on; calling it again changes nothing."""
    if settings.enabled():
        _holdfast_finder.insert()
