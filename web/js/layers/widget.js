// PaintSeg Reassemble gets an editor of its layers. What it makes is the JSON of the node's own widget `placements`:
// without this file that widget is all there is, and all works still.

import { app } from "../../../../scripts/app.js"
import { mount, watch } from "../editor/mount.js"
import { Editor } from "./editor.js"

const NODE = "PaintSeg_Reassemble"
const NAME = "picture"
const TALL = 400

app.registerExtension({
  name: "PaintSeg.Layers",
  /** @param {any} node */
  nodeCreated(node) {
    if (node.constructor?.comfyClass !== NODE) return
    const editor = new Editor(node)
    const widget = mount(editor, NAME, "paintseg_layers", TALL, {
      serialize: false, // the value is the text's
      getValue: () => "",
      setValue: () => {},
    })
    widget.serialize = false
    const wanted = node.computeSize()
    node.setSize([Math.max(node.size[0], wanted[0], 420), Math.max(node.size[1], wanted[1])])
  },
  setup: watch,
})
