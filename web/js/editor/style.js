// How the editor looks: ComfyUI's own colours, so that every palette suits.

const STYLE = `
.paintseg-editor { display: flex; flex-direction: column; gap: 6px; box-sizing: border-box; width: 100%; min-height: 380px;
  padding: 6px; border-radius: 8px; background: var(--comfy-input-bg, #222); color: var(--input-text, #ddd);
  font: 12px/1.35 system-ui, sans-serif; user-select: none; -webkit-user-select: none; }
.paintseg-editor * { box-sizing: border-box; }
.paintseg-editor .bar { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: center; flex: none; }
.paintseg-editor .group { display: flex; gap: 1px; border-radius: 6px; overflow: hidden; flex: none;
  background: color-mix(in srgb, var(--input-text, #ddd) 10%, transparent); }
.paintseg-editor .spring { flex: 1 1 0; min-width: 0; }
.paintseg-editor button { display: inline-flex; align-items: center; justify-content: center; min-width: 26px; height: 26px;
  margin: 0; padding: 0 5px; border: 0; border-radius: 0; background: transparent; color: inherit; font: inherit; cursor: pointer; }
.paintseg-editor button:hover:not(:disabled) { background: color-mix(in srgb, var(--input-text, #ddd) 18%, transparent); }
.paintseg-editor button:disabled { opacity: 0.35; cursor: default; }
.paintseg-editor button[aria-pressed="true"], .paintseg-editor button[aria-checked="true"] {
  background: color-mix(in srgb, var(--input-text, #ddd) 26%, transparent); }
.paintseg-editor button:focus-visible { outline: 2px solid #5aa9ff; outline-offset: -2px; }
.paintseg-editor .label { gap: 4px; color: #fff; font-weight: 600; }
.paintseg-editor .label[data-label="1"], .paintseg-editor .label[data-label="1"]:hover { background: #0d8a52; }
.paintseg-editor .label[data-label="0"], .paintseg-editor .label[data-label="0"]:hover { background: #c23a28; }
.paintseg-editor .views button { padding: 0 8px; }
.paintseg-editor .which { display: flex; align-items: center; padding: 0 2px; font-variant-numeric: tabular-nums; }
.paintseg-editor .field { position: relative; flex: 1 1 0; min-height: 0; border-radius: 4px; overflow: hidden;
  background: color-mix(in srgb, var(--comfy-input-bg, #222) 60%, #000); }
.paintseg-editor .field canvas { position: absolute; inset: 0; width: 100%; height: 100%; outline: none; cursor: crosshair;
  touch-action: none; }
.paintseg-editor .field canvas[data-cursor="pan"] { cursor: grab; }
.paintseg-editor .field canvas[data-cursor="mark"] { cursor: move; }
.paintseg-editor .field canvas[data-cursor="scale"] { cursor: nwse-resize; }
.paintseg-editor .field canvas[data-cursor="turn"] { cursor: grab; }
.paintseg-layers .field canvas { cursor: default; }
.paintseg-editor .field:has(canvas:focus-visible) { box-shadow: 0 0 0 2px #5aa9ff; }
.paintseg-editor .notice { position: absolute; inset: 0; display: flex; align-items: center; justify-content: center;
  padding: 24px; text-align: center; pointer-events: none; opacity: 0.8; }
.paintseg-editor .help { position: absolute; inset: 0; overflow: auto; padding: 10px 12px; background: rgba(20, 20, 22, 0.93);
  color: #eee; user-select: text; }
.paintseg-editor .help dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 12px; margin: 0; }
.paintseg-editor .help dt { font-weight: 600; }
.paintseg-editor .help dd { margin: 0; }
.paintseg-editor .status { position: relative; display: flex; flex: none; align-items: flex-end; gap: 6px; height: 17px; pointer-events: none; }
.paintseg-editor .status span:last-child { flex: 1 1 0; min-width: 0; max-height: 102px; overflow: hidden; background: var(--comfy-input-bg, #222); }
.paintseg-editor .status[data-tone="bad"] { color: var(--error-text, #ff7a66); }
.paintseg-editor .status[data-tone="note"] { color: #e8b04a; }
.paintseg-editor .spinner { flex: none; width: 12px; height: 12px; margin-bottom: 2px; border-radius: 50%; border: 2px solid currentColor;
  border-right-color: transparent; animation: paintseg-turn 0.8s linear infinite; }
.paintseg-editor [hidden] { display: none; }
@keyframes paintseg-turn { to { transform: rotate(360deg); } }
@media (prefers-reduced-motion: reduce) { .paintseg-editor .spinner { animation-duration: 3s; } }
`

/** Bring the style into the page, once. */
export function dress() {
  if (document.getElementById("paintseg-editor-style")) return
  const style = document.createElement("style")
  style.id = "paintseg-editor-style"
  style.textContent = STYLE
  document.head.append(style)
}
