"""The folder that `holdfast synth` puts first on PYTHONPATH; Python imports `sitecustomize` from it."""
