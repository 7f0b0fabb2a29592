"""A folder of made-up photos with human masks, as the evaluation takes them."""

import csv

import numpy as np
from PIL import Image

from paintseg.cli.bench import made_up_photo
from paintseg.eval.metrics import IGNORED
from paintseg.io.formats import to_image

COLUMNS = ("dataset", "stem", "image", "x0", "y0", "x1", "y1", "centroid_x", "centroid_y", "inner_x", "inner_y")


def made_up_photos(folder, count=4):
    """Write `count` photos in two sets in turn, `round` and `oval`; the set `round` has strokes. Returns the folder."""
    rows = [COLUMNS]
    for number in range(count):
        name, size, side = ("round", "oval")[number % 2], 100 + 8 * number, 60
        image, prompt = made_up_photo(size, side, seed=number)
        ys, xs = (np.mgrid[:size, :size] + 0.5 - size / 2) / (side / 2)
        truth = np.where(xs**2 + (ys / 0.8) ** 2 <= 1, 255, 0).astype(np.uint8)
        truth[:3] = IGNORED
        strokes = np.zeros((size, size), np.uint8)
        strokes[5:-5, 5] = strokes[5:-5, -6] = strokes[5, 5:-5] = strokes[-6, 5:-5] = 2
        strokes[size // 2 - 12 : size // 2 + 12, size // 2 - 18 : size // 2 + 18] = 1
        for kind, picture in (
            ("images", to_image(image)),
            ("masks", Image.fromarray(truth)),
            ("scribbles1", Image.fromarray(strokes)),
            ("scribbles2", Image.fromarray(strokes)),
        ):
            if name == "round" or "scribbles" not in kind:
                (folder / name / kind).mkdir(parents=True, exist_ok=True)
                picture.save(folder / name / kind / f"photo{number}.png")
        middle = (size / 2, size / 2)
        rows.append((name, f"photo{number}", f"photo{number}.png", *prompt.box, *middle, *middle))
    with (folder / "manifest.csv").open("w", newline="") as opened:
        csv.writer(opened).writerows(rows)
    return folder
