"""What can be measured of a page's looks: contrast, names, focus rings, shifts, overflow."""

from typing import Any

from playwright.sync_api import Page

#: Text whose contrast with what lies behind it is below WCAG AA (4.5, or 3 for large text).
LOW_CONTRAST = """
() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    const scale = text.startsWith('color(') ? 255 : 1;
    const [r, g, b, a = 1] = numbers;
    return [r * scale, g * scale, b * scale, a];
  };
  const over = (top, ground) => {
    const mixed = [0, 1, 2].map((i) => top[i] * top[3] + ground[i] * (1 - top[3]));
    return [...mixed, 1];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      layers.push(parse(getComputedStyle(e).backgroundColor));
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest('.sr-only, noscript, option, :disabled, [aria-hidden=true]')) continue;
    const style = getComputedStyle(element);
    const inSvg = element.namespaceURI.includes('svg');
    let color = parse(inSvg ? style.fill : style.color);
    for (let e = element; e; e = e.parentElement) color[3] *= Number(getComputedStyle(e).opacity);
    const ground = behind(element);
    const [a, b] = [light(over(color, ground)), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}
"""

HAS_RING = """
() => {
  const element = document.activeElement;
  const has = (e, pseudo) => e && getComputedStyle(e, pseudo).outlineStyle !== 'none';
  return has(element) || has(element, '::after') || has(element.nextElementSibling);
}
"""

WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""

#: Roles that a person acts on; each needs a name to be spoken.
OPERABLE = {
    "button",
    "checkbox",
    "combobox",
    "dialog",
    "img",
    "link",
    "region",
    "spinbutton",
    "switch",
    "textbox",
}


def low_contrast(page: Page) -> list[str]:
    """Visible texts below WCAG AA, each with its ratio."""
    found: list[str] = page.evaluate(LOW_CONTRAST)
    return found


def nameless(page: Page) -> list[str]:
    """Operable things without an accessible name, by role."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] in OPERABLE
        and not node.get("name", {}).get("value", "").strip()
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    pixels: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return pixels
