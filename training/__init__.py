"""The workshop: aligned encoders, robust fine-tuning, its measurement and export. Hubs are told nothing."""

import os

import runtime as runtime  # first: it keeps ONNX Runtime, which the export imports, from reporting

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
