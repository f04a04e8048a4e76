"""What a person who looks at a page would call a fault, found by the browser that draws it; and what its files say."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

from pypdf import PdfReader

from tests.browser import Page

PHONE, DESK = 360, 1200  # pixels

FAULTS = r"""
(() => {
  const faults = [], seen = new Set();
  const say = (what, element) => faults.push(`${what}: ${(element.textContent || element.outerHTML).trim().slice(0, 60)}`);
  const shown = element => element.getClientRects().length > 0;
  if (document.documentElement.scrollWidth > WIDTH) faults.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
  for (const element of document.querySelectorAll("main *"))
    if (shown(element) && element.getBoundingClientRect().right > WIDTH + 1) say("cut off", element);
  for (const svg of document.querySelectorAll("svg")) {
    const box = svg.getBoundingClientRect();
    if (!svg.querySelector(".mark-rect path, .mark-symbol path, .mark-line path[d]")) say("draws nothing", svg);
    for (const text of svg.querySelectorAll("text")) {
      const part = text.getBoundingClientRect();
      const beside = part.left < box.left - 2 || part.right > box.right + 2;
      if (part.width && (beside || part.top < box.top - 2 || part.bottom > box.bottom + 2)) say("cut off in a chart", text);
      if (text.textContent.endsWith("…")) say("shortened in a chart", text);
    }
    for (const name of ["title", "desc"]) if (!svg.querySelector(`:scope > ${name}`)?.textContent.trim()) say(`no ${name}`, svg);
    if (svg.getAttribute("role") !== "img") say("no image", svg);
  }
  for (const figure of document.querySelectorAll("figure")) {
    if (figure.querySelectorAll("svg").length !== figure.querySelectorAll(".panel").length) say("a chart is missing", figure);
    if (!figure.querySelector("figcaption")?.textContent.match(/(Unit|單位)[:：].*(n|Period|期間)/)) say("no unit, n or period", figure);
    if (!figure.querySelector("details table")) say("no data", figure);
  }
  for (const head of document.querySelectorAll("th")) if (!head.scope) say("heading of nothing", head);
  for (const element of document.querySelectorAll("[id]")) {
    if (seen.has(element.id)) say(`id twice, ${element.id}`, element);
    seen.add(element.id);
  }
  for (const link of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(link.hash.slice(1))) say("leads nowhere", link);
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  const light = color => {
    const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const parts = color.match(/[\d.]+/g).map(Number).slice(0, 3).map(linear);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (!/, 0\)$|transparent/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  for (const element of document.querySelectorAll("body *")) {
    const says = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!shown(element) || !says || element.closest("script, style")) continue;
    const style = getComputedStyle(element), color = element.closest("svg") ? style.fill : style.color;
    const pair = [light(color), light(ground(element))].sort((a, b) => b - a);
    if ((pair[0] + 0.05) / (pair[1] + 0.05) < 4.5) say("too little contrast", element);
  }
  return faults;
})()
"""


def faults(page: Page, path: Path, width: int) -> list[str]:
    """The faults of a page at a width in pixels, each with the page's name; none if it is fit to be read."""
    page.open(path.as_uri(), width)
    script = FAULTS.replace("WIDTH", str(width))  # not innerWidth: a telephone's grows with what does not fit
    found = [f"{path.name}, {width} px: {fault}" for fault in page.evaluate(script)]
    # The details are opened too: a table of data must fit as well.
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    found += [
        f"{path.name}, {width} px, opened: {fault}"
        for fault in page.evaluate(script)
        if "cut off" in fault or "scrolls" in fault
    ]
    return found + [
        f"{path.name} asks for {address}" for address in page.requested if not address.startswith(("file:", "data:"))
    ]


def text_of(pdf: bytes) -> str:
    """The text of a PDF with plain blanks, as a reader's search finds it."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def digests(site: Path) -> dict[str, str]:
    """The files that the pages are made of, each with what is in it; not those that only lie beside them."""
    files = [path for path in site.rglob("*") if path.is_file() and "_docs" not in str(path.relative_to(site))]
    return {str(path.relative_to(site)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def figures(page: Page) -> dict[str, int]:
    """The figures of the page that is open, each with the number of its charts."""
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('figure')].map(figure => "
        "[figure.id.replace('figure-', ''), figure.querySelectorAll('svg').length]))"
    )


def tiles(page: Page) -> dict[str, str]:
    """The headlines of the page that is open: by KPI what is printed large, without its unit."""
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.tile')].map(tile => "
        "[tile.querySelector('a').hash.slice(5), tile.querySelector('.value').firstChild.textContent.trim()]))"
    )
