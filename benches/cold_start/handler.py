"""What a boto3 handler does at the least: describe the rules of the event's group and revoke the open ones.

No policy, no ledger, no look back. The client is made at import, as AWS recommends, and the loop is what a custom
runtime does: the Lambda Runtime API over urllib.
"""

import json
import os
import urllib.request

import boto3

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
EVERYBODY = ("0.0.0.0/0", "::/0")

ec2 = boto3.client("ec2")


def is_open(rule):
    everybody = rule.get("CidrIpv4") in EVERYBODY or rule.get("CidrIpv6") in EVERYBODY
    return not rule["IsEgress"] and everybody and rule["FromPort"] <= 22 <= rule["ToPort"]


def handle(event):
    group = event["detail"]["requestParameters"]["groupId"]
    answer = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    rules = [rule["SecurityGroupRuleId"] for rule in answer["SecurityGroupRules"] if is_open(rule)]
    if not rules:
        return {"outcomes": [{"status": "already_safe"}]}
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=rules)
    return {"outcomes": [{"status": "contained"}]}


def main():
    while True:
        with urllib.request.urlopen(f"{RUNTIME}/next") as invocation:
            request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.load(invocation)
        answer = json.dumps(handle(event)).encode()
        with urllib.request.urlopen(f"{RUNTIME}/{request_id}/response", data=answer) as accepted:
            accepted.read()


main()
