"""Reference kernels for *One by One*, a hands-on course on 1×1 (pointwise) convolutions.

Importing this package imports NumPy and nothing heavier. Modules that need more
(`images`, `plots`) are imported by name.
"""
