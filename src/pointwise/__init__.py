"""Reference kernels for *One by One*, a hands-on course on 1×1 (pointwise) convolutions.

Importing this package imports NumPy and nothing heavier. Modules that need more
(`images`, `plots`) are imported by name: `from pointwise import plots`.
"""

from pointwise.conv import (
    channel_shuffle,
    conv1x1,
    conv1x1_backward,
    conv2d,
    conv2d_loops,
    depthwise_conv2d,
)
from pointwise.pool import avg_pool2d, global_avg_pool, max_pool2d
from pointwise.shapes import out_size, same_padding

__all__ = [
    "avg_pool2d",
    "channel_shuffle",
    "conv1x1",
    "conv1x1_backward",
    "conv2d",
    "conv2d_loops",
    "depthwise_conv2d",
    "global_avg_pool",
    "max_pool2d",
    "out_size",
    "same_padding",
]
