"""Every action of the editor on PaintSeg Click by keyboard and by fingers; outside of it all keys are ComfyUI's."""

import pytest
from harness.click_editor import KIND

from .clicking import HAIR, ROCKET, STEPS, complaints, fingers, photograph


def test_everything_by_keyboard(desk, editor):
    editor.press(*["ArrowRight"] * 8, *["ArrowUp"] * 5, *["Shift+ArrowLeft"] * 2, "Enter")
    step = 0.02 * 512
    assert editor.points == [(round(256.5 + 8 * step - 2), round(256.5 - 5 * step), 1)]
    editor.press(*["ArrowDown"] * 4, "Shift+Enter")
    assert [label for *_, label in editor.points] == [1, 0]
    editor.press("Delete")
    assert [label for *_, label in editor.points] == [1]
    editor.press("u")
    assert [label for *_, label in editor.points] == [1, 0]
    editor.press("Shift+U")
    assert [label for *_, label in editor.points] == [1]
    editor.press("b", *["ArrowRight"] * 5, *["ArrowDown"] * 5, "b")
    left, upper, right, lower = editor.clicks["box"]
    assert (right - left, lower - upper) == pytest.approx((5 * step, 5 * step), abs=0.3)
    editor.press("d", *["ArrowUp"] * 3, "d")
    assert len(editor.clicks["strokes"]) == 1
    editor.press("b", "ArrowUp", "Escape")
    assert editor.clicks["box"] == [left, upper, right, lower]
    editor.press("+", "+", "0", "?")
    assert editor.root.get_by_text("a box around the object").is_visible()
    photograph(desk, "help")
    editor.press("Escape", "Shift+Delete")
    assert editor.text == ""
    names = [one.get_attribute("aria-label") for one in editor.root.locator("button").all()]
    assert all(names) and editor.stage.get_attribute("aria-label").startswith("Photo to click on")
    assert complaints(desk) == []


def test_the_help_closes_by_a_click_on_it_and_by_escape_after_its_button(desk, editor):
    text = editor.root.get_by_text("a box around the object")
    editor.button("Help").click()
    assert text.is_visible()
    desk.page.keyboard.press("Escape")
    assert not text.is_visible()
    editor.button("Help").click()
    text.click()
    assert not text.is_visible() and editor.text == ""
    editor.button("Help").click()
    text.dblclick()
    assert not text.is_visible() and editor.text == ""
    desk.page.keyboard.press("?")  # the keys are the editor's again
    assert text.is_visible()
    editor.button("Enlarge").focus()
    desk.page.keyboard.press("Escape")
    assert not text.is_visible() and complaints(desk) == []


def test_keys_wheel_and_right_click_are_the_editors_inside_and_comfyuis_outside(desk, editor):
    scale = "app.canvas.ds.scale"
    before = desk.page.evaluate(scale)
    editor.click(ROCKET)
    editor.press("Delete", "Backspace")
    assert len(desk.nodes(KIND)) == 1
    editor.click(HAIR, button="right")
    desk.page.wait_for_timeout(300)
    assert desk.page.locator(".litecontextmenu:visible, [role=menu]:visible").count() == 0
    desk.page.mouse.move(*editor.at(HAIR))
    desk.page.mouse.wheel(0, -300)
    editor.wait_for(lambda: editor.button("See all").is_enabled())
    assert desk.page.evaluate(scale) == before
    editor.press("0")
    desk.page.evaluate("document.activeElement.blur()")
    desk.page.mouse.wheel(0, -300)
    editor.wait_for(lambda: desk.page.evaluate(scale) > before)
    assert not editor.button("See all").is_enabled()
    editor.settle()
    desk.page.mouse.click(*editor.above())
    desk.page.keyboard.press("Delete")
    desk.page.wait_for_timeout(500)
    assert desk.nodes(KIND) == []


@pytest.mark.parametrize("how", ["middle button", "space bar"])
def test_the_canvas_is_moved_over_the_photo_too(desk, editor, how):
    offset = "[...app.canvas.ds.offset]"
    before = desk.page.evaluate(offset)
    desk.page.evaluate("app.canvas.canvas.focus()")
    x, y = editor.at(HAIR)
    desk.page.mouse.move(x, y)
    if how == "space bar":
        desk.page.keyboard.down("Space")
        editor.wait_for(lambda: desk.page.evaluate("app.canvas.read_only"))
    desk.page.mouse.down(button="middle" if how == "middle button" else "left")
    desk.page.mouse.move(x + 60, y + 40, steps=6)
    desk.page.mouse.up(button="middle" if how == "middle button" else "left")
    if how == "space bar":
        desk.page.keyboard.up("Space")
    moved = [now - then for now, then in zip(desk.page.evaluate(offset), before, strict=True)]
    scale = desk.page.evaluate("app.canvas.ds.scale")
    assert moved == pytest.approx([60 / scale, 40 / scale], abs=2)
    assert editor.text == "" and not desk.page.evaluate("app.canvas.read_only")


def test_fingers_tap_drag_and_pinch(editor):
    page = editor.comfy.page
    steps = page.evaluate(STEPS)
    with fingers(editor) as touch:
        touch("touchStart", ROCKET)
        touch("touchEnd")
        assert editor.points == [(*ROCKET, 1)] and page.evaluate(STEPS) == steps + 1
        touch("touchStart", (300, 200))
        touch("touchMove", (340, 240))
        touch("touchMove", (400, 300))
        touch("touchEnd")
        assert editor.clicks["box"] == pytest.approx([300, 200, 400, 300], abs=2)
        touch("touchStart", (200, 200), (300, 300))
        touch("touchMove", (150, 150), (350, 350))
        touch("touchEnd")
        editor.wait_for(lambda: editor.button("See all").is_enabled())
    assert len(editor.points) == 1 and editor.clicks["box"] is not None
