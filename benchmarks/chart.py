"""Draws the chart of CPU per request: a group of bars for each workload."""

from xml.sax.saxutils import escape

from benchmarks.contestants import CONTESTANTS
from benchmarks.figures import Figure

WORKLOADS = {"read": "read one", "list": "list 20", "create": "create", "update": "update"}
COLOURS = {
    "onion": "#0b6e4f",
    "wsgi": "#9aa5b1",
    "flask": "#7b8794",
    "litestar": "#d9a441",
    "fastapi": "#c8553d",
    "django": "#588b8b",
}
LEFT, BAR, GAP, WIDTH = 90, 16, 22, 760
SCALE = WIDTH - LEFT - 70
STYLE = "font:12px system-ui,sans-serif"


def chart(found: list[Figure], connections: int = 16) -> str:
    shown = {(f.application, f.workload): f for f in found if f.connections == connections}
    names = [
        c.name for c in CONTESTANTS if not c.is_variant and any(key[0] == c.name for key in shown)
    ]
    longest = max((f.cpu for key, f in shown.items() if key[1] in WORKLOADS), default=1)
    parts, y = _legend(names), 60
    for workload, title in WORKLOADS.items():
        middle = y + BAR * len(names) / 2 + 4
        parts.append(_text(LEFT - 10, middle, title, ' text-anchor="end" font-weight="600"'))
        for name in names:
            if figure := shown.get((name, workload)):
                length = figure.cpu / longest * SCALE
                parts.append(
                    f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" rx="2" '
                    f'fill="{COLOURS[name]}"/>'
                )
                parts.append(_text(LEFT + length + 6, y + BAR - 6, f"{figure.cpu:.0f}"))
            y += BAR
        y += GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" '
        f'height="{y}" role="img" style="{STYLE}"><title>CPU microseconds a request</title>'
        f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def _legend(names: list[str]) -> list[str]:
    heading = "CPU a request of the server, microseconds; less is better"
    parts, x = [_text(LEFT, 20, heading, ' font-weight="600"')], 10
    for contestant in CONTESTANTS:
        if contestant.name in names:
            title = contestant.title.partition(",")[0]
            colour = COLOURS[contestant.name]
            parts.append(f'<rect x="{x}" y="34" width="10" height="10" rx="2" fill="{colour}"/>')
            parts.append(_text(x + 15, 43, title))
            x += 35 + 7 * len(title)
    return parts


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#222"{attributes}>{escape(text)}</text>'
