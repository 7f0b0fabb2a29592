"""Photos: the random field, the finish, layers, pictures of results, files."""

import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.finish.crf import DenseCRF
from paintseg.finish.refine import Finish
from paintseg.io import reading
from paintseg.io.formats import to_image
from paintseg.io.masks import read_mask
from paintseg.io.pictures import check_target, write_images
from paintseg.layers.compose import parse_placements, reassemble
from paintseg.layers.cutout import cut_out
from paintseg.layers.matting import matte
from paintseg.layers.openraster import save_openraster, save_png_set
from paintseg.layers.removal import paint_out
from paintseg.layers.stack import NamedLayer, flatten
from paintseg.locate.discovery import coarse_masks
from paintseg.locate.walks import log_survival, log_visits, walk_over
from paintseg.prompts import Prompt
from paintseg.visualize import draw_prompt, heat_map, overlay, overlay_objects, unit_range
from paintseg.weights import tensors_of

from .inputs import (
    any_tensor,
    good,
    masks,
    mostly,
    partial,
    photos,
    prompt_parts,
    reals,
    seldom,
    sizes,
    tensors,
    texts,
)
from .tally import attempt, fuzzed
from .tiny import Blur, Colours

small = st.tuples(*[st.sampled_from([1, 2, 5, 8, 13])] * 2)


def in_unit_range(values):
    return bool(torch.isfinite(values).all()) and (not values.numel() or (values.min() >= 0 and values.max() <= 1))


@fuzzed
@given(
    st.data(),
    small,
    mostly(st.sampled_from(["torch", "auto"]), st.just("none")),
    mostly(st.integers(0, 3), st.just(-1)),
    mostly(st.floats(0.5, 60), reals, 6),
    mostly(st.floats(0, 60), reals, 6),
)
def test_the_random_field(data, size, backend, iterations, deviation, weight):
    probability = data.draw(
        mostly(
            tensors(size, ("noise", "checks", "zeros"), (torch.float32,)),
            st.one_of(tensors((2, *size)), any_tensor),
            6,
        )
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
    with attempt("the finish"):
        photo = data.draw(tensors((3, *size), ("noise", "checks", "grey", "zeros", "pixel"), (torch.float32,)))
        evidence = data.draw(tensors(size, ("noise", "huge", "negative", "zeros", "ones"), (torch.float32,)))
        allowed = data.draw(tensors(size, dtypes=(torch.bool,)))
        found = Finish(photo)(evidence, allowed, preset("balanced"))
        assert found.shape == size and in_unit_range(found) and not found[~allowed].any()


@fuzzed
@given(st.data(), sizes, mostly(st.integers(1, 4), st.integers(-1, 0)), mostly(st.integers(2, 12), st.integers(-1, 1)))
def test_discovery(data, size, most, cells):
    with attempt("coarse_masks"):
        photo = data.draw(photos(size))
        found = coarse_masks(photo, Colours(4), most, cells)
        assert 1 <= len(found) <= most and all(one.shape == photo.shape[1:] and in_unit_range(one) for one in found)


shares = st.floats(0, 1)
levels = mostly(st.tuples(shares, shares).map(sorted).map(tuple), st.tuples(reals, reals))


@fuzzed
@given(st.data(), sizes, mostly(st.floats(0, 20), reals), levels)
def test_cutting_out(data, size, soften, levels):
    with attempt("cut_out"):
        layer = cut_out(data.draw(photos(size)), data.draw(masks(size)), soften, levels)
        assert layer.shape == (4, *size) and in_unit_range(layer)


@fuzzed
@given(st.data(), sizes, mostly(st.sampled_from([0.02, 0.1, 0.5, 0.0]), reals))
def test_matting(data, size, band):
    with attempt("matte"):
        soft = data.draw(masks(size))
        alpha = matte(data.draw(photos(size)), soft, band)
        assert alpha.shape == size and in_unit_range(alpha)
        assert (alpha > 0).any() == (soft > 0.5).any()


@fuzzed
@given(
    st.data(),
    st.sampled_from([(40, 48), (64, 33), (90, 120), (9, 70)]),
    mostly(st.sampled_from([1, 1, 2, 3]), st.just(0)),
    mostly(st.one_of(st.none(), st.integers(0, 9)), st.just(-1)),
    st.booleans(),
    st.one_of(st.integers(0, 99), st.integers()),
)
def test_painting_out(data, size, candidates, grow, shadow, seed):
    with attempt("paint_out"):
        photo = data.draw(photos(size))
        found = paint_out(
            photo,
            data.draw(st.one_of(tensors(size, ("pixel", "block"), (torch.float32,)), masks(size))),
            Blur(),
            seed,
            grow,
            candidates,
            shadow,
            Colours(),
        )
        assert found.plate.shape == photo.shape and in_unit_range(found.plate) and found.hole.shape == size
        assert torch.equal(found.plate[:, ~found.hole], photo.float().clamp(0, 1)[:, ~found.hole])


move = st.fixed_dictionaries(
    {"layer": st.sampled_from([0, 0, 0, 1])},
    optional=dict.fromkeys(("x", "y", "dx", "dy", "rotation"), st.floats(-40, 40))
    | {"scale": st.floats(0.05, 3), "opacity": shares, "shadow": shares, "order": st.integers(-3, 3)}
    | {"flip": st.booleans()},
)
moves = st.lists(move, max_size=3).map(json.dumps)


@fuzzed
@given(st.data(), sizes, mostly(moves, texts(), 4))
def test_reassembling(data, size, placements):
    with attempt("reassemble"):
        photo = data.draw(photos(size))
        own = sizes.flatmap(lambda own: tensors((4, *own), good, (torch.float32, torch.float16)))
        odd = st.one_of(sizes.flatmap(lambda own: tensors((3, *own))), tensors((4, 3, 3)))
        layers = data.draw(st.lists(mostly(own, odd, 20), max_size=3))
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
    own = st.one_of(tensors((4, *size), good), tensors((3, *size), good))
    odd = st.one_of(tensors((4, *size)), any_tensor)
    pixels = data.draw(mostly(st.lists(mostly(own, odd, 20), min_size=1, max_size=3), st.just([])))
    layers = [NamedLayer(name, one, opacity if seldom(data.draw, 8) else 1.0) for one in pixels]
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


@pytest.fixture
def _small_limit(monkeypatch):
    """Broken headers name any size, and large pictures are right and slow."""
    monkeypatch.setattr(reading, "MAX_PIXELS", 2**16)


@fuzzed
@given(st.data())
@pytest.mark.usefixtures("_small_limit")
def test_picture_files(tmp_path_factory, data):
    content = bytearray(data.draw(st.sampled_from(PICTURES)))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    path = tmp_path_factory.getbasetemp() / "photo.png"
    path.write_bytes(bytes(content))
    with attempt("load_photo, read_mask"):
        photo = reading.load_photo(path)
        assert photo.whole.ndim == 3 and photo.whole.shape[0] in (3, 4) and in_unit_range(photo.whole)
        written = path.with_suffix(data.draw(st.sampled_from([".png", ".tif", ".webp"])))
        write_images({written: photo.image_for(written, photo.whole)})
        assert read_mask(path).shape == photo.pixels.shape[1:]


suffixes = st.one_of(
    st.sampled_from([".png", ".tif", ".tiff", ".webp", ".bmp", ".jpg", ".jpeg"]), st.sampled_from([".PNG", ".gif", ""])
)
stems = mostly(
    st.text(st.characters(exclude_characters="/\\\0"), max_size=20),
    st.one_of(st.text(max_size=20), st.text("ab .~-$", max_size=3), st.sampled_from(["no/x", "..", "a" * 300])),
    4,
)
file_names = st.builds("{}{}".format, stems, suffixes)


@fuzzed
@given(file_names, st.booleans(), st.booleans())
def test_names_of_files(tmp_path_factory, name, alpha, lossless):
    with attempt("check_target"):
        check_target(tmp_path_factory.getbasetemp() / name, "-o", alpha, lossless)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder to write into."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "in").mkdir()
    return folder


@fuzzed
@given(st.data(), sizes, st.lists(file_names, min_size=1, max_size=3))
def test_writing_pictures(written, data, size, named):
    """What passes `check_target` can be written; what cannot be written leaves nothing."""
    with attempt("check_target, write_images"):
        images = {}
        for name in named:
            path = written / "in" / name  # one deeper, for names that begin with ..
            alpha = seldom(data.draw, 4)
            check_target(path, "-o", alpha)
            shape = (4, *size) if alpha else data.draw(st.sampled_from([(3, *size), size]))
            images[path] = to_image(data.draw(tensors(shape, (*partial, "noise"), (torch.float32,))))
        try:
            write_images(images)
        except BaseException:
            assert not [path for path in written.rglob("*") if path.is_file()]
            raise
        assert all(Image.open(path).size == (size[1], size[0]) for path in images)
        for path in images:
            path.unlink(missing_ok=True)
    assert not [path for path in written.rglob("*") if path.is_file()]


def safetensors(header, body):
    return len(header).to_bytes(8, "little") + header + body


HEADER = (
    b'{"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[],"data_offsets":[12,16]}}'
)


junk = st.one_of(st.binary(max_size=3), st.sampled_from([b"F8_E4M3", b"F4", b"9" * 20, b"-1", b"[[", b"null"]))


@fuzzed
@given(st.data())
def test_weight_files(tmp_path_factory, data):
    """Some with other numbers in them, some with another header."""
    content = bytearray(safetensors(HEADER, data.draw(st.binary(min_size=16, max_size=16))))
    for _ in range(data.draw(mostly(st.integers(0, 1), st.integers(2, 4), 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(junk)
    path = tmp_path_factory.getbasetemp() / "weights.safetensors"
    path.write_bytes(bytes(content))
    with attempt("tensors_of (safetensors)"):
        assert all(isinstance(tensor, torch.Tensor) for tensor in tensors_of(path).values())
