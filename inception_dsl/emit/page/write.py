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


def write_page(
    model: Model, cost: CostReport, claims: Sequence[CheckedClaim], *, version: int | None = None
) -> str:
    """Return the page of a network.

    Args:
        claims: those of the network's sources at its input.
        version: the number of a live page, which its server tells when it changes; None for a page
            that stands alone.
    """
    data = build_page(model, cost, claims)
    return _write_figure(data["title"], data, version)


def write_comparison_page(title: str, data: object) -> str:
    """Return the page of a report.

    Args:
        data: the two networks of each comparison, its findings, and notices, as the script reads
            them.
    """
    return _write_figure(title, data, None)


def _write_figure(title: str, data: object, version: int | None) -> str:
    text = _write_data(data)
    body = f'{_read("page.html")}<script type="application/json" id="network">{text}</script>'
    names = ["page.js"] if version is None else ["page.js", "live.js"]
    return _write(title, body, [_read(name) for name in names], version)


def write_waiting_page(title: str) -> str:
    """Return the live page of a spec that has had no network yet."""
    return _write(title, _read("waiting.html"), [_read("live.js")], 0)


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _write(title: str, body: str, scripts: Sequence[str], version: int | None) -> str:
    style = _read("page.css") + "".join(_list_paints())
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts)
    policy = ["default-src 'none'", f"style-src '{_hash(style)}'", f"script-src {hashes}"]
    policy += ["base-uri 'none'", "form-action 'none'"]
    number = ""
    if version is not None:
        policy.append("connect-src 'self'")
        number = f' data-version="{version}"'
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{xml_text(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            f"<body{number}>",
            body,
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
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
