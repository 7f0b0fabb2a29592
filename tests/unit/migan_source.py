"""ONNX Runtime on MI-GAN's published file: the oracle of test_migan.py, and the recorder of its answers.

    python tests/unit/migan_source.py FOLDER     writes recorded/migan_onnxruntime.npz

FOLDER holds migan_pipeline_v2.onnx (see paintseg/weights/README.md).
"""

import sys
from pathlib import Path

import numpy as np

RECORDED = Path(__file__).parent / "recorded" / "migan_onnxruntime.npz"
FILE = "migan_pipeline_v2.onnx"
INPUT, OUTPUT = "/Concat_23_output_0", "/model/synthesis/b512/Add_1_output_0"


def example():
    """A 512 px picture (3 x H x W) and mask (1 x H x W, 255 keeps), uint8, the same on every machine."""
    y, x = np.mgrid[:512, :512]
    waves = [np.abs((x * (channel + 2) + y * (5 - channel)) % 510 - 255) for channel in range(3)]
    blocks = ((x // 64 + y // 32) % 3 == 0) * 60
    picture = np.clip(np.stack(waves) * 3 // 4 + blocks, 0, 255)
    mask = np.full((1, 512, 512), 255)
    mask[:, 150:330, 100:400] = mask[:, 300:480, 350:512] = 0
    return picture.astype(np.uint8), mask.astype(np.uint8)


def run(model, picture, mask):
    """The generator's input and output inside the published pipeline, 1 x 4 x H x W and 1 x 3 x H x W."""
    import onnxruntime

    outputs = b"".join(field(12, field(1, name.encode()) + field(2, field(1, b"\x08\x01"))) for name in (INPUT, OUTPUT))
    # Reading a protobuf message merges a second `graph` field with the first: the graph has two outputs more.
    extended = bytes(model) + field(7, outputs)
    session = onnxruntime.InferenceSession(extended, providers=["CPUExecutionProvider"])
    return session.run([INPUT, OUTPUT], {"image": picture[None], "mask": mask[None]})


def field(number, content):
    """A length-delimited protobuf field."""
    size, prefix = len(content), bytes([number << 3 | 2])
    while size >= 0x80:
        prefix, size = prefix + bytes([size & 0x7F | 0x80]), size >> 7
    return prefix + bytes([size]) + content


def rounded(model):
    """The model with all its numbers rounded to fp16, as the embedded ones are."""
    from make_weights import onnx_arrays

    model = bytearray(model)
    for array in onnx_arrays(memoryview(model)).values():
        array[...] = array.astype(np.float16)  # the arrays share the bytearray's memory
    return model


def excerpt(output):
    """Every eighth pixel, and all of a corner of the hole: 98 KB."""
    return {"coarse": output[0, :, ::8, ::8], "fine": output[0, :, 130:194, 80:144]}


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    sys.path += [str(root), str(root / "scripts")]
    source = Path(sys.argv[1]) / FILE
    RECORDED.parent.mkdir(exist_ok=True)
    np.savez_compressed(RECORDED, **excerpt(run(rounded(source.read_bytes()), *example())[1]))
    print(RECORDED)
