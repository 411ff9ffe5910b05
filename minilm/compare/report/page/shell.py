"""What surrounds the content of a page: its style, its script, and a policy that allows no others.

A page is one file. It needs no network, and what it holds runs nothing but the page's own script.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

BASE = "base.css"  # what every page has; its own style follows


def part(name: str, package: str = __package__) -> str:
    """Return a file that lies beside the modules of a package: a template, a style or a script."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """Return a policy that allows the page's own style and script and nothing from elsewhere."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    """Return what a content security policy calls a piece of the page by."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
