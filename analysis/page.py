# SPDX-License-Identifier: Apache-2.0
"""A self-contained HTML page: sections, tables and figures with captions; light, dark and print."""
import collections
import html
import os
import re

from style import unique_ids

CSS = """
:root { --ink:#1d2126; --paper:#ffffff; --faint:#8a8f98; --line:#e3e6ea; --soft:#f5f7f9; --accent:#2a7fd1; --good:#16794f; --bad:#a83246; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink:#e8eaed; --paper:#15181c; --faint:#8d949e; --line:#2d333b; --soft:#1c2127; --accent:#6cb2f5; --good:#5fd3a2; --bad:#f08a9b; } }
@media print { :root { --ink:#000; --paper:#fff; --faint:#777; --line:#ccc; --soft:#fff; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } nav { display:none; } body { font-size: 11pt; } main { padding: 0; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--paper); color:var(--ink); font:16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { margin: 2.6rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--line); font-size: 1.35rem; }
h3 { margin: 1.6rem 0 .3rem; font-size: 1.05rem; } p { max-width: 46rem; } .lead { font-size: 1.08rem; } .quiet { color: var(--faint); font-size: .88rem; }
figure { margin: 1.2rem 0 1.6rem; } figure svg { width: 100%; height: auto; display: block; } figcaption { max-width: 46rem; font-size: .92rem; margin-top: .4rem; }
figcaption b { color: var(--accent); }
table { border-collapse: collapse; margin: .8rem 0 1.2rem; font-size: .92rem; width: auto; } th, td { text-align: right; padding: .28rem .7rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, th.text, td.text { text-align: left; } th { font-weight: 600; background: var(--soft); } .wide { overflow-x: auto; }
.yes { color: var(--good); font-weight: 600; } .no { color: var(--bad); font-weight: 600; } .part { color: var(--accent); font-weight: 600; }
nav { font-size: .9rem; margin: 1rem 0; } nav a { margin-right: 1rem; color: var(--accent); text-decoration: none; } code { font-size: .88em; background: var(--soft); padding: .05em .3em; border-radius: 3px; }
details pre { background: var(--soft); padding: .8rem; overflow-x: auto; font-size: .8rem; }
"""


def share_styles(text):
    """(text, rules): style attributes that are there more than once as classes, with the CSS rules of these."""
    count = collections.Counter(re.findall(r' style="([^"]*)"', text))
    names = {style: f"d{n}" for n, (style, times) in enumerate(count.most_common()) if times > 1}
    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())
    return re.sub(r' style="([^"]*)"', lambda m: f' class="{names[m[1]]}"' if m[1] in names else m[0], text), rules


class Page:
    def __init__(self, title, lead):
        self.title, self.lead, self.parts, self.sections, self.figures = title, lead, [], [], 0

    def section(self, title, text=""):
        anchor = "s%d" % (len(self.sections) + 1)
        self.sections.append((anchor, title))
        self.parts.append(f'<h2 id="{anchor}">{html.escape(title)}</h2>')
        if text:
            self.text(text)

    def heading(self, title):
        self.parts.append(f"<h3>{html.escape(title)}</h3>")

    def text(self, text, css=""):
        """A paragraph; `text` may hold inline HTML of our own."""
        self.parts.append(f'<p class="{css}">{text}</p>')

    def figure(self, svg_text, title, caption):
        self.figures += 1
        drawing = unique_ids(svg_text, "f%d" % self.figures).replace("<svg ", f'<svg aria-label="{html.escape(title)}" ', 1)
        self.parts.append(f"<figure>{drawing}<figcaption><b>Figure {self.figures}. {html.escape(title)}.</b> {caption}</figcaption></figure>")

    def table(self, header, rows):
        """Cells are text, or (text, css class)."""
        cell = lambda tag, c: f'<{tag} class="{c[1]}">{c[0]}</{tag}>' if isinstance(c, tuple) else f"<{tag}>{c}</{tag}>"
        body = "".join("<tr>" + "".join(cell("td", c) for c in row) + "</tr>" for row in rows)
        self.parts.append('<div class="wide"><table><thead><tr>' + "".join(cell("th", h) for h in header) + f"</tr></thead><tbody>{body}</tbody></table></div>")

    def details(self, summary, text):
        self.parts.append(f"<details><summary>{html.escape(summary)}</summary><pre>{html.escape(text)}</pre></details>")

    def write(self, path):
        nav = "".join(f'<a href="#{a}">{html.escape(t)}</a>' for a, t in self.sections)
        parts, rules = share_styles("".join(self.parts))
        document = (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
                    f"<title>{html.escape(self.title)}</title><style>{CSS}{rules}</style></head><body><main><h1>{html.escape(self.title)}</h1>"
                    f'<p class="lead">{self.lead}</p><nav>{nav}</nav>{parts}</main></body></html>')
        with open(path + ".partial", "w", encoding="utf-8") as stream:
            stream.write(document)
        os.replace(path + ".partial", path)
