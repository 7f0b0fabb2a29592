"""Photos: the random field, the finish, layers, pictures of results, files."""

import io

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from paintseg.affinity import log_survival, log_visits, walk_over
from paintseg.appearance import refine
from paintseg.config import preset
from paintseg.crf import DenseCRF
from paintseg.discovery import coarse_masks
from paintseg.errors import InputError
from paintseg.files import check_target, read_mask, read_photo, to_image
from paintseg.layers import (
    NamedLayer,
    cut_out,
    flatten,
    paint_out,
    parse_placements,
    reassemble,
    save_openraster,
    save_png_set,
)
from paintseg.prompts import Prompt
from paintseg.visualize import draw_prompt, heat_map, overlay, overlay_objects, unit_range
from paintseg.weights import tensors_of

from .inputs import any_tensor, masks, photos, prompt_parts, reals, sizes, tensors, texts
from .tally import attempt, fuzzed
from .tiny import Blur, Colours

small = st.tuples(*[st.sampled_from([1, 2, 5, 8, 13])] * 2)


def in_unit_range(values):
    return bool(torch.isfinite(values).all()) and (not values.numel() or (values.min() >= 0 and values.max() <= 1))


@fuzzed
@given(
    st.data(),
    small,
    st.sampled_from(["torch", "auto", "none"]),
    st.integers(-1, 3),
    st.one_of(st.just(50.0), reals),
    st.one_of(st.just(10.0), reals),
)
def test_the_random_field(data, size, backend, iterations, deviation, weight):
    probability = data.draw(
        st.one_of(tensors((2, *size), ("noise", "checks", "zeros")), tensors((2, 3, *size)), any_tensor)
    )
    with attempt("DenseCRF.infer"):
        field = DenseCRF(data.draw(photos(size)), sxy_bilateral=deviation, compat_bilateral=weight)
        found = field.infer(probability, iterations, backend)
        assert found.shape == probability.shape and in_unit_range(found)


@fuzzed
@given(st.data(), small, st.floats(0, 50), st.floats(0.001, 0.999))
def test_walks(data, grid, beta, rate):
    keys = data.draw(tensors((1, 3, *grid), dtypes=(torch.float32,)))
    with attempt("walk_over, log_survival ..."):
        keys = torch.nan_to_num(keys, 0, 1, -1)
        walk = walk_over(keys, beta)
        free = data.draw(tensors((grid[0] * grid[1],), dtypes=(torch.bool,)))
        assert log_survival(walk, free, rate).isfinite().all()
        if free.any():
            assert log_visits(walk, free, rate).isfinite().all()


@fuzzed
@given(st.data(), small)
def test_the_finish(data, size):
    with attempt("refine"):
        photo = data.draw(tensors((3, *size), ("noise", "checks", "grey", "zeros", "pixel"), (torch.float32,)))
        evidence = data.draw(tensors(size, ("noise", "huge", "negative", "zeros", "ones"), (torch.float32,)))
        allowed = data.draw(tensors(size, dtypes=(torch.bool,)))
        found = refine(photo, evidence, allowed, preset("balanced"))
        assert found.shape == size and in_unit_range(found) and not found[~allowed].any()


@fuzzed
@given(st.data(), sizes, st.integers(-1, 4), st.one_of(st.just(40), st.integers(-1, 40)))
def test_discovery(data, size, most, cells):
    with attempt("coarse_masks"):
        photo = data.draw(photos(size))
        found = coarse_masks(photo, Colours(4), most, min(cells, 12))
        assert 1 <= len(found) <= most and all(one.shape == photo.shape[1:] and in_unit_range(one) for one in found)


@fuzzed
@given(st.data(), sizes, st.one_of(st.just(0.0), reals), st.one_of(st.just((0.05, 0.95)), st.tuples(reals, reals)))
def test_cutting_out(data, size, soften, levels):
    with attempt("cut_out"):
        layer = cut_out(data.draw(photos(size)), data.draw(masks(size)), soften, levels)
        assert layer.shape == (4, *size) and in_unit_range(layer)


@fuzzed
@given(
    st.data(),
    st.sampled_from([(40, 48), (64, 33), (9, 70)]),
    st.sampled_from([1, 1, 2, 3, 0]),
    st.one_of(st.none(), st.integers(-1, 9)),
    st.booleans(),
    st.one_of(st.integers(0, 99), st.integers()),
)
def test_painting_out(data, size, candidates, grow, shadow, seed):
    with attempt("paint_out"):
        photo = data.draw(photos(size))
        found = paint_out(
            photo,
            data.draw(st.one_of(tensors(size, ("pixel",)), masks(size))),
            Blur(),
            seed,
            grow,
            candidates,
            shadow,
            Colours(),
        )
        assert found.plate.shape == photo.shape and in_unit_range(found.plate) and found.hole.shape == size
        assert torch.equal(found.plate[:, ~found.hole], photo.float().clamp(0, 1)[:, ~found.hole])


@fuzzed
@given(st.data(), sizes, texts())
def test_reassembling(data, size, placements):
    with attempt("reassemble"):
        photo = data.draw(photos(size))
        layers = data.draw(
            st.lists(sizes.flatmap(lambda own: tensors(st.one_of(st.just((4, *own)), st.just((3, *own))))), max_size=3)
        )
        try:
            chosen = [one for one in parse_placements(placements) if one.scale < 20]
        except InputError:
            chosen = None
        found = reassemble(photo, layers, chosen)
        assert found.shape == photo.shape and in_unit_range(found)


@fuzzed
@given(st.data(), sizes, st.text(max_size=12), reals)
def test_saving_layers(tmp_path_factory, data, size, name, opacity):
    folder = tmp_path_factory.getbasetemp() / "layers"
    folder.mkdir(exist_ok=True)
    pixels = data.draw(st.lists(st.one_of(tensors((4, *size)), tensors((3, *size)), any_tensor), max_size=3))
    layers = [NamedLayer(name, one, opacity if data.draw(st.integers(0, 4)) == 0 else 1.0) for one in pixels]
    with attempt("flatten, save_openraster ..."):
        assert in_unit_range(flatten(layers))
        save_openraster(folder / "one.ora", layers)
        paths = save_png_set(folder, layers, "one")
        assert len(paths) == len(layers) and all(path.parent == folder for path in paths)
        for path in (folder / "one.ora", folder / "onelayers.json", *paths):
            path.unlink(missing_ok=True)  # layers of one name share a file
    assert list(folder.iterdir()) == []


@fuzzed
@given(st.data(), sizes)
def test_pictures_of_results(data, size):
    image = data.draw(tensors((3, *size), ("noise", "zeros", "ones")))
    mask = data.draw(tensors(size, ("noise", "checks", "zeros", "ones", "halves")))
    with attempt("draw_prompt, overlay ..."):
        image = image.float().clamp(0, 1)
        shown = [overlay(image, mask), overlay_objects(image, (mask.float() * 3).long()), heat_map(mask, mask > 0.5)]
        assert all(one.shape == (3, *size) and in_unit_range(one) for one in shown)
        assert in_unit_range(unit_range(mask.float(), mask > 0.5))
        assert to_image(mask).size == (size[1], size[0])
        assert in_unit_range(draw_prompt(image, Prompt(**data.draw(prompt_parts(size)))))


def picture(kind):
    """A small picture in that format."""
    made = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5)
    buffer = io.BytesIO()
    (made.convert("P") if kind == "GIF" else made).save(buffer, kind)
    return buffer.getvalue()


PICTURES = [picture(kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "TGA", "ICO")]


@fuzzed
@given(st.data())
def test_picture_files(tmp_path_factory, data):
    content = bytearray(data.draw(st.sampled_from(PICTURES)))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    path = tmp_path_factory.getbasetemp() / "photo.png"
    path.write_bytes(bytes(content))
    with attempt("read_photo, read_mask"):
        photo = read_photo(path)
        assert photo.ndim == 3 and photo.shape[0] == 3 and in_unit_range(photo)
        assert read_mask(path).shape == photo.shape[1:]


@fuzzed
@given(st.text(max_size=20), st.booleans(), st.booleans())
def test_names_of_files(tmp_path_factory, name, alpha, lossless):
    with attempt("check_target"):
        check_target(tmp_path_factory.getbasetemp() / name, "-o", alpha, lossless)


def safetensors(header, body):
    return len(header).to_bytes(8, "little") + header + body


HEADER = (
    b'{"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[],"data_offsets":[12,16]}}'
)


@fuzzed
@given(st.data())
def test_weight_files(tmp_path_factory, data):
    content = bytearray(safetensors(HEADER, bytes(16)))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b"F8_E4M3", b"F4", b"9" * 20, b"-1", b"[[", b"null"]))
        )
    path = tmp_path_factory.getbasetemp() / "weights.safetensors"
    path.write_bytes(bytes(content))
    with attempt("tensors_of (safetensors)"):
        assert all(isinstance(tensor, torch.Tensor) for tensor in tensors_of(path).values())
