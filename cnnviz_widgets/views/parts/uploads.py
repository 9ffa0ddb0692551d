"""What is kept of a picture that a page has sent."""

from __future__ import annotations

import PIL.Image

from cnnviz_widgets.picture import Picture, read_picture
from cnnviz_widgets.widgets.upload import Uploaded


def small_picture(event: Uploaded, side: int) -> Picture:
    """The uploaded picture, its longer side at most `side` pixels, as the page would have sent it.

    A page sends what it cannot decode as it is, and a script anything: a few bytes may hold 50 million pixels.
    Raises PictureError.
    """
    picture = read_picture(event.data, event.name)
    if picture.image is None:
        return picture
    return Picture(resized(picture.image, side), name=picture.name)


def resized(image: PIL.Image.Image, side: int) -> PIL.Image.Image:
    """`image` if its longer side is at most `side` pixels, else one of that size."""
    longer = max(image.size)
    if longer <= side:
        return image
    width, height = (max(1, round(length * side / longer)) for length in image.size)
    # Whole blocks are averaged first: as good to the eye, and quick for tens of megapixels.
    return image.resize((width, height), PIL.Image.Resampling.BICUBIC, reducing_gap=3.0)


def pixels_of(picture: Picture) -> int:
    """How many pixels are kept in memory."""
    if picture.image is not None:
        return picture.image.width * picture.image.height
    tensor = picture.tensor
    assert tensor is not None
    return int(tensor.shape[-2] * tensor.shape[-1])
