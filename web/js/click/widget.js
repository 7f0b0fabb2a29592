// The widget of inputs of the type PAINTSEG_CLICKS: an editor on the node.

import { app } from "../../../../scripts/app.js"
import { mount, watch } from "../editor/mount.js"
import { Editor } from "./editor.js"

const TYPE = "PAINTSEG_CLICKS"
const PHOTO = "image" // the input of the same node that brings the photo
const LEAST = [380, 520] // pixels of the graph a new node has at least
const TALL = 380

/** @param {any} node @param {string} name */
function addEditor(node, name) {
  const editor = new Editor(node, PHOTO)
  const widget = mount(editor, name, "paintseg_clicks", TALL, {
    getValue: () => editor.text,
    setValue: (/** @type {unknown} */ given) => editor.receive(given),
  })
  // Who presses Run right after choosing another photo must not run the clicks of the last one.
  widget.serializeValue = async () => {
    await editor.look()
    return editor.text
  }
  return { widget, minWidth: LEAST[0], minHeight: LEAST[1] }
}

app.registerExtension({
  name: "PaintSeg.Click",
  getCustomWidgets: () => ({ [TYPE]: addEditor }),
  setup: watch,
})
