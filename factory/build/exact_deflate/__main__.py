"""``python -m factory.build.exact_deflate "$PATH"`` compiles the library into the installed package.

Without a compiler it says so and ends with 0, since zlib does the same work: an image without a compiler
is complete, but slower.
"""

import sys

from factory.build.exact_deflate.compiled import NotAvailable, ship
from factory.system.process import SubprocessRunner


def main(search_path: str) -> None:
    """Compile with a compiler of the search path, and print the path of the library or the reason."""
    try:
        path = ship(search_path=search_path, runner=SubprocessRunner())
    except NotAvailable as error:
        sys.stdout.write(f"exact_deflate is not shipped: {error}\n")
    else:
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
