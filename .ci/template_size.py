"""How near the templates come to AWS's limits with more responders than there are.

The parts of template.yaml that are generated for each responder are repeated, under new names, until there are enough. What
the repeated responders look like is what those there are look like, on average.
"""

import json
import math
import re
from pathlib import Path

from samcli.yamlhelper import yaml_parse

# Sources: AWS CloudFormation User Guide, "Understand CloudFormation quotas"; AWS Identity and Access Management User Guide, "IAM
# and AWS STS quotas" (white space does not count); Amazon SQS Developer Guide, "Amazon SQS policy quotas"; AWS Lambda Developer
# Guide, "Lambda quotas"; Amazon CloudWatch Logs User Guide, "CloudWatch Logs Insights query syntax".
RESOURCES = 500
TEMPLATE_BYTES = 1_048_576
INLINE_POLICY_CHARACTERS = 10_240
MANAGED_POLICY_CHARACTERS = 6_144
MANAGED_POLICIES_OF_A_ROLE = 10
QUEUE_POLICY_BYTES = 8_192
ENVIRONMENT_BYTES = 4_096
LOG_GROUPS_IN_A_QUERY = 50

STACK = "countermand"
REGION, ACCOUNT = "us-east-1", "123456789012"


def pascal(name):
    return "".join(word.capitalize() for word in name.split("-"))


def grown(text, count):
    """The text with as many responders as asked for."""
    names = re.findall(r"^ *# >>> ([a-z-]+) – generated from functions/\1;", text, re.M)
    copies = [(names[i % len(names)], f"{names[i % len(names)]}-{i:02}") for i in range(len(names), count)]

    def repeat(start, end, parts):
        nonlocal text
        body = re.search(rf"^ *# >>> {start}[^\n]*\n(.*?)^ *# <<< ?{end}$", text, re.M | re.S)
        added = "".join(renamed(part, old, new) for old, new in copies for part in parts(body[1], old))
        text = text[: body.end(1)] + added + text[body.end(1) :]

    def renamed(part, old, new):
        return re.sub(rf"\b{pascal(old)}(?=[A-Z]|\b)", pascal(new).replace("-", ""), part).replace(old, new)

    def lines(body, name):
        # The first line of the list of roles opens it.
        return re.findall(rf"^.*GetAtt {pascal(name)}[A-Z].*\n", body.replace("- - !GetAtt", "  - !GetAtt"), re.M)

    repeat("roles", "", lines)
    repeat(
        "responders",
        "responders",
        lambda body, name: re.findall(rf"^ *# >>> {name} –.*?^ *# <<<\n", body, re.M | re.S),
    )
    return text


def resolved(value, parameters):
    """The value with the intrinsic functions filled in, as long as they will be; of two branches the first."""
    match value:
        case {"Fn::GetAtt": name}:
            name = name if isinstance(name, str) else ".".join(name)
            return arn_of(name.split(".")[0])
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": name}:
            return pseudo(name) or str(parameters.get(name, {}).get("Default") or physical(name))
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: pseudo(found[1]) or arn_of(found[1].split(".")[0]), text)
        case {"Fn::If": [_, yes, _]}:
            return resolved(yes, parameters)
        case {"Fn::Join": [separator, items]}:
            return separator.join(resolved(item, parameters) for item in items)
        case dict():
            return {key: resolved(inner, parameters) for key, inner in value.items()}
        case list():
            return [item for item in (resolved(inner, parameters) for inner in value) if item is not None]
        case _:
            return value


def pseudo(name):
    known = {"Region": REGION, "AccountId": ACCOUNT, "Partition": "aws", "StackName": STACK, "URLSuffix": "amazonaws.com"}
    return known.get(name.removeprefix("AWS::")) if name.startswith("AWS::") else None


def physical(name):
    """As CloudFormation names a thing: stack, logical id and twelve letters, in 64 at most."""
    return f"{STACK}-{name}"[:51] + "-" + 12 * "X"


def arn_of(name):
    for ending, kind in (("Role", "iam::{}:role/"), ("Rule", f"events:{REGION}:{{}}:rule/"), ("Logs", f"logs:{REGION}:{{}}:log-group:")):
        if name.endswith(ending):
            return "arn:aws:" + kind.format(ACCOUNT) + physical(name)
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:" + physical(name)


def dense(document):
    return len(re.sub(r"\s", "", json.dumps(document, separators=(",", ":"), default=str)))


def figures(template, text, times=1):
    """What there is of each limited thing: its name, how much, and the limit. What leases take is as much for each responder."""
    parameters, resources = template.get("Parameters", {}), template["Resources"]
    leases = 0
    yield "resources", len(resources), RESOURCES
    yield "bytes of the template as written", len(text.encode()), TEMPLATE_BYTES
    yield "bytes of the template as transformed", len(json.dumps(template, default=str)), TEMPLATE_BYTES
    largest = {}

    def note(what, name, size, limit):
        if size > largest.get(what, ("", 0, 0))[1]:
            largest[what] = (name, size, limit)

    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::IAM::Role":
                documents = [resolved(policy["PolicyDocument"], parameters) for policy in properties.get("Policies", [])]
                note("characters of a role's inline policies", name, sum(map(dense, documents)), INLINE_POLICY_CHARACTERS)
            case "AWS::IAM::ManagedPolicy":
                document = resolved(properties["PolicyDocument"], parameters)
                if name.startswith("ReleaseLeasesAccess"):
                    leases += times * dense(document)
                else:
                    note("characters of a managed policy", name, dense(document), MANAGED_POLICY_CHARACTERS)
            case "AWS::SQS::QueuePolicy":
                document = resolved(properties["PolicyDocument"], parameters)
                note("bytes of a queue's policy", name, dense(document), QUEUE_POLICY_BYTES)
            case "AWS::Lambda::Function":
                variables = resolved(properties.get("Environment", {}).get("Variables", {}), parameters)
                note("bytes of a function's variables", name, dense(variables), ENVIRONMENT_BYTES)
            case "AWS::Logs::QueryDefinition":
                note("log groups in a query", name, len(properties.get("LogGroupNames", [])), LOG_GROUPS_IN_A_QUERY)
    if leases:
        # A tenth of each is left empty, since a statement stays together.
        policies = 1 + math.ceil(leases / (0.9 * MANAGED_POLICY_CHARACTERS))
        yield "managed policies of ReleaseLeasesRole", policies, MANAGED_POLICIES_OF_A_ROLE
    for what, (name, size, limit) in largest.items():
        yield f"{what} ({name})", size, limit


def grown_monitoring(text, count):
    """Only the alarms on slow responders and the lists of log groups grow with the responders."""
    names = re.findall(r"AlarmName: !Sub \$\{Countermand\}-slow-(.*)", text)
    for i in range(len(names), count):
        old, new = names[i % len(names)], f"{names[i % len(names)]}-{i:02}"
        block = re.search(rf"^  Slow{pascal(old)}:\n(?:    .*\n)+", text, re.M)[0]
        text = text.replace(block, block + "\n" + block.replace(old, new).replace(f"Slow{pascal(old)}:", f"Slow{pascal(new)}:"), 1)
        group = f"        - !Sub /aws/lambda/${{Countermand}}-{old}\n"
        text = text.replace(group, group + group.replace(old, new))
        source = f"SOURCE '/aws/lambda/${{Countermand}}-{old}'"
        text = text.replace(source, source + " | " + source.replace(old, new))
    return text


def problems(count, path, monitoring, transform):
    """Prints the figures. A problem is what is too much now, and what CloudFormation takes of the template as a whole then."""
    text, watching = Path(path).read_text(), Path(monitoring).read_text()
    now = len(re.findall(r"^ *# >>> ([a-z-]+) – generated from functions/\1;", text, re.M))
    sizes = {
        path: [list(figures(transform(grown(text, n)), grown(text, n), n / now)) for n in (now, count)],
        monitoring: [
            list(figures(yaml_parse(grown_monitoring(watching, n)), grown_monitoring(watching, n))) for n in (now, count)
        ],
    }
    for name, (present, then) in sizes.items():
        print(f"{name}: with {now} responders now, and with {count}")
        for (what, size, limit), (_, later, _) in zip(present, then, strict=True):
            step = (later - size) / (count - now)
            most = f"enough for {now + math.floor((limit - size) / step)} responders" if step >= 1 else "does not grow"
            print(f"  {size:>9,} {later:>9,} of {limit:>9,} {later / limit:>5.0%}  {what}: {most}")
            if size > limit or (limit in (RESOURCES, TEMPLATE_BYTES) and later > limit):
                yield f"{name}: {what}: {size} now and {later} with {count} responders, and AWS takes {limit}"
