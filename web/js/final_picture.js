/**
 * When a node of ours has run, the picture it ends with is the one that is seen, and once.
 *
 * ComfyUI's front ends keep a node's last live preview until its next run: Nodes 2.0 shows it twice, in place of the
 * result and again below it, and classic nodes draw it over the result. They have no public way to end a preview, so
 * this asks the store that holds them. Where a later front end has none of that name, its own behaviour is left; the
 * last preview is the final picture then too (nodes/progress.py), only smaller.
 */

import { api } from "../../../scripts/api.js"
import { app } from "../../../scripts/app.js"
import { placeOf, wayTo } from "./nodes.js"

const OURS = "PaintSeg_"

/** @param {CustomEvent<any>} event */
function endPreview({ detail }) {
    const way = wayTo(detail.display_node ?? detail.node)
    const type = way.at(-1)?.type
    if (!type?.startsWith(OURS) || !detail.output?.images?.length) return
    const previews = app.extensionManager?._p?._s?.get("nodeOutput")
    for (const node of way) previews?.revokePreviewsByLocatorId?.(placeOf(node))
}

app.registerExtension({
    name: "PaintSeg.FinalPicture",
    setup: () => api.addEventListener("executed", endPreview),
})
