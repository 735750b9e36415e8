#!/usr/bin/env python3
"""A function of a few lines that speaks the Runtime API and does what the event says."""

import http.client
import json
import os
import sys
import time

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
BASE = "/2018-06-01/runtime/"


def ask(method, path, body=None):
    api.request(method, BASE + path, body)
    answer = api.getresponse()
    return answer.headers, answer.read()


if "FAIL_INIT" in os.environ:
    ask("POST", "init/error", json.dumps({"errorType": "NoPolicies", "errorMessage": "nothing to load"}))
    sys.exit(1)
if "CRASH_INIT" in os.environ:
    sys.exit("no such table")

while True:
    headers, payload = ask("GET", "invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    left = int(headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000
    print(json.dumps({"got": payload.decode(errors="replace")}), flush=True)
    try:
        event = json.loads(payload)
    except ValueError:
        error = {"errorType": "FinalDecode", "errorMessage": "not JSON", "stackTrace": []}
        ask("POST", f"invocation/{request_id}/error", json.dumps(error))
        continue
    if event.get("do") == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os._exit(3)
    if event.get("do") == "sleep":
        time.sleep(60)
    if event.get("do") == "nap":
        time.sleep(0.6)
    if event.get("do") == "babble":
        ask("POST", f"invocation/{request_id}/response", "not json")
        continue
    answer = {
        "left": left,
        "arn": headers["Lambda-Runtime-Invoked-Function-Arn"],
        "trace": headers["Lambda-Runtime-Trace-Id"],
        "environment": dict(os.environ),
        "event": event,
    }
    ask("POST", f"invocation/{request_id}/response", json.dumps(answer))
