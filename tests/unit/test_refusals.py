"""What strangers' graphs hold, and bad luck: each case has its sentence, in the library, the commands and the nodes.

A refusal is an InputError (WeightsError, PainterError) of one line; the command ends with 2 and writes nothing; nodes
raise the same sentence, which ComfyUI shows on them. "-": the case cannot arise there. The server's share (the
queue goes on, two prompts at once, cancelling, a server stopped) is in tests/server/test_recoveries.py.

| case                              | library           | command             | node                      |
|-----------------------------------|-------------------|---------------------|---------------------------|
| wrong shapes                      | refused           | -                   | refused                   |
| batch of 0 (test_empty_batches)   | refused           | -                   | refused                   |
| sizes that differ                 | refused           | masks scaled        | masks scaled, others no   |
| 1 px and 1 x 10000 photos         | done              | done                | done                      |
| grey, RGBA                        | refused           | done                | done                      |
| 16-bit (test_deep_and_huge)       | refused           | done                | refused                   |
| picture bombs (test_deep_and_huge)| refused           | refused             | refused                   |
| NaN, infinities                   | refused           | refused             | refused                   |
| fp16, bf16                        | done              | -                   | done                      |
| empty mask, LoadImage's 64 x 64   | refused           | refused             | refused                   |
| full mask                         | done              | done                | done                      |
| prompt outside / on the edge      | refused / done    | refused / done      | refused / done            |
| malformed JSON, negative box      | refused           | refused             | refused                   |
| masks batch 1, images batch n     | -                 | -                   | one mask for all          |
| object vanishes (test_vanishing)  | last mask, a note | last mask, a note   | last mask, a warning      |
| painter: NaN, another size        | refused           | -                   | refused                   |
| encoder: NaN, another grid        | refused           | -                   | refused                   |
| weights missing, broken, others'  | refused           | refused             | refused                   |
| folder not writable (test_disk)   | refused           | refused             | refused                   |
| disk full (test_disk)             | refused, nothing  | refused, nothing    | refused, nothing          |
| out of memory                     | pieces, sentence  | sentence            | pieces, sentence          |
| cancelled at any moment           | next run right    | 130, nothing        | next run right            |
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from harness.inprocess import load_pack
from PIL import Image
from safetensors.torch import save_file

from paintseg.__main__ import main
from paintseg.config import preset
from paintseg.errors import InputError, PainterError
from paintseg.io.formats import to_image
from paintseg.ops.memory import SHORTAGE, in_chunks
from paintseg.prompts import Prompt, box_prompt, mask_prompt, point_prompt
from paintseg.segmentation import segment

from .small_models import MeanColour, Paints, Surroundings, commands_share_models, disc_photo  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("commands_share_models")

SIZE = (48, 64)
PHOTO, DISC = disc_photo(SIZE, centre=(32, 24), radius=12)
BOX = box_prompt((18, 10, 46, 38), SIZE)
SMALL = preset("fast", size=64, encoder_size=64, photo_size=0)
QUICK = ["--preset", "fast", "--size", "64", "--set", "encoder_size=112", "--set", "photo_size=0", "-q"]
ROOT = Path(__file__).resolve().parents[2]
UNIX = pytest.mark.skipif(os.name == "nt", reason="limits of a process are set with Python's module resource")


def library(photo=PHOTO, prompt=BOX, painter=None, encoder=None, config=SMALL, **more):
    return segment(photo, prompt, painter or Surroundings(), encoder or MeanColour(), config, **more)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    pack = load_pack()
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    folder_paths.set_output_directory(str(tmp_path_factory.mktemp("output")))
    presets, before = pack.paintseg.config.PRESETS, dict(pack.paintseg.config.PRESETS)
    presets["fast"] = replace(before["fast"], size=64, encoder_size=64, photo_size=0)
    yield pack.nodes
    presets.update(before)


@pytest.fixture
def node(nodes):
    """Runs Prompt and Segment on an IMAGE, with a box or whatever is said."""

    def run(image=None, kind="box", painter=None, encoder=None, **said):
        image = PHOTO.movedim(0, -1)[None] if image is None else image
        statement = {"kind": kind} | {key: said.pop(key) for key in ("mask", "x", "y") if key in said}
        said = {"boxes": "[[18, 10, 46, 38]]"} | said if kind == "box" else said
        prompt = nodes.prompt.PromptToMask.execute(image, statement, **said).result[0]
        models = {"painter": painter or Surroundings(), "encoder": encoder or MeanColour()}
        return nodes.loop.AMCPLoop.execute(image, prompt, preset="fast", seed=0, **models).result[0]

    return run


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    """Runs `segment` in a folder with photo.png; the code and what was said, after checking what was written."""
    to_image(PHOTO).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)

    def run(*arguments, photo="photo.png"):
        before = sorted(path.name for path in tmp_path.iterdir())
        code = main(["segment", photo, *arguments, *QUICK, "-o", "mask.png"])
        said = capsys.readouterr().err
        written = sorted({path.name for path in tmp_path.iterdir()} - set(before))
        assert written == ([] if code else ["mask.png"])
        assert not code or said.count("\n") == 1
        return code, said

    return run


def one_line(raised):
    text = str(raised.value)
    assert text and "\n" not in text
    return text


# Photos


@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1)])
def test_photos_of_any_size_are_taken(size, node, command, tmp_path):
    photo = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    assert library(photo, box_prompt((0, 0, *size[::-1]), size)).mask.shape == size
    assert node(photo.movedim(0, -1)[None], boxes=f"[[0, 0, {size[1]}, {size[0]}]]").shape == (1, *size)
    to_image(photo).save(tmp_path / "odd.png")
    assert command("--box", f"0,0,{size[1]},{size[0]}", photo="odd.png")[0] == 0


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16", "LA", "P"])
def test_photos_of_any_mode_are_taken(mode, command, tmp_path):
    picture = to_image(PHOTO)
    deep = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    (deep if mode == "I;16" else picture.convert(mode)).save(tmp_path / "other.png")
    assert command("--box", "18,10,46,38", photo="other.png")[0] == 0


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_of_any_channels_are_taken_by_nodes_and_refused_by_the_library(channels, node):
    image = torch.cat([PHOTO, PHOTO])[:channels].movedim(0, -1)[None]
    assert node(image).shape == (1, *SIZE)
    with pytest.raises(InputError, match="the image must be 3 x H x W"):
        library(torch.cat([PHOTO, PHOTO])[:channels])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_photos_of_any_precision_are_taken(dtype, node):
    assert library(PHOTO.to(dtype)).mask.any() and node(PHOTO.movedim(0, -1)[None].to(dtype)).any()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_photo_with_nan_is_refused(value, node, command, tmp_path):
    photo = PHOTO.clone()
    photo[1, 2, 3] = float(value)
    with pytest.raises(InputError, match="the image holds NaN or infinite pixels"):
        library(photo)
    with pytest.raises(ValueError, match="the image holds NaN or infinite pixels") as raised:
        node(photo.movedim(0, -1)[None])
    one_line(raised)
    Image.fromarray(photo[1].numpy()).save(tmp_path / "odd.tiff")
    code, said = command("--box", "18,10,46,38", photo="odd.tiff")
    assert code == 2 and "NaN or infinite" in said


# Prompts


def test_an_empty_mask_is_refused_and_a_full_one_taken(node, command, tmp_path):
    for size in (SIZE, (64, 64)):  # the second is what Load Image gives for a photo without transparency
        with pytest.raises(ValueError, match="the mask is empty: no pixel is above 0.5"):
            node(kind="mask", mask=torch.zeros(1, *size))
    with pytest.raises(InputError, match="the mask is empty: no pixel is above 0.5"):
        mask_prompt(torch.zeros(SIZE))
    Image.new("L", SIZE[::-1]).save(tmp_path / "coarse.png")
    assert command("--mask", "coarse.png")[0] == 2
    assert library(prompt=mask_prompt(torch.ones(SIZE))).mask.shape == SIZE
    assert node(kind="mask", mask=torch.ones(1, *SIZE)).shape == (1, *SIZE)
    Image.new("L", SIZE[::-1], 255).save(tmp_path / "coarse.png")
    assert command("--mask", "coarse.png")[0] == 0


def test_a_mask_of_another_size_is_refused_but_scaled_by_commands_and_nodes(node, command, tmp_path):
    with pytest.raises(InputError, match="the mask must have the image's size 64 x 48, not 64 x 47"):
        Prompt(SIZE, mask=torch.ones(47, 64))
    Image.new("L", (64, 47), 255).save(tmp_path / "coarse.png")
    assert command("--mask", "coarse.png", "-o", "mask.png")[0] == 0
    os.unlink("mask.png")
    assert node(kind="mask", mask=torch.nn.functional.max_pool2d(DISC[None].float(), 2)).any()


def test_points_outside_are_refused_and_on_the_edge_taken(node, command):
    for x, y in ((65, 20), (20, 49), (-1, 5)):
        with pytest.raises(InputError, match="lies outside the image of 64 x 48"):
            point_prompt([(x, y)], SIZE)
        assert command("--point", f"{x},{y}")[0] == 2
        with pytest.raises(ValueError, match="lies outside the image of 64 x 48"):
            node(kind="point", x=0, y=0, points=f"[[{x}, {y}]]")
    for x, y in ((0, 0), (63, 47)):
        assert library(prompt=point_prompt([(x, y)], SIZE)).mask.shape == SIZE
        assert command("--point", f"{x},{y}", "-o", "mask.png")[0] == 0
        assert node(kind="point", x=x, y=y).shape == (1, *SIZE)
        os.unlink("mask.png")
    for x, y in ((64, 20), (20, 48)):  # where point editors put the far edge
        with pytest.raises(InputError, match="lies outside the image of 64 x 48"):
            point_prompt([(x, y)], SIZE)
        code, said = command("--point", f"{x},{y}", "-o", "mask.png")
        assert code == 0 and said == ""
        assert node(kind="point", x=0, y=0, points=f"[[{x}, {y}]]").shape == (1, *SIZE)
        os.unlink("mask.png")


@pytest.mark.parametrize("box", [[30, 30, 10, 10], [5, 5, 5, 9], [200, 200, 300, 300]])
def test_boxes_without_a_pixel_are_refused(box, node, command):
    with pytest.raises(InputError, match="the box"):
        box_prompt(box, SIZE)
    assert command("--box", ",".join(map(str, box)))[0] == 2
    with pytest.raises(ValueError, match="the box") as raised:
        node(boxes=str([box]))
    one_line(raised)


@pytest.mark.parametrize("text", ["{", "[[1]]", '{"x": 1}', "[" * 5000, "[[1e999, 1]]", f"[[{'9' * 5000}, 1]]"])
def test_points_that_are_no_points_are_refused(text, node):
    with pytest.raises(ValueError, match="the points must be JSON like") as raised:
        node(kind="point", x=0, y=0, points=text)
    one_line(raised)


def test_one_mask_goes_with_all_images(nodes):
    images = PHOTO.movedim(0, -1)[None].expand(3, -1, -1, -1)
    plates, holes = nodes.remove.RemoveObject.execute(
        images, DISC[None].float(), 0, 1, False, painter=Surroundings(), encoder=MeanColour()
    ).result
    assert len(plates) == len(holes) == 3
    with pytest.raises(ValueError, match="there are 3 images and 2 masks: give one of either, or as many of both"):
        nodes.remove.RemoveObject.execute(images, DISC[None].float().expand(2, -1, -1), 0, 1, False)


# Models


@pytest.mark.parametrize(
    "answer, sentence",
    [
        (lambda image, hole, count: image.expand(count, -1, -1, -1) * torch.nan, "the painter returned NaN"),
        (lambda image, hole, count: image[None, :, :-1].expand(count, -1, -1, -1), r"the painter returned \(3, "),
        (lambda image, hole, count: image.expand(count + 1, -1, -1, -1), "the painter returned 2 paintings where 1"),
    ],
    ids=["NaN", "size", "number"],
)
def test_a_painter_that_does_not_paint_is_named(answer, sentence, node, nodes):
    with pytest.raises(PainterError, match=sentence):
        library(painter=Paints(answer))
    with pytest.raises(RuntimeError, match=sentence) as raised:
        node(painter=Paints(answer))
    one_line(raised)
    image, mask = PHOTO.movedim(0, -1)[None], DISC[None].float()
    for shadow in (False, True):
        with pytest.raises(RuntimeError, match="the painter returned"):
            nodes.remove.RemoveObject.execute(image, mask, 0, 1, shadow, 1, Paints(answer), MeanColour())


@pytest.mark.parametrize("spoil", [lambda found: found * torch.nan, lambda found: found[..., :-1]], ids=["NaN", "grid"])
def test_an_encoder_that_does_not_encode_is_named(spoil, node):
    class Broken(MeanColour):
        def encode(self, images):
            return spoil(super().encode(images))

    with pytest.raises(InputError, match="the encoder mean colour returned"):
        library(encoder=Broken())
    with pytest.raises(ValueError, match="the encoder mean colour returned") as raised:
        node(encoder=Broken())
    one_line(raised)


def test_a_painting_that_is_the_photo_itself_leaves_the_mask_and_a_note(node, caplog):
    found = library(painter=Paints(lambda image, hole, count: image.expand(count, -1, -1, -1)))
    assert found.mask.any() and "the mask is kept" in found.note
    node(painter=Paints(lambda image, hole, count: image.expand(count, -1, -1, -1)))
    assert "the mask is kept" in caplog.text


@pytest.fixture
def dino(nodes, tmp_path, monkeypatch):
    """ComfyUI's folder models/dino, and the title and file of an encoder that belongs there."""
    import folder_paths

    nodes.folders.ensure("dino")
    known = folder_paths.folder_names_and_paths["dino"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "dino", ([str(tmp_path / "dino")], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    published = nodes.encoders.CATALOG[0]
    (tmp_path / "dino").mkdir()
    return published.title, tmp_path / "dino" / published.file


def test_an_encoder_file_that_is_broken_or_of_another_model_is_named(nodes, dino):
    title, path = dino
    choose = nodes.encoders.DINOEncoderNode.execute
    with pytest.raises(RuntimeError, match="are missing: save http"):
        choose(title)
    for content in (b"", b"\xff" * 100, b"\x10" + bytes(7) + b'{"a":{"dtype":'):
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match="cannot be read") as raised:
            choose(title)
        assert str(path) in one_line(raised)
    other = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    save_file(other.state_dict(), path)
    with pytest.raises(RuntimeError, match="the tensors given are not those of vit_small_patch16_224.dino") as raised:
        choose(title)
    one_line(raised)


def test_an_inpainting_file_that_is_broken_is_named(nodes, tmp_path):
    for name in ("a.pt", "a.safetensors", "a.ckpt"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 nothing")
        with pytest.raises(RuntimeError, match="cannot be read") as raised:
            nodes.inpaint_model.load(tmp_path / name, 0)
        one_line(raised)


SPOILT = """
import sys
from pathlib import Path
from paintseg.__main__ import main
missing = main(sys.argv[1:])
Path("paintseg/weights/migan_places2_512.safetensors").write_bytes(bytes(13_197_328))
broken = main(sys.argv[1:])
print(missing, broken)
"""


def test_embedded_weights_that_are_missing_or_broken_are_said_by_the_command(tmp_path):
    copy = tmp_path / "copy" / "paintseg"
    shutil.copytree(ROOT / "paintseg", copy, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
    to_image(PHOTO).save(tmp_path / "photo.png")
    arguments = ["segment", str(tmp_path / "photo.png"), "--box", "18,10,46,38", "-o", str(tmp_path / "mask.png")]
    done = subprocess.run([sys.executable, "-c", SPOILT, *arguments], cwd=copy.parent, capture_output=True, text=True)
    assert done.stdout == "2 2\n" and not (tmp_path / "mask.png").exists(), done.stderr
    missing, broken = done.stderr.splitlines()
    for sentence in (missing, broken):
        assert "migan_places2_512.safetensors" in sentence and "sha256" in sentence
    assert "is missing" in missing and "has sha256" in broken


# Memory

LIMITED = """
import resource, sys
import torch
from paintseg.__main__ import main
torch.set_num_threads(1)
resource.setrlimit(getattr(resource, sys.argv[1]), (int(sys.argv[2]),) * 2)
sys.exit(main(sys.argv[3:]))
"""


def limited(limit, amount, *arguments):
    words = [sys.executable, "-c", LIMITED, limit, str(amount), *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True)


@UNIX
def test_memory_that_is_not_enough_is_said_by_the_command(tmp_path):
    to_image(PHOTO).save(tmp_path / "photo.png")
    words = ["segment", tmp_path / "photo.png", "--box", "18,10,46,38", "-o", tmp_path / "mask.png"]
    done = limited("RLIMIT_AS", 8 << 30, *words, "--set", "encoder_size=32768", "-q")
    assert done.returncode == 2 and done.stderr == f"paintseg: {SHORTAGE}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@pytest.mark.parametrize(
    "problem",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_pieces_become_smaller_until_they_fit(problem):
    asked = []

    def run(part):
        asked.append(part.stop - part.start)
        if asked[-1] > 2:
            raise problem
        return [torch.arange(part.start, part.stop)]

    assert in_chunks(run, 9, torch.device("meta"))[0].tolist() == list(range(9))
    assert asked == [9, 5, 3, 2, 2, 2, 2, 1]


@pytest.mark.parametrize("call", ["paint", "encode"])
@pytest.mark.parametrize(
    "problem, kind",
    [
        (
            torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nGPU 0 has"),
            torch.cuda.OutOfMemoryError,
        ),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), MemoryError),
        (MemoryError(), MemoryError),
    ],
    ids=["GPU", "CPU", "Python"],
)
def test_memory_that_is_never_enough_is_said_in_one_sentence(call, problem, kind, node):
    def fail(*_):
        raise problem

    class Full(MeanColour):
        encode = fail

    models = {"painter": Paints(fail)} if call == "paint" else {"encoder": Full()}
    for run in (library, node):
        with pytest.raises(kind) as raised:
            run(**models)
        assert str(raised.value) == SHORTAGE


def test_a_programming_error_is_no_shortage_of_memory():
    def fail(*_):
        raise RuntimeError("sizes of tensors must match")

    with pytest.raises(RuntimeError, match="sizes of tensors must match"):
        library(painter=Paints(fail))


# Cancelling


class Cancelled(BaseException):
    """As ComfyUI's InterruptProcessingException, no Exception."""


def test_cancelled_at_any_call_the_next_run_is_right(node):
    config = replace(SMALL, steps=2, paintings=2)
    expected = library(config=config).soft
    expected_node = node()
    calls = []

    def counting(stop):
        def tick():
            calls.append(None)
            if len(calls) == stop:
                raise Cancelled

        class Encoder(MeanColour):
            def encode(self, images):
                tick()
                return super().encode(images)

        class Painter(Surroundings):
            def paint(self, *request):
                tick()
                return super().paint(*request)

        return {"encoder": Encoder(), "painter": Painter()}

    library(config=config, **counting(0))
    total = len(calls)
    assert total >= 4
    for stop in range(1, total + 1):
        calls.clear()
        with pytest.raises(Cancelled):
            library(config=config, **counting(stop))
        assert torch.equal(library(config=config).soft, expected)
    calls.clear()
    with pytest.raises(Cancelled):
        node(**counting(2))
    assert torch.equal(node(), expected_node)
