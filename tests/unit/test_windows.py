"""Windows on a lattice: every view has one, and neighbours have the same."""

from hypothesis import given
from hypothesis import strategies as st

from paintseg.views.view import view_of
from paintseg.views.windows import lattice_box, window_around

PHOTO = (600, 800)
SIDES = st.integers(4, 2000)


@st.composite
def boxes(draw):
    height, width = draw(SIDES), draw(SIDES)
    x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return (height, width), (x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height)))


@given(boxes())
def test_a_window_holds_its_view_and_is_about_twice_as_large_at_most(drawn):
    photo, box = drawn
    x0, y0, x1, y1 = lattice_box(box, photo)
    assert 0 <= x0 <= box[0] and 0 <= y0 <= box[1] and box[2] <= x1 <= photo[1] and box[3] <= y1 <= photo[0]
    side = max(box[2] - box[0], box[3] - box[1])
    assert max(x1 - x0, y1 - y0) <= 2 * side + 3


def test_views_a_little_apart_have_one_window():
    windows = {lattice_box((300 + d, 200 + d, 420 + d, 300 + d), PHOTO) for d in range(0, 40, 5)}
    assert len(windows) <= 2


def test_there_are_few_windows():
    windows = {lattice_box((x, y, x + 100, y + 80), PHOTO) for x in range(0, 700, 7) for y in range(0, 520, 7)}
    assert len(windows) < 500


def test_a_conversation_keeps_its_window_while_that_serves():
    began = view_of(PHOTO, lattice_box((300, 200, 400, 300), PHOTO), 384, 8)
    inside = view_of(PHOTO, (320, 220, 400, 290), 384, 8)
    outgrown = view_of(PHOTO, (100, 100, 500, 400), 384, 8)
    tiny = view_of(PHOTO, (330, 230, 350, 245), 384, 8)
    assert window_around(inside, 8, began) == began
    assert window_around(outgrown, 8, began).box == lattice_box(outgrown.box, PHOTO)
    assert window_around(tiny, 8, began).box == lattice_box(tiny.box, PHOTO) != began.box


def test_a_view_of_nearly_everything_is_the_whole_photo():
    assert lattice_box((100, 50, 700, 560), PHOTO) == (0, 0, 800, 600)
