"""Serves ministack on a free loopback port, says which on stdout, and ends when its starter does.

The starter holds our stdin open: it reads as ended when that process is gone, however it went,
so a killed test run leaves no server behind.

What AWS's own services put on the event bus comes in by a door of its own: nobody may put events of a
source `aws.*` by PutEvents, here as in AWS.
"""

import asyncio
import json
import os
import socket
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config


def end_with_starter():
    sys.stdin.buffer.read()
    os._exit(0)


async def put_on_bus(receive, send):
    from ministack.core.responses import set_request_account_id, set_request_region
    from ministack.services import eventbridge

    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    event = json.loads(body)
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event["resources"],
    }
    set_request_account_id(event["account"])
    set_request_region(event["region"])
    # What its CloudTrail would call for an event of its own.
    status, _, answer = await asyncio.to_thread(
        eventbridge._put_events, {"Entries": [entry]}, allow_aws_source=True
    )
    if status == 200 and json.loads(answer)["FailedEntryCount"]:
        status = 400
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": answer})


async def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # What ministack puts into the addresses it makes up.
    os.environ["GATEWAY_PORT"] = str(port)
    # What the functions that it runs call.
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"

    from ministack.app import app

    async def front(scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/_stage/events":
            await put_on_bus(receive, send)
        else:
            # Nothing leaves this machine, and policies that ask for TLS would refuse everybody.
            await app({**scope, "scheme": "https"}, receive, send)

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"

    async def announce():
        print(port, flush=True)
        await asyncio.Event().wait()

    await serve(front, config, shutdown_trigger=announce)


threading.Thread(target=end_with_starter, daemon=True).start()
asyncio.run(main())
