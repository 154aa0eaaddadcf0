"""Photographs are offered as AVIF, too: the same picture in about half the bytes.

The page names both files; a browser that cannot read AVIF takes the stored one. Line art is small
as it is, and AVIF would blur its letters: the book stores it with a palette of 64 colours.
"""

from PIL import Image

QUALITY = 52  # side by side at 150 % no one tells it from the stored picture
LINE_ART = 64  # colours
WORTH_IT = 0.85  # of the stored bytes; what saves less stays alone


def offer_smaller(soup, sources, folder):
    """Wrap the photographs among the pictures of a page, and write their AVIF files to `folder`."""
    for picture in soup.select("img[src]"):
        source = sources.get(picture["src"].rsplit("/", 1)[-1])
        if source and (smaller := write_smaller(source, folder)):
            address = picture["src"].rpartition("/")[0] + "/" + smaller
            offer = soup.new_tag("source", srcset=address, type="image/avif")
            picture.wrap(soup.new_tag("picture")).insert(0, offer)


def write_smaller(source, folder):
    """The name of an AVIF file made from this picture, or None where there is nothing to gain."""
    if source.suffix not in (".jpg", ".png"):
        return None
    target = folder / f"{source.stem}.avif"
    with Image.open(source) as picture:
        if picture.mode == "P" and len(picture.getcolors()) <= LINE_ART:
            return None
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            folder.mkdir(parents=True, exist_ok=True)
            picture.convert("RGB").save(target, quality=QUALITY, speed=6)
    if target.stat().st_size > WORTH_IT * source.stat().st_size:
        target.unlink()
        return None
    return target.name
