"""`roomcall doctor`"""

import sys

import click
from click.core import ParameterSource

from ..exits import of_verdict
from ..options import (
    SETTINGS,
    Server,
    ice_server_option,
    json_option,
    server_options,
    token_option,
)
from ..signals import Interrupted, signals


@click.command(
    context_settings=SETTINGS,
    epilog="""\b
Examples:
  roomcall doctor
  roomcall doctor --server https://rooms.example
  roomcall doctor --ice-server stun:stun.example --ice-server turn:ann:secret@turn.example
  roomcall doctor --json""",
)
@server_options
@token_option
@ice_server_option
@json_option
def command(
    server: Server, token: str | None, ice_server: tuple[dict[str, str], ...], json: bool
) -> None:
    """Find out what works here, and what to do where it does not.

    Looks at this machine, its network, codecs and devices, at the signaling server, and at the STUN
    and TURN servers that are given or that it offers. Exits with 1 where something fails.
    """
    source = click.get_current_context().get_parameter_source("server")
    asked_for = source is not ParameterSource.DEFAULT

    from roomcall.doctor.findings import judge

    from ..diagnosis import JsonLines, Lines
    from ..following import single_error

    report = JsonLines() if json else Lines()

    async def run() -> None:
        from roomcall.doctor import examination, signaling

        subject = signaling.Server(server.url, asked_for, server.ssl, token)
        with single_error():
            await examination.examine(subject, ice_server, report)

    complete = True
    try:
        signals.run(run())
    except Interrupted:
        complete = False
    verdict = judge(report.findings, complete=complete)
    report.end(verdict)
    sys.exit(of_verdict(verdict.ok))
