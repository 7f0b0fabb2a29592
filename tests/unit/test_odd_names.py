"""Names of files that no person would choose: written all the same, or refused before any work."""

import sys

import pytest
from PIL import Image

from paintseg.errors import InputError
from paintseg.io.pictures import check_target, write_image


@pytest.mark.parametrize("name", ["...png", "a..PNG", " .webp", "\u00fc\u4e2d.tif"])
def test_a_name_that_passes_the_check_can_be_written(tmp_path, name):
    check_target(tmp_path / name, "-o")
    write_image(tmp_path / name, Image.new("L", (3, 2)))
    assert Image.open(tmp_path / name).size == (3, 2) and [path.name for path in tmp_path.iterdir()] == [name]


HALF_A_CHARACTER = pytest.param(
    "a\ud9a3.png", marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows takes halves of characters")
)


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "a\0b.png", HALF_A_CHARACTER])
def test_a_name_the_system_cannot_take_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="^-o 'a"):
        check_target(tmp_path / name, "-o")
