/**
 * The pack's templates in the order of their numbers.
 *
 * ComfyUI lists a pack's workflows in the order the file system has them in: that of their names on Windows, any order
 * at all elsewhere. Should a later front end ask in another way, that order is what remains.
 */

import { api } from "../../../scripts/api.js"
import { app } from "../../../scripts/app.js"

const PACK = decodeURIComponent(new URL(import.meta.url).pathname.split("/").at(-3) ?? "")

app.registerExtension({
    name: "PaintSeg.TemplateOrder",
    init() {
        const listed = api.getWorkflowTemplates
        if (typeof listed !== "function") return
        api.getWorkflowTemplates = async (...asked) => {
            const packs = await listed.apply(api, asked)
            packs?.[PACK]?.sort()
            return packs
        }
    },
})
