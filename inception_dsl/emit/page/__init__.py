"""The page of a network: one file of HTML that one walks through, with no request to anywhere."""

from inception_dsl.emit.page.content import build_page
from inception_dsl.emit.page.write import write_comparison_page, write_page, write_waiting_page

__all__ = ["build_page", "write_comparison_page", "write_page", "write_waiting_page"]
