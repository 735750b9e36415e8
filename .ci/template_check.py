"""Looks at what AWS will make of template.yaml, after SAM's transformation.

    template_check.py TEMPLATE OUTPUT     who may invoke a function, where a lost event goes, and that no nested stack goes with
                                          this one; OUTPUT is given the transformed template, for cfn-lint
    template_check.py --backtest TEMPLATE OUTPUT
                                          who may invoke a function of the backtest: nobody but its state machine; OUTPUT
                                          is given the transformed template with the state machine's definition in it
    template_check.py --size N TEMPLATE MONITORING
                                          how near the templates come to AWS's limits with N responders
    template_check.py --built TEMPLATE    that `sam build` left a binary of each function and the layer's policies
"""

import json
import os
import re
import sys
from pathlib import Path

import template_size
from samcli.yamlhelper import yaml_parse
from samtranslator.metrics.metrics import DummyMetricsPublisher, Metrics
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}


def transformed(path, region):
    return transformed_text(Path(path).read_text(), region)


def transformed_text(text, region):
    os.environ["AWS_DEFAULT_REGION"] = region
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        # `sam package` does this: the translator knows code by its place in S3 only.
        for uri in ("CodeUri", "ContentUri", "DefinitionUri"):
            if uri in resource.get("Properties", {}):
                resource["Properties"][uri] = "s3://bucket/key"
        if "TemplateURL" in resource.get("Properties", {}):
            resource["Properties"]["TemplateURL"] = "https://bucket.s3.amazonaws.com/key"
    # No managed policy is known to the translator: a role that SAM would give one by name fails here.
    metrics = Metrics("none", DummyMetricsPublisher())
    result = Translator({}, Parser(), metrics=metrics).translate(template, {"AWS::Region": region})
    metrics.publish()
    return result


def of_type(resources, kind):
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def the_arn_of(value):
    """The logical id in a `!GetAtt X.Arn`."""
    match value:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return name
        case {"Fn::GetAtt": str(name)}:
            return name.removesuffix(".Arn")
        case _:
            return None


def is_for_leases(arn):
    return arn.get("Ref", "").startswith("ReleaseLeasesAccess")


def problems(resources):
    functions = of_type(resources, "AWS::Lambda::Function")
    rules = of_type(resources, "AWS::Events::Rule")
    permissions = of_type(resources, "AWS::Lambda::Permission")
    configs = of_type(resources, "AWS::Lambda::EventInvokeConfig")
    roles = of_type(resources, "AWS::IAM::Role")

    invoked_by = {}
    for name, permission in permissions.items():
        properties = permission["Properties"]
        rule = the_arn_of(properties.get("SourceArn"))
        if properties["Action"] != "lambda:InvokeFunction" or properties["Principal"] != "events.amazonaws.com":
            yield f"{name} allows something other than EventBridge's invocation"
        if rule not in rules:
            yield f"{name} is not limited to one rule of this template: SourceArn is {properties.get('SourceArn')}"
            continue
        if permission.get("Condition") != rules[rule].get("Condition"):
            yield f"{name} and {rule} stand under different conditions"
        invoked_by[rule] = properties["FunctionName"].get("Ref")

    targeted = set()
    for name, rule in rules.items():
        targets = rule["Properties"]["Targets"]
        if len(targets) != 1:
            yield f"{name} has {len(targets)} targets"
        for target in targets:
            function = the_arn_of(target["Arn"])
            targeted.add(function)
            if invoked_by.get(name) != function:
                yield f"{name} hands events to {function}, which it may not invoke"
            if "DeadLetterConfig" not in target or "RetryPolicy" not in target:
                yield f"{name} loses what it cannot deliver"

    for name, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        properties = mapping["Properties"]
        reader = properties["FunctionName"].get("Ref")
        targeted.add(reader)
        if properties["EventSourceArn"] != {"Fn::GetAtt": ["Ledger", "StreamArn"]} or "FilterCriteria" not in properties:
            yield f"{name} reads something other than incidents in the ledger's stream"
        if "OnFailure" not in properties.get("DestinationConfig", {}):
            yield f"{name} loses the records it fails on"
        if "ReportBatchItemFailures" not in properties.get("FunctionResponseTypes", []):
            yield f"{name} does not hear which records {reader} asks for again"

    for name in functions:
        config = [c["Properties"] for c in configs.values() if c["Properties"]["FunctionName"].get("Ref") == name]
        if len(config) != 1 or "OnFailure" not in config[0].get("DestinationConfig", {}):
            yield f"{name} loses the events it fails on"
        if name not in targeted:
            yield f"nothing hands {name} an event"

    if len(roles) != len(functions):
        yield f"{len(functions)} functions share {len(roles)} roles"
    for name, role in roles.items():
        # The one role that may reverse what the others do has policies of its own for that.
        given = role["Properties"].get("ManagedPolicyArns")
        if name == "ReleaseLeasesRole":
            given = [arn for arn in given if not is_for_leases(arn)]
        # They respond to nothing, and have their own policies alone.
        expected = None if name in ("HeartbeatRole", "TellIncidentsRole") else [{"Ref": "ResponderAccess"}]
        if given != expected:
            yield f"{name} is given {given}, and not {expected} beside its own"
    for name in functions:
        variables = functions[name]["Properties"]["Environment"]["Variables"]
        own = json.dumps(variables["COUNTERMAND_OWN_ROLES"])
        # Jobs meet no events, and have an empty one.
        # What the canary's role does beyond its call would be somebody else's doing.
        missing = [role for role in roles if role != "HeartbeatRole" and f'"{role}' not in own]
        if own != '""' and missing:
            yield f"{name} takes what {missing} do for somebody else's doing"
    if not functions:
        yield "there is no function"
    for name, stack in of_type(resources, "AWS::CloudFormation::Stack").items():
        if stack.get("DeletionPolicy") != "Retain" or stack.get("UpdateReplacePolicy") != "Retain":
            yield f"{name} goes with this stack"


def backtest_problems(resources):
    functions = of_type(resources, "AWS::Lambda::Function")
    invokable = set()
    for role in of_type(resources, "AWS::IAM::Role").values():
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement.get("Action") == "lambda:InvokeFunction":
                    invokable |= {the_arn_of(resource) for resource in statement["Resource"]}
    if invokable != set(functions):
        yield f"the functions are {sorted(functions)}, and the state machine may invoke {sorted(invokable)}"
    for kind in ("AWS::Lambda::Permission", "AWS::Lambda::Url", "AWS::Lambda::EventSourceMapping"):
        for name in of_type(resources, kind):
            yield f"{name} lets something other than the state machine invoke a function"
    roles = [the_arn_of(function["Properties"]["Role"]) for function in functions.values()]
    if len(set(roles)) != len(functions):
        yield f"functions share roles: {roles}"
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        if role["Properties"].get("ManagedPolicyArns"):
            yield f"{name} is given more than its own: {role['Properties']['ManagedPolicyArns']}"


def with_definition(template, source):
    """Puts the state machine's definition where cfn-lint looks for it, with the parameters' defaults."""
    original = yaml_parse(Path(source).read_text())
    parameters, resources = original["Parameters"], original["Resources"]
    for name, machine in of_type(template["Resources"], "AWS::StepFunctions::StateMachine").items():
        text = (Path(source).parent / resources[name]["Properties"]["DefinitionUri"]).read_text()
        used = set(re.findall(r"\$\{(\w+)\}", text))
        given = set(machine["Properties"]["DefinitionSubstitutions"])
        if used != given:
            yield f"{name} is given {sorted(given)} and uses {sorted(used)}"
        value = lambda found: str(parameters.get(found[1], {}).get("Default") or "aws")
        # Parsed, since cfn-lint does not look into text.
        machine["Properties"]["Definition"] = json.loads(re.sub(r"\$\{(\w+)\}", value, text))
        del machine["Properties"]["DefinitionS3Location"]


def built_problems(path):
    template = yaml_parse(Path(path).read_text())["Resources"]
    folder = Path(".aws-sam/build")
    built = yaml_parse((folder / "template.yaml").read_text())["Resources"]
    for name in of_type(template, "AWS::Serverless::Function"):
        binary = folder / built[name]["Properties"]["CodeUri"] / "bootstrap"
        if not binary.is_file() or binary.read_bytes()[:4] != b"\x7fELF":
            yield f"{name} was not built: {binary}"
        else:
            print(f"{binary}: {binary.stat().st_size / 1e6:.1f} MB")
    for name in of_type(template, "AWS::Serverless::LayerVersion"):
        layer = folder / built[name]["Properties"]["ContentUri"]
        policies = sorted(policy.name for policy in layer.glob("policies/*.cedar"))
        if not policies:
            yield f"{name} would hold no /opt/policies/*.cedar: it is made of {layer}"
        else:
            print(f"/opt/policies: {', '.join(policies)}")


def main(arguments):
    match arguments:
        case ["--size", count, path, monitoring]:
            transform = lambda text: transformed_text(text, REGIONS["aws"])
            found = list(template_size.problems(int(count), path, monitoring, transform))
        case ["--built", path]:
            found = list(built_problems(path))
        case ["--backtest", path, output]:
            template = transformed(path, REGIONS["aws"])
            found = list(backtest_problems(template["Resources"])) + list(with_definition(template, path))
            Path(output).write_text(json.dumps(template, indent=2, default=str))
        case [path, output]:
            found = []
            for partition, region in REGIONS.items():
                template = transformed(path, region)
                found += [f"{partition}: {problem}" for problem in problems(template["Resources"])]
                if partition == "aws":
                    Path(output).write_text(json.dumps(template, indent=2, default=str))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
