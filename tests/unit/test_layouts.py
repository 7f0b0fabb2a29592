"""Sets as their authors distribute them: tiny copies of every layout, and what they become."""

import json

import numpy as np
import pytest
from PIL import Image
from reproduction.importing import find_set, import_set, places_of
from reproduction.layouts import LAYOUTS, rle_mask
from scipy.io import savemat

from paintseg.errors import InputError
from paintseg.eval.datasets import read_manifest

SIZE = (40, 60)
FIRST, SECOND = (slice(5, 15), slice(10, 30)), (slice(20, 36), slice(40, 52))


def blob(*places, value=255, dtype=np.uint8):
    mask = np.zeros(SIZE, dtype)
    for number, place in enumerate(places, start=1):
        mask[place] = value if value else number
    return mask


BOTH = blob(FIRST, SECOND, value=0)  # 1 and 2


def photo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(path)


def mask(path, values, palette=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values, mode="P" if palette else None)
    if palette:
        picture.putpalette([number % 256 for number in range(768)])
    picture.save(path)


def text(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def duts(root):
    photo(root / "DUTS-TE-Image" / "a.jpg")
    mask(root / "DUTS-TE-Mask" / "a.png", blob(FIRST))


def ecssd(root):
    photo(root / "images" / "0001.jpg")
    mask(root / "ground_truth_mask" / "0001.png", blob(FIRST))


def voc(root):
    labels = BOTH.copy()
    labels[0] = 255
    photo(root / "VOC2012" / "JPEGImages" / "2007_1.jpg")
    photo(root / "VOC2012" / "JPEGImages" / "2007_2.jpg")  # of the training half
    mask(root / "VOC2012" / "SegmentationObject" / "2007_1.png", labels, palette=True)
    text(root / "VOC2012" / "ImageSets" / "Segmentation" / "val.txt", "2007_1")


def ritm(root):
    photo(root / "img" / "a.jpg")
    mask(root / "gt" / "a.png", blob(FIRST))


def coco(root, name="instances_val2017.json"):
    x0, x1, y0, y1 = 10, 29, 5, 14  # corners of polygons are pixels' own
    notes = [
        {"id": 7, "image_id": 1, "category_id": 3, "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]]},
        {"id": 8, "image_id": 1, "category_id": 4, "segmentation": {"counts": runs(BOTH == 2), "size": list(SIZE)}},
        {"id": 9, "image_id": 1, "category_id": 4, "iscrowd": 1, "segmentation": {"counts": [0, 2400], "size": SIZE}},
    ]
    photos = [{"id": 1, "file_name": "a.jpg", "height": SIZE[0], "width": SIZE[1]}]
    text(root / "annotations" / name, json.dumps({"annotations": notes, "images": photos}))
    photo(root / "val2017" / "a.jpg")


def grabcut(root):
    values = blob(FIRST)
    values[4] = 128
    photo(root / "data_GT" / "a.bmp")
    mask(root / "boundary_GT" / "a.bmp", values)


def berkeley(root):
    photo(root / "images" / "a.jpg")
    mask(root / "masks" / "a#001.png", blob(FIRST))
    mask(root / "masks" / "a#002.png", blob(SECOND))


def davis(root):
    for number in range(12):
        photo(root / "JPEGImages" / "480p" / "bear" / f"{number:05d}.jpg")
        mask(root / "Annotations" / "480p" / "bear" / f"{number:05d}.png", blob(FIRST, value=1))


def sbd(root):
    photo(root / "dataset" / "img" / "a.jpg")
    (root / "dataset" / "inst").mkdir(parents=True)
    savemat(root / "dataset" / "inst" / "a.mat", {"GTinst": {"Segmentation": BOTH, "Categories": [[1], [2]]}})
    text(root / "dataset" / "val.txt", "a")


def part_maps(root):
    labels = np.full(SIZE, 40, np.uint8)
    labels[FIRST], labels[SECOND] = 0, 12
    photo(root / "images" / "val" / "n01.JPEG")
    mask(root / "annotations" / "val" / "n01.png", labels)


def part_notes(root):
    coco(root, "val.json")
    noted = json.loads((root / "annotations" / "val.json").read_text(encoding="utf-8"))
    noted["annotations"].pop()
    text(root / "annotations" / "val.json", json.dumps(noted))


def runs(values):
    flat = np.concatenate([[False], values.T.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], edges, [values.size]])).tolist()


# What a copy holds: objects by the name they get, each with its pixels; what is not counted.
A, B, AB = blob(FIRST) > 0, blob(SECOND) > 0, blob(FIRST, SECOND) > 0
COPIES = {
    "duts_te": (duts, {"a": A}, []),
    "ecssd": (ecssd, {"0001": A}, []),
    "pascal_voc": (voc, {"2007_1_1": A, "2007_1_2": B}, [0]),
    "coco_mval": (ritm, {"a": A}, []),
    "coco_mval, notes": (coco, {"a_7": A, "a_8": B}, []),
    "grabcut": (grabcut, {"a": A}, [4]),
    "berkeley": (berkeley, {"a_001": A, "a_002": B}, []),
    "davis": (ritm, {"a": A}, []),
    "davis, frames": (davis, {"bear_00000": A, "bear_00010": A}, []),
    "sbd": (sbd, {"a_1": A, "a_2": B}, []),
    "part_image_net": (part_maps, {"n01": AB}, []),
    "part_image_net, notes": (part_notes, {"a": AB}, []),
}


@pytest.mark.parametrize("case", COPIES)
def test_every_layout_is_read(case, tmp_path):
    name = case.split(",")[0]
    make, wanted, left_out = COPIES[case]
    make(tmp_path / "sets" / LAYOUTS[name].folders[0])
    assert import_set(find_set(tmp_path / "sets", name), name, tmp_path / "here") == len(wanted)
    found = {one.stem: one for one in read_manifest(tmp_path / "here", (name,))}
    assert found.keys() == wanted.keys()
    for stem, instance in found.items():
        truth = instance.mask()
        assert np.array_equal(truth == 255, wanted[stem])
        assert np.flatnonzero((truth == 128).any(1)).tolist() == left_out
        assert tuple(instance.image().shape[1:]) == SIZE
        x0, y0, x1, y1 = (int(edge) for edge in instance.box)
        assert wanted[stem][y0:y1, x0:x1].sum() == wanted[stem].sum()


def test_every_layout_has_a_copy():
    assert {case.split(",")[0] for case in COPIES} == set(LAYOUTS)


def test_an_import_goes_on_where_it_was(tmp_path):
    davis(tmp_path / "DAVIS")
    assert import_set(tmp_path / "DAVIS", "davis", tmp_path / "here", limit=1) == 1
    (tmp_path / "DAVIS" / "Annotations" / "480p" / "bear" / "00000.png").write_bytes(b"is not read again")
    assert import_set(tmp_path / "DAVIS", "davis", tmp_path / "here") == 2
    ritm(tmp_path / "COCO_MVal")
    import_set(tmp_path / "COCO_MVal", "coco_mval", tmp_path / "here")
    assert {one.dataset for one in read_manifest(tmp_path / "here")} == {"davis", "coco_mval"}


def test_an_object_without_a_pixel_is_left_out_and_a_set_of_such_refused(tmp_path):
    ecssd(tmp_path)
    mask(tmp_path / "ground_truth_mask" / "0001.png", blob())
    with pytest.raises(InputError, match="holds no object of ECSSD"):
        import_set(tmp_path, "ecssd", tmp_path / "here")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("duts_te", "holds no folder DUTS-TE-Image"),
        ("pascal_voc", r"val\.txt cannot be read"),
        ("coco_mval", "holds neither gt nor instances_val"),
        ("davis", "holds no folder Annotations/480p"),
    ],
)
def test_another_layout_is_refused(name, says, tmp_path):
    with pytest.raises(InputError, match=says):
        import_set(tmp_path, name, tmp_path / "here")


def test_a_mask_without_its_photo_and_one_of_another_size_are_refused(tmp_path):
    ecssd(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "images" / "0001.jpg")
    with pytest.raises(InputError, match="has 9 x 9 pixels, its mask 60 x 40"):
        import_set(tmp_path, "ecssd", tmp_path / "here")
    (tmp_path / "images" / "0001.jpg").unlink()
    with pytest.raises(InputError, match="has no photo"):
        import_set(tmp_path, "ecssd", tmp_path / "here")


def test_the_places_of_an_object_are_those_worked_out_by_hand():
    assert places_of(A) == (10, 5, 30, 15, 19.5, 9.5, 14, 9)
    assert places_of(np.zeros(SIZE, bool)) is None


def letters(counts):
    """COCO's rleToString (maskApi.c), written anew: five bits a letter, low first, differences from the third on."""
    said = ""
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        while True:
            bits, value = value & 31, value >> 5
            last = value == (-1 if bits & 16 else 0)
            said += chr(48 + bits + (0 if last else 32))
            if last:
                break
    return said


@pytest.mark.parametrize("counts", [[3, 2, 4, 1, 2], [0, 12], [12], [5, 1, 1, 1, 4], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]])
def test_run_lengths_are_read_plain_and_packed(counts):
    wanted = np.concatenate([np.full(count, bool(place % 2)) for place, count in enumerate(counts)]).reshape(4, 3).T
    assert np.array_equal(rle_mask(counts, (3, 4)), wanted)
    assert np.array_equal(rle_mask(letters(counts), (3, 4)), wanted)


def test_long_runs_are_read_packed():
    values = np.random.default_rng(0).random((300, 200)) < 0.001
    assert np.array_equal(rle_mask(letters(runs(values)), (300, 200)), values)


def test_run_lengths_of_another_size_are_refused():
    with pytest.raises(InputError, match="cover 5 pixels where a mask has 4 x 3"):
        rle_mask([2, 3], (3, 4))
