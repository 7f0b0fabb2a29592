// The editor's own signs, each drawn in a square of 16 x 16.

/** @type {Record<string, string>} */
const PATHS = {
  point: '<circle cx="8" cy="8" r="2.2" fill="currentColor" stroke="none"/><path d="M8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3"/>',
  stroke: '<path d="M2 12.5c2-6 4-8 5.5-6.5s-1 5 1 5.5 4-3.5 5.5-8"/>',
  hand: '<path d="M8 1.5v13M1.5 8h13M8 1.5 6 3.5M8 1.5l2 2M8 14.5l-2-2M8 14.5l2-2M1.5 8l2-2M1.5 8l2 2M14.5 8l-2-2M14.5 8l-2 2"/>',
  plus: '<path d="M8 3v10M3 8h10"/>',
  minus: '<path d="M3 8h10"/>',
  undo: '<path d="M6 3 2.5 6.5 6 10"/><path d="M2.5 6.5H9a4 4 0 0 1 0 8H6"/>',
  redo: '<path d="m10 3 3.5 3.5L10 10"/><path d="M13.5 6.5H7a4 4 0 0 0 0 8h3"/>',
  clear: '<path d="M2.5 4h11M6.5 4V2.5h3V4M4 4l.7 9.5h6.600L12 4M6.7 6.5v4.5M9.300 6.5v4.5"/>',
  zoomIn: '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5M7 5v4M5 7h4"/>',
  zoomOut: '<circle cx="7" cy="7" r="4.5"/><path d="m10.5 10.5 3.5 3.5M5 7h4"/>',
  fit: '<path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"/>',
  next: '<path d="m6 3 5 5-5 5"/>',
  previous: '<path d="m10 3-5 5 5 5"/>',
  forward: '<path d="M2.5 9.5h8v-8h-8z"/><path d="M5.500 12.500v2h8v-8h-2" stroke-dasharray="1.500 1.500"/><path d="M6.500 7.500v-4M4.800 5.200l1.700-1.700 1.700 1.700"/>',
  backward: '<path d="M2.5 9.5h8v-8h-8z" stroke-dasharray="1.500 1.500"/><path d="M12 6.500h1.500v8h-8V12"/><path d="M6.500 3.500v4M4.800 5.800l1.700 1.700 1.700-1.700"/>',
  mirror: '<path d="M8 1.500v13" stroke-dasharray="2 1.500"/><path d="M6 4v8H1.500zM10 4v8h4.500z"/>',
  reset: '<path d="M3 8a5 5 0 1 0 1.500-3.500L2.500 6.500"/><path d="M2.500 2.500v4h4"/>',
  help: '<path d="M5.5 6a2.5 2.5 0 1 1 3.7 2.200C8.300 8.7 8 9.200 8 10.200"/><circle cx="8" cy="13" r=".6" fill="currentColor"/>',
}

/** @param {string} name */
export function icon(name) {
  const template = document.createElement("template")
  template.innerHTML = `<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${PATHS[name]}</svg>`
  return /** @type {Element} */ (template.content.firstElementChild)
}
