"""Open the deflate encoder of a command."""

from functools import partial

from factory.build.encoder import Encoder, EncoderChoice, open_exact_deflate
from factory.build.exact_deflate import NotAvailable, default_directory
from factory.cli.console import say
from factory.cli.settings import Settings
from factory.system.process import Runner


def choose_encoder(settings: Settings, runner: Runner) -> EncoderChoice:
    """Return the deflate encoder of a run, which is compiled and opened when it is needed."""
    opening = partial(open_encoder, settings, runner)
    return EncoderChoice(opening, directory=default_directory(), report=say)


def open_encoder(settings: Settings, runner: Runner) -> Encoder:
    """Open exact_deflate; see `open_exact_deflate`.

    Raises:
        NotAvailable: It cannot be used on this machine, or the user chose zlib.
    """
    if settings.encoder == "zlib":
        raise NotAvailable("FACTORY_ENCODER is zlib", hint="Remove FACTORY_ENCODER to use exact_deflate.")
    return open_exact_deflate(directory=default_directory(), search_path=settings.search_path, runner=runner)
