"""Plan a run with ``--like-published``: with the recipes of the wheels on the index."""

import argparse

from factory.audit.codex.like_published import plan_like_published
from factory.audit.context import AuditContext
from factory.audit.projects.bundled import bundled_mapping
from factory.build.template import DISTRIBUTION
from factory.cli.index import ask_index
from factory.cli.session import Session
from factory.system.files import writing
from factory.wheels.plan import WheelsPlan, WheelsRequest


def plan_as_published(arguments: argparse.Namespace, request: WheelsRequest, session: Session) -> WheelsPlan:
    """Plan the wheels that the index lists, for the platforms that the options name."""
    tools = session.context
    listing = ask_index(
        arguments.index_url,
        session.settings,
        project=DISTRIBUTION,
        client=tools.downloader.client,
    )
    scratch = tools.cache.root / "scratch"
    with writing(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
    context = AuditContext(tools=tools, channel=session.channel, scratch=scratch)
    return plan_like_published(
        request, listing, context, bundled_mapping(DISTRIBUTION), platforms=arguments.platform or ()
    )
