r"""A figure as TikZ: a picture for `\input`, its letters set by the document's own fonts.

Every box is a node that is named after its path, with its text; every line is one `\draw` with its
head. The look of each kind of step is a style, which a document may define before. The picture
needs xcolor and TikZ with its library arrows.meta.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inception_dsl.channels import latex_text
from inception_dsl.emit.figure.formats import strokes
from inception_dsl.emit.figure.formats.naming import BoxNames
from inception_dsl.emit.figure.layout.scene import Badge, Box, Edge, Frame, PlacedText, Scene
from inception_dsl.emit.figure.styles import CARD, EDGE, INK, Paint

POINTS = 0.75
"""Big points for each pixel of a figure: 96 pixels are an inch."""

_LINE = 14.0
"""Distance of two lines of text in a box."""

_HATCHING = 35
"""Share in percent of a box's stroke in the colour of its hatching; the rest is its fill."""

_EDGE_WIDTH = 1.2

_ARROW = 9.0, 7.8, 2.4
"""The length of an arrowhead, its width, and the depth of its notch."""

_HEAD = """\
% \\usepackage{tikz}\\usetikzlibrary{arrows.meta}
% A style that the document defines before takes the place of one of these, as in
% \\tikzset{idsl font/.style={font=\\rmfamily}}
\\providecommand{\\idslstyle}[2]{%
  \\pgfkeysifdefined{/tikz/idsl #1/.@cmd}{}{\\tikzset{idsl #1/.style={#2}}}}%
"""

_STYLES = {
    "font": "font=\\sffamily",
    "box": "idsl font, align=center, inner sep=0pt, outer sep=0pt, line width=0.9bp",
    "text": "idsl font, inner sep=0pt, outer sep=0pt, anchor=base",
}
"""The styles that all pictures have, by name; `arrow` and `edge` depend on the theme."""


def to_tikz(scene: Scene, *, title: str) -> str:
    """Return a scene as a picture."""
    return "".join(f"{line}\n" for line in _Picture(scene, title).write())


class _Picture:
    """A picture of a scene, with the colours and the styles that it uses."""

    def __init__(self, scene: Scene, title: str) -> None:
        self.scene = scene
        self.title = title
        self.points = POINTS * scene.zoom
        self.names = BoxNames(scene)
        self.colours: dict[str, None] = {}
        self.kinds: dict[str, Paint] = {}

    def write(self) -> Iterator[str]:
        """Yield the lines of the picture."""
        body = list(self._draw())
        styles = list(self._list_styles())
        if shown := latex_text(self.title):
            yield f"% {shown}"
        yield _HEAD.rstrip("\n")
        for colour in self.colours:
            yield f"\\definecolor{{{_colour_name(colour)}}}{{HTML}}{{{colour[1:].upper()}}}%"
        for name, style in styles:
            yield f"\\idslstyle{{{name}}}{{{style}}}%"
        yield f"\\begin{{tikzpicture}}[x={self.points:.4g}bp, y=-{self.points:.4g}bp]"
        yield from (f"  {line}" for line in body)
        yield "\\end{tikzpicture}"

    def _list_styles(self) -> Iterator[tuple[str, str]]:
        """Yield the styles of the picture by name, once all is drawn."""
        yield from _STYLES.items()
        length, width, inset = map(self._bp, _ARROW)
        head = f"-{{Stealth[length={length}, width={width}, inset={inset}]}}"
        edge = self._ink(self._edge_colour())
        yield "edge", f"draw={edge}, line width={self._bp(_EDGE_WIDTH)}, {head}"
        for kind, paint in self.kinds.items():
            yield kind, ", ".join(self._paint(paint))

    def _draw(self) -> Iterator[str]:
        scene = self.scene
        size = f"(0,0) rectangle ({_n(scene.width)},{_n(scene.height)})"
        yield f"\\path[use as bounding box] {size};"
        if scene.has_ground and scene.paper != "#FFFFFF":
            yield f"\\fill[{self._ink(scene.paper)}] {size};"
        self._ink(self._edge_colour())
        for frame in scene.frames:
            yield from self._frame(frame)
        for edge in scene.edges:
            yield self._edge(edge)
        for box, name in zip(scene.boxes, self.names.boxes, strict=True):
            yield from self._box(box, name)
        for badge in scene.badges:
            yield from self._badge(badge)
        for text in scene.texts:
            yield self._text(text)

    def _edge_colour(self) -> str:
        """Return the colour of most lines."""
        colours = [edge.colour for edge in self.scene.edges] or [EDGE]
        return max(dict.fromkeys(colours), key=colours.count)

    def _frame(self, frame: Frame) -> Iterator[str]:
        if frame.path:
            yield f"% {latex_text(frame.path)}"
        yield self._rectangle(
            frame.x, frame.y, frame.width, frame.height, frame.radius, frame.paint
        )
        for label in frame.labels:
            yield self._text(label)

    def _edge(self, edge: Edge) -> str:
        has_head = edge.toward != (0, 0)
        *commands, (letter, points) = edge.commands
        # A scene's line ends within its arrow; this one's arrow ends it.
        end = edge.tip if has_head else points[-1]
        if len(commands) and letter == "C" and has_head:
            commands.append((letter, points))
            letter, points = "L", (edge.tip,)
        parts = [*commands, (letter, (*points[:-1], end))]
        path = "".join(_command(letter, [_point(*p) for p in points]) for letter, points in parts)
        options = ["idsl edge"]
        options += [] if has_head else ["-"]
        if edge.colour != self._edge_colour():
            options.append(f"draw={self._ink(edge.colour)}")
        if edge.width != _EDGE_WIDTH:
            options.append(f"line width={self._bp(edge.width)}")
        options += [self._dash(edge.dash)] if edge.dash else []
        return f"\\draw[{', '.join(options)}] {path};"

    def _box(self, box: Box, name: str) -> Iterator[str]:
        for card in range(box.cards, 0, -1):
            x, y = box.x + CARD * card, box.y - CARD * card
            yield self._rectangle(x, y, box.width, box.height, box.radius, box.paint)
        is_plain = not box.is_hatched and not any(text.struck for text in box.lines)
        content = self._join_lines(box.lines) if is_plain else ""
        if box.kind:
            self.kinds.setdefault(box.kind, box.paint)
            look = [f"idsl {box.kind}"]
        else:
            look = self._paint(box.paint)
        options = [
            "idsl box",
            *look,
            f"rounded corners={self._bp(min(box.radius, box.width / 2, box.height / 2))}",
            f"minimum width={self._bp(box.width)}",
            f"minimum height={self._bp(box.height)}",
        ]
        inks = {text.colour for text in box.lines}
        if is_plain and len(inks) == 1 and inks != {INK}:
            options.append(f"text={self._ink(inks.pop())}")
        middle = _point(box.x + box.width / 2, box.y + box.height / 2)
        yield f"\\node[{', '.join(options)}] ({name}) at {middle} {{{content}}};"
        if box.is_hatched:
            mixed = f"{self._ink(box.paint.stroke)}!{_HATCHING}!{self._ink(box.paint.fill)}"
            yield f"\\draw[{mixed}] {_lines(strokes.hatching(box))};"
        if box.form in {"sum", "product"}:
            signs = _lines(strokes.circle_sign(box))
            pen = f"{self._ink(box.paint.stroke)}, line width={self._bp(strokes.SIGN_WIDTH)}"
            yield f"\\draw[{pen}] {signs};"
        for text in (*(() if is_plain else box.lines), *box.notes):
            yield self._text(text)
        if box.badge:
            yield from self._badge(Badge(box.x, box.y, box.badge, box.paint.stroke))

    def _badge(self, badge: Badge) -> Iterator[str]:
        radius = self._bp(strokes.BADGE_RADIUS)
        middle, ink = _point(badge.x, badge.y), self._ink(badge.colour)
        yield f"\\fill[{ink}] {middle} circle[radius={radius}];"
        signs = _lines(strokes.badge_sign(badge.sign, badge.x, badge.y))
        pen = f"{self._ink(self.scene.paper)}, line width={self._bp(strokes.SIGN_WIDTH)}"
        yield f"\\draw[{pen}] {signs};"

    def _text(self, text: PlacedText) -> str:
        anchor = {"start": ", anchor=base west", "middle": "", "end": ", anchor=base east"}
        ink = self._ink(text.colour)
        options = f"idsl text{anchor[text.anchor]}, text={ink}"
        node = f"\\node[{options}] at {_point(text.x, text.y)} {{{self._set(text)}}};"
        if not text.struck:
            return node
        return f"{node} \\draw[{ink}] {_lines([strokes.strike(text)])};"

    def _rectangle(
        self, x: float, y: float, width: float, height: float, radius: float, paint: Paint
    ) -> str:
        rounding = min(radius, width / 2, height / 2)
        options = self._paint(paint)
        options += [f"rounded corners={self._bp(rounding)}"] if rounding else []
        options.append(f"line width={self._bp(paint.width)}")
        corners = f"{_point(x, y)} rectangle {_point(x + width, y + height)}"
        return f"\\path[{', '.join(options)}] {corners};"

    def _paint(self, paint: Paint) -> list[str]:
        options = [f"fill={self._ink(paint.fill)}"] if paint.fill != "none" else []
        options += [f"draw={self._ink(paint.stroke)}"] if paint.stroke != "none" else []
        options += [self._dash(paint.dash)] if paint.dash else []
        return options

    def _ink(self, colour: str) -> str:
        """Return the name of a colour, which the picture defines."""
        self.colours.setdefault(colour)
        return _colour_name(colour)

    def _join_lines(self, lines: Iterable[PlacedText]) -> str:
        return "\\\\".join(map(self._set, lines))

    def _set(self, text: PlacedText) -> str:
        """Return a text with its size; TeX sets it in the document's own font."""
        size, line = self._bp(text.size), self._bp(_LINE)
        weight = "\\bfseries" if text.bold else "\\mdseries"
        return f"\\fontsize{{{size}}}{{{line}}}\\selectfont{weight} {latex_text(text.text)}"

    def _dash(self, dash: str) -> str:
        on, off = (self._bp(float(part)) for part in dash.split())
        return f"dash pattern=on {on} off {off}"

    def _bp(self, pixels: float) -> str:
        return f"{_n(pixels * self.points)}bp"


def _colour_name(colour: str) -> str:
    return f"idsl{colour[1:].upper()}"


def _command(letter: str, points: list[str]) -> str:
    match letter:
        case "M":
            return points[0]
        case "L":
            return f" -- {points[0]}"
        case _:
            return f" .. controls {points[0]} and {points[1]} .. {points[2]}"


def _lines(lines: Iterable[strokes.Polyline]) -> str:
    return " ".join(" -- ".join(_point(*point) for point in line) for line in lines)


def _point(x: float, y: float) -> str:
    return f"({_n(x)},{_n(y)})"


def _n(number: float) -> str:
    """Return a number with two decimals at most."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
