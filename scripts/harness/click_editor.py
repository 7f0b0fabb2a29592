"""The editor on PaintSeg Click, in the words of a person who clicks on the photo."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from .page import ComfyPage
from .paths import PHOTO

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    Mask = np.ndarray[Any, np.dtype[np.bool_]]

KIND = "PaintSeg_Click"
KEEP_ANSWERS = """
    window.answers = new Map()
    const real = window.fetch
    window.fetch = async (...asked) => {
        const answer = await real(...asked)
        if (answer.ok && String(asked[0]).endsWith("/paintseg/answer")) {
            const { clicks, show } = JSON.parse(asked[1].body)
            const picture = new Uint8Array(await answer.clone().arrayBuffer())
            if (show === "mask") window.answers.set(JSON.stringify(clicks), [...picture])
        }
        return answer
    }"""
"""For `page.add_init_script`: the page remembers the masks that the server answers, for `ClickEditor.answer`."""
ANSWER = """text => {
    const { size, points, strokes, box, candidate } = JSON.parse(text)
    return window.answers.get(JSON.stringify({ size, points, strokes, box, candidate }))
}"""
PATIENCE = 180.0  # seconds; an answer takes less than one on two idle cores
EDGE = 4  # pixels of the stage around the photo (web/js/editor/view.js)

Place = tuple[float, float]
"""(x, y) in pixels of the photo."""


class ClickEditor:
    """Drives the editor of the `index`-th PaintSeg Click on a page; `size` is its photo's width and height."""

    kind, names, widget, edge = KIND, ".paintseg-click", "clicks", EDGE
    """The node's type, the editor's class on the page, the widget that has its value, and the photo's edge."""

    def __init__(self, page: ComfyPage, size: tuple[int, int] = (512, 512), index: int = 0) -> None:
        self.comfy = page
        self.page = page.page
        self.size = size
        self.index = index

    @property
    def root(self) -> Locator:
        """The editor, wherever it is shown."""
        return self.page.locator(f"{self.names}:visible").nth(self.index)

    @property
    def stage(self) -> Locator:
        """The canvas with the photo."""
        return self.root.locator("canvas")

    def ready(self) -> None:
        """Wait until the photo is there."""
        self.page.wait_for_function(
            """([names, index]) => {
                const shown = [...document.querySelectorAll(names)].filter(one => one.checkVisibility())
                return Boolean(shown[index]) && shown[index].querySelector(".notice").textContent === ""
            }""",
            arg=[self.names, self.index],
        )
        self.page.wait_for_timeout(300)  # until the photo is drawn where it stays

    def at(self, place: Place) -> Place:
        """A place of the photo in pixels of the screen, while all of the photo is seen."""
        self.stage.wait_for()
        box = self.stage.bounding_box()
        assert box is not None, "the stage is not on the screen"  # noqa: S101
        width, height = self.stage.evaluate("stage => [stage.clientWidth, stage.clientHeight]")
        enlarged = box["width"] / width
        scale = min((width - 2 * self.edge) / self.size[0], (height - 2 * self.edge) / self.size[1])
        left, top = (width - self.size[0] * scale) / 2, (height - self.size[1] * scale) / 2
        return box["x"] + enlarged * (left + place[0] * scale), box["y"] + enlarged * (top + place[1] * scale)

    def above(self) -> Place:
        """The node's title, in pixels of the screen."""
        return tuple(
            self.page.evaluate(
                """([kind, index]) => {
                    const { graph, ds, canvas } = app.canvas
                    const { pos } = graph._nodes.filter(node => node.type === kind)[index]
                    const [x, y] = ds.convertOffsetToCanvas([pos[0] + 120, pos[1] - 14])
                    const corner = canvas.getBoundingClientRect()
                    return [corner.x + x, corner.y + y]
                }""",
                [self.kind, self.index],
            )
        )

    def click(self, place: Place, button: str = "left") -> None:
        """Click on a place of the photo."""
        self.page.mouse.click(*self.at(place), button=button)  # type: ignore[arg-type]

    def drag(self, *places: Place, button: str = "left", key: str = "") -> None:
        """Press at the first place, move over the others, and let go at the last; with a key held down."""
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(*self.at(places[0]))
        self.page.mouse.down(button=button)  # type: ignore[arg-type]
        for place in places[1:]:
            self.page.mouse.move(*self.at(place), steps=6)
        self.page.mouse.up(button=button)  # type: ignore[arg-type]
        if key:
            self.page.keyboard.up(key)

    def press(self, *keys: str) -> None:
        """Press keys one after the other while the stage has the focus."""
        self.stage.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str) -> Locator:
        """A button by the beginning of its name."""
        return self.root.locator(f'button[aria-label^="{name}"]')

    def answer(self, act: Callable[[], object]) -> Mask:
        """Do something that changes the clicks, wait until the answer is shown, and return the mask, H x W bool."""
        act()
        self.settle()
        return self.mask(bytes(self.page.evaluate(ANSWER, self.text)))

    def settle(self) -> None:
        """Wait until no answer is awaited."""
        self.page.wait_for_function(
            """index => [...document.querySelectorAll(".paintseg-click")].filter(one => one.checkVisibility())
                .at(index).getAttribute("aria-busy") === "false" """,
            arg=self.index,
            timeout=1000 * PATIENCE,
        )
        self.page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")

    def mask(self, picture: bytes) -> Mask:
        """A mask as the server sends it, in the photo's size."""
        shown = Image.open(io.BytesIO(picture)).convert("L").resize(self.size)
        return np.array(shown) > 127

    @property
    def text(self) -> str:
        """The node's value as it is saved."""
        return self.page.evaluate(
            """([kind, index, name]) => app.canvas.graph._nodes.filter(node => node.type === kind)[index]
                .widgets.find(widget => widget.name === name).value""",
            [self.kind, self.index, self.widget],
        )

    @property
    def clicks(self) -> dict[str, Any]:
        """The node's value; without clicks an empty one."""
        return json.loads(self.text or '{"points": [], "strokes": [], "box": null, "candidate": 0}')

    @property
    def points(self) -> list[tuple[int, int, int]]:
        """The points: x and y in whole pixels, and the label."""
        return [(round(point["x"]), round(point["y"]), point["label"]) for point in self.clicks["points"]]

    @property
    def said(self) -> str:
        """The line of words under the photo."""
        return self.root.locator(".status").inner_text()

    def wait_for(self, check: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something is so. Raises TimeoutError."""
        for _ in range(int(10 * seconds)):
            if check():
                return
            self.page.wait_for_timeout(100)
        raise TimeoutError(f"not so after {seconds:.0f} s; the editor says: {self.said}")

    def colour(self, place: Place) -> tuple[int, int, int]:
        """What the stage shows at a place of the photo."""
        x, y = self.at(place)
        picture = self.page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})
        red, green, blue = Image.open(io.BytesIO(picture)).convert("RGB").getpixel((0, 0))  # type: ignore[misc]
        return int(red), int(green), int(blue)


def workflow(photo: str = PHOTO.name, clicks: str = "", segment: bool = False) -> dict[str, Any]:
    """Load Image into PaintSeg Click; with `segment` on to PaintSeg Segment and a preview of its mask."""
    outputs = [{"name": "prompt", "type": "PAINTSEG_PROMPT", "links": [2]}, {"name": "mask", "type": "MASK"}]
    nodes: list[dict[str, Any]] = [
        node(1, "LoadImage", (0, 0), (330, 400), values=[photo, "image"], outputs=[
            {"name": "IMAGE", "type": "IMAGE", "links": [1, 3]}, {"name": "MASK", "type": "MASK"}]),
        node(2, KIND, (380, 0), (460, 700), values=[clicks], outputs=outputs, inputs=[
            {"name": "image", "type": "IMAGE", "link": 1}]),
    ]  # fmt: skip
    links: list[list[Any]] = [[1, 1, 0, 2, 0, "IMAGE"]]
    if segment:
        links += [[2, 2, 0, 3, 1, "PAINTSEG_PROMPT"], [3, 1, 0, 3, 0, "IMAGE"], [4, 3, 0, 4, 0, "MASK"]]
        nodes += [
            node(3, "PaintSeg_AMCPLoop", (890, 0), (320, 400), values=["fast", 0, "fixed", 0, 0], inputs=[
                {"name": "image", "type": "IMAGE", "link": 3},
                {"name": "prompt", "type": "PAINTSEG_PROMPT", "link": 2}],
                outputs=[{"name": "mask", "type": "MASK", "links": [4]}]),
            node(4, "MaskPreview", (1250, 0), (300, 330), values=[], inputs=[
                {"name": "mask", "type": "MASK", "link": 4}]),
        ]  # fmt: skip
    else:
        outputs[0]["links"] = []
    return {"nodes": nodes, "links": links, "last_node_id": len(nodes), "last_link_id": len(links), "version": 0.4}


def node(
    number: int,
    kind: str,
    place: tuple[int, int],
    size: tuple[int, int],
    values: list[Any],
    inputs: list[dict[str, Any]] | None = None,
    outputs: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """A node as a saved workflow has it."""
    return {
        "id": number, "type": kind, "pos": list(place), "size": list(size), "flags": {}, "mode": 0, "order": number,
        "inputs": inputs or [], "outputs": outputs or [], "properties": {}, "widgets_values": values,
    }  # fmt: skip
