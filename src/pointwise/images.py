"""Real pictures that ship inside scikit-image, as arrays a convolution can take.

Nothing is downloaded. Every picture comes as `(1, 3, H, W)`, float64, values from 0 to 1,
in the order red, green, blue.
"""

import numpy as np

from pointwise.pool import avg_pool2d

# name: (file in scikit-image, what it shows, where it comes from and under which terms)
PICTURES = {
    "coffee": ("coffee", "a cup of coffee on a wooden table", "Rachel Michetti, CC0"),
    "chelsea": ("chelsea", "the face of a tabby cat", "Stefan van der Walt, CC0"),
    "astronaut": ("astronaut", "Eileen Collins in an orange flight suit", "NASA, public domain"),
    "tissue": (
        "immunohistochemistry",
        "glands of the colon, cell nuclei stained blue and the protein FHL2 stained brown",
        "Center for Microscopy and Molecular Imaging, no known copyright restrictions",
    ),
}

# One row per output channel, one column per input channel (red, green, blue).
# Luma weights of ITU-R Recommendation BT.601.
BT601 = np.array([[0.299, 0.587, 0.114]])

# The sepia matrix of the W3C Filter Effects specification, rounded there to three digits.
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def picture(name, *, shrink=1):
    """Load one of `PICTURES` as a batch of one image.

    Parameters
    ----------
    name : str
        A key of `PICTURES`.
    shrink : int
        Average blocks of `shrink` × `shrink` pixels into one; rows and columns
        that do not fill a block are dropped.

    Returns
    -------
    ndarray of shape (1, 3, H // shrink, W // shrink)
        float64, 0 to 1, channels red, green, blue.

    Raises
    ------
    ValueError
        If the name is unknown, or `shrink` is not a whole number from 1 to the picture's side.

    Examples
    --------
    >>> picture("coffee", shrink=2).shape
    (1, 3, 200, 300)
    """
    from skimage import data  # here, so that the module imports without scikit-image

    if name not in PICTURES:
        raise ValueError(f"no picture named {name!r}; there are {sorted(PICTURES)}")
    x = from_hwc(getattr(data, PICTURES[name][0])()) / 255.0
    side = min(x.shape[2:])
    if isinstance(shrink, bool) or not isinstance(shrink, int) or not 1 <= shrink <= side:
        raise ValueError(f"shrink must be a whole number from 1 to {side}, got {shrink!r}")
    return x if shrink == 1 else avg_pool2d(x, shrink)


def from_hwc(image):
    """Turn one `(H, W, C)` image, as files and NumPy hold it, into a `(1, C, H, W)` batch.

    The values and their dtype stay; the result is a contiguous copy.

    Raises
    ------
    ValueError
        If the image is not three-dimensional.

    Examples
    --------
    >>> from_hwc(np.zeros((4, 6, 3))).shape
    (1, 3, 4, 6)
    """
    image = np.asarray(image)
    if image.ndim != 3:
        raise ValueError(f"expected an image of shape (H, W, C), got {image.shape}")
    return image.transpose(2, 0, 1)[np.newaxis].copy()


def to_hwc(x):
    """Turn a `(1, C, H, W)` batch or a `(C, H, W)` image into `(H, W, C)`, for showing or saving.

    The values and their dtype stay; the result is a contiguous copy.

    Raises
    ------
    ValueError
        If `x` has another rank, or holds more or fewer than one image.

    Examples
    --------
    >>> to_hwc(np.zeros((1, 3, 4, 6))).shape
    (4, 6, 3)
    """
    x = np.asarray(x)
    if x.ndim == 4 and x.shape[0] == 1:
        x = x[0]
    if x.ndim != 3:
        raise ValueError(f"expected one image, (1, C, H, W) or (C, H, W), got {x.shape}")
    return x.transpose(1, 2, 0).copy()
