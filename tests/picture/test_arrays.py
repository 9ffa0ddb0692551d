"""`read_picture` of arrays and tensors: whatever layout, type and number of bands."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from cnnviz_widgets.picture import read_picture
from tests.support.pictures import CORNERS, GREY, encoded, pixels, refusal


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 3, 1), (100, 1, 3)])
def test_small_and_narrow_arrays(shape: tuple[int, ...]) -> None:
    array = np.full(shape, 7, np.uint8)
    mode = "RGB" if shape[-1] == 3 and len(shape) == 3 else "L"
    assert (pixels(array, mode) == 7).all()
    assert pixels(array, mode).shape[:2] == shape[:2]


@pytest.mark.parametrize(
    "array",
    [
        CORNERS,
        CORNERS.astype(np.int64),
        CORNERS.astype(">u2") * np.uint16(257),
        CORNERS / 255,
        (CORNERS / 255).astype(np.float16),
        (CORNERS / 255).astype(np.longdouble),
        CORNERS / 255 * (1 + 1e-12),
        np.asfortranarray(CORNERS),
        CORNERS[::-1, ::-1][::-1, ::-1],
        np.dstack([CORNERS, np.full((2, 3), 255, np.uint8)]),
        CORNERS.view(np.ma.MaskedArray),
    ],
)
def test_every_layout_of_the_same_array_is_the_same_picture(array: np.ndarray) -> None:
    array = array.copy(order="K")
    array.flags.writeable = False
    before = array.copy()
    np.testing.assert_array_equal(pixels(array), CORNERS)
    np.testing.assert_array_equal(pixels(array[::-1, ::-1]), CORNERS[::-1, ::-1])
    np.testing.assert_array_equal(array, before)


def test_a_picture_does_not_change_with_its_array() -> None:
    array = CORNERS.copy()
    image = Image.fromarray(array.copy())
    tensor = torch.zeros(3, 2, 2)
    kept = [read_picture(array), read_picture(image)]
    network_input = read_picture(tensor)
    array[:] = 0
    image.paste(0, (0, 0, 3, 2))
    tensor += 1
    for picture in kept:
        np.testing.assert_array_equal(np.asarray(picture.image), CORNERS)
    assert network_input.tensor is not None and not network_input.tensor.any()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["array", "PNG", "TIFF", "I", "tensor"])
def test_sixteen_bit_values_fill_the_range_of_their_sensor(bits: int, kind: str) -> None:
    values = np.linspace(0, 2**bits - 1, 64).round().reshape(8, 8).astype(np.uint16)
    sources = {
        "array": values,
        "I": Image.fromarray(values.astype(np.int32)),
        "tensor": torch.from_numpy(values)[None],
    }
    source = sources[kind] if kind in sources else encoded(Image.fromarray(values), kind)
    picture = read_picture(source)
    np.testing.assert_allclose(np.asarray(picture.image), np.linspace(0, 255, 64).reshape(8, 8), atol=1)
    silent = bits == 16 or (bits, kind) == (8, "I")  # where nothing was guessed
    assert picture.note == "" if silent else f"taken as {bits} bits" in picture.note


def test_floats_up_to_255_are_recognised_and_said() -> None:
    picture = read_picture(CORNERS * 1.0)
    np.testing.assert_array_equal(np.asarray(picture.image), CORNERS)
    assert "taken as 0..255" in picture.note
    assert not read_picture(CORNERS / 255).note


def test_a_mask_of_zeros_and_ones_in_whole_numbers_is_said_to_be_black() -> None:
    assert "multiply them by 255" in read_picture((GREY > 100).astype(np.uint8)).note
    assert not read_picture(np.zeros((4, 4), np.uint8)).note


@pytest.mark.parametrize("channels", [2, 4, 5, 13])
@pytest.mark.parametrize("tensor", [False, True])
def test_other_numbers_of_bands_are_kept(channels: int, tensor: bool) -> None:
    array = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    picture = read_picture(torch.from_numpy(array).permute(2, 0, 1) if tensor else array)
    assert picture.bands is not None and picture.image is not None
    scale = 255 if picture.bands.dtype == np.uint8 else 1
    np.testing.assert_allclose(picture.bands / scale, array / 255, atol=1e-6)
    assert picture.image.size == (30, 20)


def test_bands_of_a_file_are_turned_with_it() -> None:
    array = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", exif=exif)
    picture = read_picture(file.getvalue())
    assert picture.bands is not None
    np.testing.assert_array_equal(picture.bands, np.rot90(array, 3))


def test_bool_arrays_are_black_and_white() -> None:
    np.testing.assert_array_equal(pixels(GREY > 100, "L"), (GREY > 100) * 255)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (CORNERS / 127.5, "up to 2, and floats are taken as 0..1; divide them by 255"),
        (CORNERS * 1.7, "scale them to 0..1"),
        (CORNERS * 1e4, "scale them to 0..1"),
        (CORNERS / 127.5 - 1, "from -1 to 1; scale them to 0..1, or pass a torch float tensor"),
        (np.array([[0.5, np.nan]]), "NaN or infinite values"),
        (np.array([[0.5, np.inf]], np.float16), "NaN or infinite values"),
        (np.array([[0, 300]]), "from 0 to 300; scale them to 0..255"),
        (np.array([[-1, 3]]), "from -1 to 3"),
        (np.zeros(9, np.uint8), "has shape (9,); pass (height, width)"),
        (np.zeros((), np.uint8), "has shape ()"),
        (np.zeros((40, 50, 0), np.uint8), "has shape (40, 50, 0), no channels"),
        (np.zeros((40, 50, 2000), np.uint8), "has shape (40, 50, 2000); pass (height, width)"),
        (np.zeros((13, 40, 50), np.uint8), "channels first; pass array.transpose(1, 2, 0)"),
        (np.zeros((3, 40, 50), np.uint8), "channels first; pass array.transpose(1, 2, 0)"),
        (np.zeros((8, 4, 5, 3), np.uint8), "a batch of shape (8, 4, 5, 3); pass one picture of it"),
        (np.zeros((0, 5), np.uint8), "5 x 0 pixels"),
        (np.zeros((0, 5, 3)), "5 x 0 pixels"),
        (np.zeros((50_000, 1), np.uint8), "1 x 50000 pixels, too narrow"),
        (np.broadcast_to(np.uint8(0), (10**6, 10**6, 3)), "50 million pixels"),
        (np.array([[None, None]]), "object; convert it to uint8"),
        (np.array([["a", "b"]]), "convert it to uint8"),
        (np.zeros((2, 2), complex), "complex128; convert it to uint8"),
        (np.zeros((2, 2), "M8[s]"), "convert it to uint8"),
        (np.zeros((2, 2), [("a\n" * 200, "u1")]), "convert it to uint8"),
    ],
)
def test_arrays_that_are_no_picture(array: np.ndarray, says: str) -> None:
    assert says in refusal(array)
    assert '"mine"' in refusal(array, "mine")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, "of type NoneType; pass a PIL image"),
        (3, "of type int; pass a PIL image"),
        ([CORNERS], "is a list; pass one picture at a time"),
        (Image.new("RGB", (0, 4)), "0 x 4 pixels"),
        (Image.new("L", (1, 50_000)), "too narrow"),
        (Image.new("1", (7072, 7072)), "50 million pixels"),
    ],
)
def test_other_things_are_refused(source: object, says: str) -> None:
    assert says in refusal(source)


def test_a_closed_image_is_refused() -> None:
    image = Image.open(io.BytesIO(encoded(Image.fromarray(CORNERS), "PNG")))
    image.close()
    assert "damaged or cut off" in refusal(image)


# -- tensors ---------------------------------------------------------------------------------------------


def test_whole_number_tensors_are_pictures() -> None:
    tensor = torch.from_numpy(CORNERS).permute(2, 0, 1)
    for source in (tensor, tensor[None], tensor.long(), tensor.contiguous()):
        np.testing.assert_array_equal(pixels(source), CORNERS)
    np.testing.assert_array_equal(pixels(torch.from_numpy(GREY)[None], "L"), GREY)
    np.testing.assert_array_equal(pixels(torch.from_numpy(GREY > 100)[None], "L"), (GREY > 100) * 255)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("batch", [False, True])
def test_float_tensors_are_network_inputs(dtype: torch.dtype, batch: bool) -> None:
    values = torch.tensor([-2.0, 0.0, 3.5]).reshape(3, 1, 1).expand(3, 4, 5).to(dtype).requires_grad_()
    picture = read_picture(values[None] if batch else values, "input")
    assert picture.image is None and picture.name == "input"
    assert isinstance(picture.tensor, torch.Tensor)
    assert picture.tensor.dtype == torch.float32 and not picture.tensor.requires_grad
    assert torch.equal(picture.tensor, values.detach().float())
    assert values.grad is None


def test_subclasses_of_tensor_and_other_modes_are_read() -> None:
    parameter = torch.nn.Parameter(torch.ones(1, 2, 3))
    with torch.inference_mode():
        picture = read_picture(torch.ones(1, 2, 3) * 1)
    for tensor in (read_picture(parameter).tensor, picture.tensor):
        assert tensor is not None and torch.equal(tensor, torch.ones(1, 2, 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_tensors_of_another_device_are_read() -> None:
    np.testing.assert_array_equal(pixels(torch.from_numpy(CORNERS).permute(2, 0, 1).cuda()), CORNERS)
    tensor = read_picture(torch.ones(3, 2, 2, dtype=torch.half, device="cuda")).tensor
    assert tensor is not None and tensor.device.type == "cpu"


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (torch.zeros(4, 3, 8, 8), "a batch of shape (4, 3, 8, 8); pass one picture of it"),
        (torch.zeros(0, 3, 8, 8), "a batch of shape (0, 3, 8, 8)"),
        (torch.zeros(8, 8), "shape (8, 8); pass (channels, height, width)"),
        (torch.zeros(8, 9, 3), "channels last; pass tensor.permute(2, 0, 1)"),
        (torch.zeros(9, 8, 2, dtype=torch.uint8), "channels last; pass tensor.permute(2, 0, 1)"),
        (torch.zeros(2000, 8, 8, dtype=torch.uint8), "of 2000 channels; pass one of 1, 3 or 4"),
        (torch.zeros(0, 8, 8), "of 0 channels"),
        (torch.zeros(3, 0, 8), "8 x 0 pixels"),
        (torch.zeros(1, 1, 50_000), "50000 x 1 pixels, too narrow"),
        (torch.zeros(1).expand(3, 10**5, 10**5), "50 million pixels"),
        (torch.full((3, 2, 2), float("nan")), "NaN or infinite values"),
        (torch.full((3, 2, 2), 1e300, dtype=torch.float64), "NaN or infinite values"),
        (torch.zeros(3, 2, 2, device="meta"), "cannot be read"),
        (torch.zeros(3, 2, 2).to_sparse(), "cannot be read"),
        (torch.zeros(3, 2, 2, dtype=torch.cfloat), "complex64; convert it to uint8"),
        (torch.full((3, 2, 2), 300), "from 300 to 300"),
    ],
)
def test_tensors_that_are_no_picture(tensor: torch.Tensor, says: str) -> None:
    assert says in refusal(tensor)
    assert '"mine"' in refusal(tensor, "mine")
