"""Serves ministack on a free loopback port, says which on stdout, and ends when its starter does.

The starter holds our stdin open: it reads as ended when that process is gone, however it went,
so a killed test run leaves no server behind.
"""

import asyncio
import os
import socket
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config


def end_with_starter():
    sys.stdin.buffer.read()
    os._exit(0)


async def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # What ministack puts into the addresses it makes up.
    os.environ["GATEWAY_PORT"] = str(port)

    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"

    async def announce():
        print(port, flush=True)
        await asyncio.Event().wait()

    await serve(app, config, shutdown_trigger=announce)


threading.Thread(target=end_with_starter, daemon=True).start()
asyncio.run(main())
