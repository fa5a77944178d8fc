"""Load the template of an HTML page; jinja2 escapes what comes from wheels."""

from typing import TYPE_CHECKING

from factory.core.counted import counted
from factory.core.extras import Extra, needs_to_work

if TYPE_CHECKING:
    from jinja2 import Template


def require_renderer() -> None:
    """Import what `page_template` needs.

    Raises:
        HostError: It is not installed.
    """
    with needs_to_work(Extra.REPORT, "the HTML page"):
        import jinja2  # noqa: F401, PLC0415 - few runs need it


def page_template(package: str, name: str) -> "Template":
    """Return a template of a package's directory ``templates``.

    Raises:
        HostError: jinja2 is not installed.
    """
    require_renderer()
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - few runs need it

    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["counted"] = counted
    return environment.get_template(name)
