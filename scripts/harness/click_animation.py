"""README's first picture: three clicks on the photo, filmed in front of a real ComfyUI."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

from . import browser
from .click_editor import KIND, ClickEditor, Place, workflow
from .client import Client
from .console import SetupError
from .page import ComfyPage
from .server import Server

ON, START, ELSEWHERE = (416, 150), (250, 430), (230, 70)
"""Places of the bundled photo: on the shuttle, where the pointer begins, and on another object."""
STEPS = 9  # frames of a movement
MOVE_MS, PRESS_MS, REST_MS = 45, 260, 1500
WIDTH = 560
MOST_BYTES = 600_000
ARROW = ((0, 0), (0, 19), (4.5, 15), (7.5, 22), (10.5, 20.7), (7.6, 14), (13.5, 14))

Frame = tuple[Image.Image, int]
"""What is seen, and for how many milliseconds."""


class Film:
    """Takes pictures of a node while a pointer, which pictures of a page do not show, is moved over it."""

    def __init__(self, editor: ClickEditor) -> None:
        self.editor = editor
        self.frames: list[Frame] = []
        box = editor.page.locator("[data-node-id]:has(.paintseg-click) >> visible=true").last.bounding_box()
        assert box is not None, "the node is not on the screen"  # noqa: S101
        self.area = {"x": box["x"] - 6, "y": box["y"] - 6, "width": box["width"] + 12, "height": box["height"] + 12}
        self.pointer = editor.at(START)

    def rest(self, milliseconds: int = REST_MS) -> None:
        """What is seen now, for some time."""
        self.frames.append((self._seen(), milliseconds))

    def move(self, to: Place) -> None:
        """The pointer goes there, slower at both ends."""
        begin, self.pointer = self.pointer, to
        seen = self._bare()
        for step in range(1, STEPS + 1):
            share = step / STEPS
            eased = share * share * (3 - 2 * share)
            at = begin[0] + eased * (to[0] - begin[0]), begin[1] + eased * (to[1] - begin[1])
            self.frames.append((self._with_pointer(seen, at), MOVE_MS))

    def press(self, button: str = "left") -> None:
        """Press and let go where the pointer is, and wait for the answer."""
        mouse = self.editor.page.mouse
        mouse.move(*self.pointer)
        mouse.down(button=button)  # type: ignore[arg-type]
        self.editor.page.wait_for_timeout(80)
        self.frames.append((self._with_pointer(self._bare(), self.pointer, pressed=True), PRESS_MS))
        mouse.up(button=button)  # type: ignore[arg-type]
        self.editor.settle()
        self.editor.page.wait_for_timeout(200)

    def save(self, path: Path) -> int:
        """Write an animated WebP of at most `MOST_BYTES`; its size in bytes. Raises SetupError when it is larger."""
        height = round(WIDTH * self.frames[0][0].height / self.frames[0][0].width)
        pictures = [picture.resize((WIDTH, height), Image.Resampling.LANCZOS) for picture, _ in self.frames]
        shown = [milliseconds for _, milliseconds in self.frames]
        for quality in (82, 70, 55):
            kept = {"append_images": pictures[1:], "save_all": True, "duration": shown, "loop": 0}
            pictures[0].save(path, "WEBP", quality=quality, method=6, minimize_size=True, **kept)  # type: ignore[arg-type]
            if path.stat().st_size <= MOST_BYTES:
                return path.stat().st_size
        raise SetupError(f"{path.name} has {path.stat().st_size:,} bytes; at most {MOST_BYTES:,} are wanted")

    def _bare(self) -> Image.Image:
        return Image.open(io.BytesIO(self.editor.page.screenshot(clip=self.area))).convert("RGB")  # type: ignore[arg-type]

    def _seen(self) -> Image.Image:
        return self._with_pointer(self._bare(), self.pointer)

    def _with_pointer(self, seen: Image.Image, at: Place, pressed: bool = False) -> Image.Image:
        drawn = seen.copy()
        pen = ImageDraw.Draw(drawn)
        x, y = at[0] - self.area["x"], at[1] - self.area["y"]
        if pressed:
            pen.ellipse((x - 17, y - 17, x + 17, y + 17), outline="white", width=3)
        pen.polygon([(x + dx, y + dy) for dx, dy in ARROW], fill="black", outline="white", width=2)
        return drawn


def film(server: Server, client: Client, path: Path) -> int:
    """Film it into `path`; the file's size in bytes. Raises SetupError where there is no browser."""
    chromium = browser.find()
    if chromium is None:
        raise SetupError("no Chromium here: scripts/test --browser installs or names one")
    client.post_json("/settings", {"Comfy.TutorialCompleted": True, "Comfy.VueNodes.Enabled": True})
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(browser.FLAGS))
        page = ComfyPage(running.new_page(viewport={"width": 1500, "height": 1000}), server.url)
        page.open()
        page.page.wait_for_function(f"app.isGraphReady && '{KIND}' in LiteGraph.registered_node_types")
        page.page.wait_for_load_state("networkidle")
        page.load(workflow())
        page.page.keyboard.press("Escape")
        page.show_all()
        editor = ClickEditor(page)
        editor.ready()
        made = _three_clicks(editor)
        running.close()
    return made.save(path)


def _three_clicks(editor: ClickEditor) -> Film:
    """On the object, on its cut-out, and on the photo without it."""
    editor.click(ELSEWHERE)  # what the first click waits for, models and features, is no part of the film
    editor.settle()
    editor.press("Shift+Delete")
    editor.page.evaluate("document.activeElement.blur()")
    made = Film(editor)
    made.rest(700)
    made.move(editor.at(ON))
    made.press()
    made.rest()
    for view in ("Cut-out", "Without it"):
        box = editor.root.get_by_text(view).bounding_box()
        assert box is not None, "the button is not on the screen"  # noqa: S101
        made.move((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
        made.press()
        made.rest()
    made.rest(800)
    return made
