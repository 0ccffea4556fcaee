"""The colours of a figure on a dark page: each light colour has one dark counterpart.

Hues stay. Fills are dark and strokes light, so that the ramp of kernel sizes still rises, and all
text has a contrast of at least 4.5 to 1.
"""

from __future__ import annotations

from dataclasses import replace

from inception_dsl.emit.figure.layout.repaint import repaint
from inception_dsl.emit.figure.layout.scene import Scene
from inception_dsl.emit.figure.styles import Background, Theme

DARK_PAPER = "#0D1117"

DARK: dict[str, str] = {
    # Text, lines, frames.
    "#202124": "#E6EDF3",
    "#5F6368": "#9DA5AE",
    "#3C4043": "#ADB5BD",
    "#40464D": "#C9D1D9",
    "#70757A": "#8B949E",
    "#9AA0A6": "#6E7681",
    "#FFFFFF": DARK_PAPER,
    "#FCFCFD": "#13181F",
    "#DADCE0": "#30363D",
    # Kinds of steps.
    "#E8F1FA": "#14283C",
    "#4F81AE": "#6FA3D3",
    "#BFD9F0": "#1B3B5A",
    "#2F6CA3": "#6FA8DC",
    "#8FBCE4": "#245078",
    "#1F5A94": "#7FB5E6",
    "#62A0D8": "#2F6595",
    "#174A7E": "#9CC9F0",
    "#A9DFC9": "#17493A",
    "#1B8062": "#57BE9B",
    "#FBC77D": "#5C3F0B",
    "#A86400": "#E5A847",
    "#FFF2B8": "#4A4310",
    "#8A7400": "#CDB94A",
    "#BCC0C6": "#3C4148",
    "#E3B9D8": "#55284A",
    "#93397A": "#D98CC4",
    "#F5F5F5": "#22272E",
    "#80868B": "#8A9199",
    "#E3E6EE": "#2A303C",
    "#5A6478": "#9AA5BD",
    "#D9D2F0": "#393060",
    "#5B4B9A": "#A596E6",
    "#C9E4EA": "#1E454E",
    "#2B7A8C": "#63B7C9",
    "#F3D3C6": "#56311F",
    "#A1502F": "#DE8E6B",
    # Shares of a cost.
    "#FFF0DA": "#2B2113",
    "#FFDDAE": "#463215",
    "#FFC57F": "#644217",
    "#FBA650": "#7F4E15",
    "#EE8430": "#96520E",
    "#F0F0F0": "#1E1E1E",
    "#DEDEDE": "#2C2C2C",
    "#C8C8C8": "#3B3B3B",
    "#B0B0B0": "#4A4A4A",
    "#969696": "#595959",
    # Marks of a comparison.
    "#F8F9FA": "#12171E",
    "#BDC1C6": "#3D444D",
    "#E3F5EE": "#0F2F26",
    "#007A5A": "#3FBF95",
    "#FDF1EA": "#33190B",
    "#A83E00": "#FF9A66",
    "#E3EFFA": "#10293F",
    "#0060A8": "#6CB2F5",
    "#EDF4FB": "#14202C",
    "#8FB4D6": "#4A6B8A",
    "#E4E4E4": "#2E2E2E",
    "#F3F3F3": "#1C1C1C",
}
"""The dark counterpart of each colour."""


def set_theme(scene: Scene, theme: Theme, background: Background) -> Scene:
    """Return a scene for a page, on its ground or on none."""
    if theme == "dark":
        scene = replace(repaint(scene, DARK), paper=DARK_PAPER)
    return replace(scene, has_ground=background == "page")
