"""A figure as a PDF of one page, whose size is the figure's: by reportlab and the bundled Arimo.

Letters are text of an embedded subset of the font, so that they can be found and copied. There is
no transparency, and the same figure is the same bytes: the file has no date.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from inception_dsl.diagnostics import MissingExtraError
from inception_dsl.emit.figure.formats import strokes
from inception_dsl.emit.figure.formats.fonts import FONT_FILES, require_drawable
from inception_dsl.emit.figure.layout.scene import Badge, Box, Edge, Frame, PlacedText, Scene
from inception_dsl.emit.figure.styles import CARD, Paint

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

POINTS = 0.75
"""Points for each pixel of a figure: 96 pixels are an inch."""

_HATCHING = 0.35
"""Share of a box's stroke in the colour of its hatching; the rest is its fill."""


def to_pdf(scene: Scene, *, title: str) -> bytes:
    """Return a scene as a file.

    Raises:
        MissingExtraError: reportlab is not installed.
        SpecError: E502, its text has characters that the font lacks.
    """
    try:
        from reportlab.pdfgen.canvas import Canvas
    except ImportError:
        raise MissingExtraError("a PDF", "reportlab", "pdf") from None
    require_drawable(_list_texts(scene), "PDF")
    _register_fonts()
    buffer = BytesIO()
    points = POINTS * scene.zoom
    size = scene.width * points, scene.height * points
    canvas = Canvas(buffer, pagesize=size, pageCompression=1, invariant=1, initialFontName="Arimo")
    canvas.setTitle(title)
    canvas.setCreator("inception-dsl")
    canvas.setAuthor("")
    canvas.setSubject("")
    canvas.translate(0, size[1])
    canvas.scale(points, points)
    _Page(canvas, scene).draw()
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _register_fonts() -> None:
    from reportlab.pdfbase.pdfmetrics import getRegisteredFontNames, registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    known = getRegisteredFontNames()
    for name, file in FONT_FILES.items():
        if name not in known:
            registerFont(TTFont(name, str(file)))


def _list_texts(scene: Scene) -> Iterable[str]:
    for frame in scene.frames:
        yield from (label.text for label in frame.labels)
    for box in scene.boxes:
        yield from (text.text for text in (*box.lines, *box.notes))
    yield from (text.text for text in scene.texts)


class _Page:
    """A page on which a scene is drawn; y grows downwards, as in the scene."""

    def __init__(self, canvas: Canvas, scene: Scene) -> None:
        self.canvas = canvas
        self.scene = scene

    def draw(self) -> None:
        """Draw all that the scene has, from the back to the front."""
        scene = self.scene
        if scene.has_ground and scene.paper != "#FFFFFF":
            ground = Paint(scene.paper, "none")
            self._rect(0, 0, scene.width, scene.height, 0, ground)
        for frame in scene.frames:
            self._frame(frame)
        for edge in scene.edges:
            self._edge(edge)
        for box in scene.boxes:
            self._box(box)
        for badge in scene.badges:
            self._badge(badge)
        for text in scene.texts:
            self._text(text)

    def _frame(self, frame: Frame) -> None:
        self._rect(frame.x, frame.y, frame.width, frame.height, frame.radius, frame.paint)
        for label in frame.labels:
            self._text(label)

    def _edge(self, edge: Edge) -> None:
        path = self.canvas.beginPath()
        for letter, points in edge.commands:
            numbers = [number for x, y in points for number in (x, -y)]
            {"M": path.moveTo, "L": path.lineTo, "C": path.curveTo}[letter](*numbers)
        self._pen(edge.colour, edge.width, edge.dash)
        self.canvas.drawPath(path, stroke=1, fill=0)
        if corners := strokes.arrow_points(edge):
            self.canvas.setFillColor(_colour(edge.colour))
            self.canvas.drawPath(self._trace([corners], closes=True), stroke=0, fill=1)

    def _box(self, box: Box) -> None:
        for card in range(box.cards, -1, -1):
            x, y = box.x + CARD * card, box.y - CARD * card
            self._rect(x, y, box.width, box.height, box.radius, box.paint)
        if box.is_hatched:
            self._lines(strokes.hatching(box), _mix(box.paint.stroke, box.paint.fill), 1)
        if box.form in {"sum", "product"}:
            self._lines(strokes.circle_sign(box), box.paint.stroke, strokes.SIGN_WIDTH)
        for text in (*box.lines, *box.notes):
            self._text(text)
        if box.badge:
            self._badge(Badge(box.x, box.y, box.badge, box.paint.stroke))

    def _badge(self, badge: Badge) -> None:
        self.canvas.setFillColor(_colour(badge.colour))
        self.canvas.circle(badge.x, -badge.y, strokes.BADGE_RADIUS, stroke=0, fill=1)
        signs = strokes.badge_sign(badge.sign, badge.x, badge.y)
        self._lines(signs, self.scene.paper, strokes.SIGN_WIDTH, closes=badge.sign == "delta")

    def _text(self, text: PlacedText) -> None:
        canvas = self.canvas
        canvas.setFillColor(_colour(text.colour))
        canvas.setFont("Arimo-Bold" if text.bold else "Arimo", text.size)
        draw = {
            "start": canvas.drawString,
            "middle": canvas.drawCentredString,
            "end": canvas.drawRightString,
        }[text.anchor]
        draw(text.x, -text.y, text.text)
        if text.struck:
            self._lines([strokes.strike(text)], text.colour, 1)

    def _rect(
        self, x: float, y: float, width: float, height: float, radius: float, paint: Paint
    ) -> None:
        has_fill, has_stroke = paint.fill != "none", paint.stroke != "none"
        if has_fill:
            self.canvas.setFillColor(_colour(paint.fill))
        if has_stroke:
            self._pen(paint.stroke, paint.width, paint.dash)
        radius = min(radius, width / 2, height / 2)
        self.canvas.roundRect(x, -y - height, width, height, radius, has_stroke, has_fill)

    def _lines(
        self, lines: Iterable[strokes.Polyline], colour: str, width: float, *, closes: bool = False
    ) -> None:
        self._pen(colour, width)
        self.canvas.drawPath(self._trace(lines, closes=closes), stroke=1, fill=0)

    def _trace(self, lines: Iterable[strokes.Polyline], *, closes: bool) -> Any:
        path = self.canvas.beginPath()
        for start, *others in lines:
            path.moveTo(start[0], -start[1])
            for x, y in others:
                path.lineTo(x, -y)
            if closes:
                path.close()
        return path

    def _pen(self, colour: str, width: float, dash: str | None = None) -> None:
        self.canvas.setStrokeColor(_colour(colour))
        self.canvas.setLineWidth(width)
        self.canvas.setDash([float(part) for part in dash.split()] if dash else [])


def _colour(text: str) -> Any:
    from reportlab.lib.colors import HexColor

    return HexColor(text)


def _mix(stroke: str, fill: str) -> str:
    """Return the colour of hatching: PDF/A and old TeX know no transparency."""
    front, back = (bytes.fromhex(colour[1:]) for colour in (stroke, fill))
    parts = zip(front, back, strict=True)
    mixed = (round(_HATCHING * a + (1 - _HATCHING) * b) for a, b in parts)
    return f"#{bytes(mixed).hex()}"
