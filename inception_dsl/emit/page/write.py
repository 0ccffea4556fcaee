"""The page as one file: its data, its style and its script, which no other file joins.

The text of a spec reaches the page as JSON, and the script sets it as text. A policy in the head
lets the browser run this script alone, and load nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files

from inception_dsl.analysis import CostReport
from inception_dsl.analysis.claimed import CheckedClaim
from inception_dsl.channels import xml_text
from inception_dsl.emit.figure.layout.themes import DARK
from inception_dsl.emit.figure.styles import KINDS, PRESETS, paint
from inception_dsl.emit.page.content import build_page
from inception_dsl.ir import Model

_HERE = files("inception_dsl.emit.page")


def write_page(model: Model, cost: CostReport, claims: Sequence[CheckedClaim]) -> str:
    """Return the page of a network.

    Args:
        claims: those of the network's sources at its input.
    """
    style = (_HERE / "page.css").read_text(encoding="utf-8") + "".join(_list_paints())
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    data = build_page(model, cost, claims)
    title = xml_text(data["title"])
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"{(_HERE / 'page.html').read_text(encoding='utf-8')}"
        f'<script type="application/json" id="network">{_write_data(data)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _write_data(data: object) -> str:
    """Return data as JSON that ends no element of HTML, in ASCII."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _hash(text: str) -> str:
    """Return the name by which a policy permits a text."""
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _list_paints() -> list[str]:
    """Return a rule for the colours of each kind of step, on a light and on a dark page."""
    light, dark = [], []
    for kind in KINDS:
        paints = paint(kind, PRESETS["modern"])
        dash = "dashed" if paints.dash else "solid"
        light.append(f".k-{kind}{{background:{paints.fill};border:1.2px {dash} {paints.stroke}}}")
        dark.append(
            f".k-{kind}{{background:{DARK[paints.fill]};border-color:{DARK[paints.stroke]}}}"
        )
    return [*light, "@media (prefers-color-scheme:dark){", *dark, "}\n"]
