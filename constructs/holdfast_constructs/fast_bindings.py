"""The fast way into the AWS bindings for any cdktf app: `import holdfast_constructs.fast_bindings`."""

from holdfast_constructs import _bindings

_bindings.install()
