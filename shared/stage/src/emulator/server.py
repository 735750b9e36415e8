"""Serves moto on a free loopback port, says which on stdout, and ends when its starter does.

The starter holds our stdin open: it reads as ended when that process is gone, however it went,
so a killed test run leaves no server behind.
"""

import logging
import os
import sys
import threading

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


def end_with_starter():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_starter, daemon=True).start()
logging.getLogger("werkzeug").setLevel(logging.ERROR)

application = DomainDispatcherApplication(create_backend_app)
dynamodb = threading.Lock()


def one_dynamodb_call_at_a_time(environ, start_response):
    """moto does not isolate transactions: a refused one puts back a copy of the whole table."""
    if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
        return application(environ, start_response)
    with dynamodb:
        return list(application(environ, start_response))


server = make_server(
    "127.0.0.1",
    0,
    one_dynamodb_call_at_a_time,
    threaded=True,
    request_handler=MotoRequestHandler,
)
os.environ["MOTO_PORT"] = str(server.server_port)
print(server.server_port, flush=True)
server.serve_forever()
