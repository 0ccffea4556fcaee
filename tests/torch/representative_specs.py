"""The shipped specs whose emitted modules use, together, all that any of them uses of torch."""

from __future__ import annotations

REPRESENTATIVES = (
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "facenet/inception_resnet_v1",
    "googlenet",
    "inception_v4",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "nasnet_a_mobile",
    "pytorch_fid/inception_v3",
    "shufflenet_v2",
    "squeezenet1_1",
    "tf_slim/inception_v1",
    "unet",
    "xception",
)
"""A check that takes long, and holds for a way of writing code, runs on these alone."""
