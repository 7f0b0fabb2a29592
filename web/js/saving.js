// Front ends since about 1.53 cannot open a workflow again that holds a subgraph with a box on its frame: what they
// write out shares the box with the page's own state, which cannot be copied ("DataCloneError"). It is written out as
// plain numbers here.

import { app } from "../../../scripts/app.js"

/** @param {any} graph as saved */
function plain(graph) {
  for (const node of graph.nodes ?? []) {
    const values = node.widgets_values
    if (Array.isArray(values) && values.some((value) => value && typeof value === "object")) {
      node.widgets_values = JSON.parse(JSON.stringify(values))
    }
  }
  for (const inner of graph.definitions?.subgraphs ?? []) plain(inner)
}

app.registerExtension({
  name: "PaintSeg.Saving",
  setup() {
    const before = app.rootGraph.onSerialize
    app.rootGraph.onSerialize = function (/** @type {any} */ data) {
      before?.call(this, data)
      plain(data)
    }
  },
})
