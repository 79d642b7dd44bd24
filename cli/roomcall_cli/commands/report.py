"""`roomcall report`"""

from pathlib import Path

import click

from ..options import SETTINGS


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Example:
  roomcall check --bundle kept
  roomcall report kept -o check.html""",
)
@click.argument("bundle", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The HTML file that is written.",
)
def command(bundle: Path, output: Path) -> None:
    """Make a page of what `roomcall check --bundle` has left in BUNDLE: one file that needs no
    network."""
    from ..checking.bundle import read
    from ..checking.page import page_of
    from ..output import write_file

    write_file(output, page_of(read(bundle)))
