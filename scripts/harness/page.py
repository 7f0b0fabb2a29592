"""ComfyUI in a browser, in the words of a person in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

READY_MS = 60_000


class ComfyPage:
    """Drives one page; collects what the page complains about from `watch()` on."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.set_default_timeout(READY_MS)

    def open(self) -> None:
        """Open ComfyUI as a new user; it greets with its template browser."""
        self.page.goto(self.url)
        self.page.wait_for_function("window.app && window.app.extensionManager")

    def watch(self) -> None:
        """Collect console errors, exceptions and refused requests from now on (core's own start has some)."""
        self.page.on("console", lambda message: message.type == "error" and self._note(message.text))
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("response", lambda answer: answer.status >= 400 and self._note(f"{answer.status} {answer.url}"))

    def open_template(self, pack: str, name: str) -> None:
        """Pick the pack in the template browser, then the workflow by its thumbnail."""
        self.page.get_by_text(pack, exact=True).first.click()
        card = self.page.get_by_test_id(f"template-workflow-{name}")
        card.click()
        card.wait_for(state="hidden")
        self.page.wait_for_function("app.graph._nodes.length > 0")

    def thumbnail_width(self, name: str) -> int:
        """The natural width in pixels of a template's picture; 0 when it did not load."""
        picture = self.page.get_by_test_id(f"template-workflow-{name}").locator("img").first
        picture.wait_for()
        return picture.evaluate("image => image.decode().then(() => image.naturalWidth, () => 0)")

    def modern_nodes(self) -> None:
        """Switch ComfyUI's setting "Nodes 2.0" on: only there are boxes dragged on pictures."""
        self.page.evaluate("() => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', true)")
        self.page.get_by_test_id("transform-pane").wait_for()

    def drag(self, handle: Locator, dx: float, dy: float) -> None:
        """Press in the middle of `handle`, move by so many screen pixels in steps, let go."""
        box = handle.bounding_box()
        if box is None:
            raise LookupError("what should be dragged is not on the page")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=8)
        self.page.mouse.up()

    def run(self, seconds: float) -> str:
        """Press Run and wait for the end: "execution_success", "execution_error" or "execution_interrupted"."""
        self.page.evaluate(
            """() => {
                window.runEnded = undefined
                for (const kind of ["execution_success", "execution_error", "execution_interrupted"])
                    app.api.addEventListener(kind, () => { window.runEnded = kind }, { once: true })
            }"""
        )
        self.page.get_by_test_id("queue-button").click()
        self.page.wait_for_function("window.runEnded", timeout=1000 * seconds)
        return self.page.evaluate("window.runEnded")

    def nodes(self, kind: str) -> list[dict[str, Any]]:
        """id, title and widget values of the nodes of one type."""
        return self.page.evaluate(
            """kind => app.graph._nodes.filter(node => node.type === kind).map(node => ({
                id: node.id,
                title: node.title,
                widgets: Object.fromEntries((node.widgets ?? []).map(({name, value}) => [name, value]))
            }))""",
            kind,
        )

    def unknown_nodes(self) -> list[str]:
        """Types of nodes that ComfyUI shows as missing."""
        return self.page.evaluate("app.graph._nodes.filter(node => node.has_errors).map(node => node.type)")

    def missing_types(self) -> list[str]:
        """Types of nodes that nobody has registered, of subgraphs apart."""
        return self.page.evaluate(
            "app.graph._nodes.map(node => node.type).filter(kind => !(kind in LiteGraph.registered_node_types))"
        )

    def boxes(self) -> list[tuple[str, list[float]]]:
        """Title and [x, y, width, height] of every node, in the graph's pixels, without its title bar."""
        return self.page.evaluate("app.graph._nodes.map(node => [node.title, [...node.pos, ...node.size]])")

    def show_all(self) -> None:
        """Zoom and move so that every node is on the screen, and wait until that is drawn."""
        self.page.evaluate(
            """() => {
                const all = app.graph._nodes.map(
                    ({pos: [x, y], size: [width, height]}) => [x, y - 80, x + width, y + height])
                const [left, top] = [0, 1].map(side => Math.min(...all.map(one => one[side])))
                const [right, bottom] = [2, 3].map(side => Math.max(...all.map(one => one[side])))
                const {ds, canvas} = app.canvas
                const [width, height] = [canvas.clientWidth - 120, canvas.clientHeight - 60]
                ds.scale = Math.min(1, width / (right - left), height / (bottom - top))
                ds.offset[0] = 90 / ds.scale - left
                ds.offset[1] = 50 / ds.scale - top
                app.canvas.setDirty(true, true)
                return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))
            }"""
        )

    def picture_size(self, node_id: int) -> list[int]:
        """Width and height in pixels of the picture that a modern node shows, once it has arrived."""
        picture = self.page.locator(f'[data-node-id="{node_id}"] img').last
        picture.wait_for()
        return picture.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])")

    def settle(self) -> None:
        """Wait until nothing is under way: no job, no picture that has yet to arrive."""
        self.page.get_by_text("0 active", exact=True).wait_for()
        self.page.wait_for_function("() => [...document.images].every(image => image.complete)")
        self.page.wait_for_load_state("networkidle")

    def prompt(self) -> dict[str, Any]:
        """The graph as the browser itself would queue it."""
        return self.page.evaluate("app.graphToPrompt().then(prompt => prompt.output)")

    def load(self, workflow: dict[str, Any]) -> None:
        """Open a workflow as if its file had been dropped on the page."""
        self.page.evaluate("workflow => app.loadGraphData(workflow)", workflow)

    def choose_photo(self, name: str) -> None:
        """Pick another file of the input folder in the first Load Image, as its menu does."""
        self.page.evaluate(
            """name => {
                const picker = app.graph._nodes.find(node => node.type === "LoadImage").widgets[0]
                picker.value = name
                picker.callback?.(name)
                app.extensionManager.workflow.activeWorkflow.changeTracker.captureCanvasState()
            }""",
            name,
        )

    def set_widget(self, kind: str, name: str, value: Any) -> None:
        """Give a widget of the first node of that type a value, as its own control does."""
        self.page.evaluate(
            """([kind, name, value]) => {
                const node = app.graph._nodes.find(node => node.type === kind)
                const widget = node.widgets.find(widget => widget.name === name)
                widget.value = value
                widget.callback?.(value, app.canvas, node)
            }""",
            [kind, name, value],
        )

    def wait_for_widget(self, kind: str, name: str, value: Any) -> None:
        """Wait until a widget of the first node of that type has that value."""
        self.page.wait_for_function(
            """([kind, name, value]) => {
                const node = app.graph._nodes.find(node => node.type === kind)
                const widget = node?.widgets.find(widget => widget.name === name)
                return JSON.stringify(widget?.value) === JSON.stringify(value)
            }""",
            arg=[kind, name, value],
        )

    def add_node(self, kind: str) -> None:
        """Put a new node of that type into the middle of an empty canvas, and click on its title."""
        self.page.wait_for_function("kind => app.graph && kind in LiteGraph.registered_node_types", arg=kind)
        self.page.get_by_test_id("queue-button").wait_for()
        self.page.wait_for_load_state("networkidle")
        x, y = self.page.evaluate(
            """kind => {
                app.graph.clear()
                const node = LiteGraph.createNode(kind)
                app.graph.add(node)
                app.canvas.centerOnNode(node)
                const corner = app.canvas.canvas.getBoundingClientRect()
                const [x, y] = app.canvas.ds.convertOffsetToCanvas([node.pos[0] + 60, node.pos[1] - 10])
                return [corner.x + x, corner.y + y]
            }""",
            kind,
        )
        self.page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
        self._title = x, y
        self.page.mouse.click(x, y)

    def open_help(self) -> Locator:
        """Press the info button above the node just added; what is shown then, once it has arrived.

        On a busy machine the page may lose the click that selects the node; it is then clicked again.
        """
        from playwright.sync_api import TimeoutError as NotThere

        button = self.page.get_by_test_id("info-button")
        for _ in range(5):
            try:
                button.wait_for(timeout=10_000)
                break
            except NotThere:
                self.page.mouse.click(*self._title)
        button.click()
        shown = self.page.locator(".node-help-content :is(.markdown-content, .comfy-markdown-content)")
        shown.locator("table").first.wait_for()
        return shown

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)
