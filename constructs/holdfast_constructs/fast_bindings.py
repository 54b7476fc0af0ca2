"""The fast way into the AWS bindings for any cdktf app: `import holdfast_constructs.fast_bindings`."""

import holdfast_bindings

holdfast_bindings.install()
