//! The merged schema, and policies and facts held against it.

use std::collections::BTreeSet;
use std::path::Path;

use policy::{Fact, Facts, Nonconforming, Problem, ResourceKind, Schema, Source, check};

use crate::common::{Case, arn, open_group};

const REVOKE: &str = r#"
entity SecurityGroup in [Account] tags String;
action "revoke-open-ingress" appliesTo {
  principal: Actor,
  resource: SecurityGroup,
  context: { protocol: String, ipv4Percent: decimal, stack?: String, ports?: Set<Long> },
};"#;
const DISABLE: &str = r#"
type Key = { foreign: Bool };
entity SecurityGroup in [Account] tags String; // the same once more
action "disable-access-key" appliesTo { principal: [Actor], resource: [User, Root], context: Key };"#;

fn schema() -> Schema {
    Schema::merge([Source::new("revoke", REVOKE), Source::new("disable", DISABLE)]).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    let show = |problem: Problem| format!("{:?} {problem}", problem.level);
    check(&[Source::new("p", text)], &schema()).into_iter().map(show).collect()
}

#[test]
fn sound_policies_have_no_problem() {
    let text = r#"
@id("a") @limit("20/1h") permit (principal, action == Action::"revoke-open-ingress", resource)
when { context.ipv4Percent.greaterThan(decimal("0.39")) && context.severity >= 70 };
@id("b") forbid (principal in Account::"111122223333", action, resource)
when { resource.hasTag("team") && resource.getTag("team") == "lab" && context.now < datetime("2027-01-31") };
@id("c") forbid (principal == Role::"arn:aws:iam::111122223333:role/break-glass", action, resource)
unless { context has mfa && context.mfa };
@id("d") permit (principal is Root, action == Action::"disable-access-key", resource is Root) when { context.foreign };
@id("e") forbid (principal, action, resource) when { principal == resource };
@id("f") forbid (principal, action == Action::"revoke-open-ingress", resource)
when { context has stack && context.stack == "network" };"#;
    assert_eq!(problems(text), Vec::<String>::new());
}

#[test]
fn what_ships_has_no_problem() {
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"));
    let mut sources = policy::sources(shipped).unwrap();
    sources.extend(policy::sources(&shipped.join("examples")).unwrap());
    assert_eq!(check(&sources, &schema()), []);
}

#[test]
fn all_problems_are_found_each_at_its_place() {
    let text = r#"@id("a") permit (principal, action == Action::"revoke-open-ingres", resource);
@id("b") permit (principal, action == Action::"revoke-open-ingress", resource)
when { context.protocl == "tcp" };
@id("c") permit (principal, action == Action::"revoke-open-ingress", resource)
when { context.protocol == 3 };
@id("d") permit (principal, action == Action::"revoke-open-ingress", resource)
when { context.stack == "x" };
@id("e") permit (principal, action == Action::"disable-access-key", resource is SecurityGroup);
@id("f") forbid (principal == Role::"arn:aws:sts::111122223333:assumed-role/a/b", action, resource in Account::"prod");
@id("g") forbid (principal is Usr, action, resource);
@id("g") @lmit("1/1h") permit (principal, action, resource);"#;
    let found = problems(text);
    let expected = [
        "Error p:1:39: for policy `a`, unrecognized action `Action::\"revoke-open-ingres\"` (did you mean `Action::\"revoke-open-ingress\"`?)",
        "Error p:3:8: for policy `b`, attribute `protocl` in context for Action::\"revoke-open-ingress\" not found (did you mean `protocol`?)",
        "Error p:5:8: the types Long and String are not compatible (for policy `c`, ",
        "Error p:7:8: for policy `d`, unable to guarantee safety of access to optional attribute `stack`",
        "Warning p:8:1: for policy `e`, unable to find an applicable action",
        "Warning p:9:1: `Account::\"prod\"` is nobody (an account is its 12 digits)",
        "Warning p:9:1: `Role::\"arn:aws:sts::111122223333:assumed-role/a/b\"` is nobody (a role session is its role",
        "Error p:10:31: for policy `g`, unrecognized entity type `Usr` (did you mean `User`?)",
        "Error p:11:10: unknown annotation `@lmit` (did you mean @limit?)",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn a_text_that_cedar_refuses_does_not_hide_the_others() {
    let sources = [
        Source::new("1", "@id(\"a\") permit (principal, action == Action::\"nothing\", resource);"),
        Source::new("2", "permit (principal"),
        Source::new("3", "@id(\"b\") forbid (principal, action, resource) when { context.sevrity == 1 };"),
    ];
    let files: BTreeSet<String> = check(&sources, &schema()).into_iter().map(|problem| problem.file).collect();
    assert_eq!(files.into_iter().collect::<Vec<_>>(), ["1", "2", "3"]);
}

#[test]
fn a_long_chain_does_not_overflow_the_stack() {
    let chain = "context.severity == 1 || ".repeat(350);
    let text = format!("@id(\"a\") forbid (principal, action, resource) when {{ {chain} false }};");
    assert_eq!(problems(&text), Vec::<String>::new());
}

#[test]
fn fragments_that_do_not_fit_together_are_refused_with_their_place() {
    let refusal = |fragments: &[&str]| {
        let sources = fragments.iter().enumerate().map(|(number, text)| Source::new(number.to_string(), *text));
        let error = Schema::merge(sources).unwrap_err().to_string();
        error.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let action = |name: &str, resource: &str, context: &str| {
        format!("action \"{name}\" appliesTo {{ principal: Actor, resource: {resource}, context: {{ {context} }} }};")
    };
    let plain = action("a", "User", "");
    assert_eq!(refusal(&[&plain, &format!("\n{plain}")]), ["1:2:9: action `a` is declared twice (it is in 0:1 too)"]);
    assert_eq!(
        refusal(&["entity Key in [Account];", "entity Key in [User];"]),
        ["1:1:1: entity type `Key` is declared twice (it is in 0:1 too)"]
    );
    assert_eq!(
        refusal(&["entity User;"]),
        ["0:1:1: entity type `User` is declared twice (it is in base.cedarschema:9 too)"]
    );
    assert_eq!(
        refusal(&[&action("a", "User", "region: String, severity?: Long")]),
        [
            "0:1:69: action `a` declares `region` anew (every context has it already)",
            "0:1:85: action `a` declares `severity` anew (every context has it already)"
        ]
    );
    assert_eq!(
        refusal(&["action \"g\";\naction \"a\" in [\"g\"] appliesTo { principal: Actor, resource: User };"]),
        [
            "0:2:9: action `a` is in a group, and there are none (policies can list actions: \
             `action in [Action::\"a\", Action::\"b\"]`)",
            "0:1:9: action `g` applies to nothing",
        ]
    );
    assert_eq!(
        refusal(&["namespace Aws { entity Key; }"]),
        ["0:1:11: a namespace, `Aws` (all responders share one; write its contents alone)"]
    );
    assert_eq!(refusal(&["entity Key in [Account]", "entity"]).len(), 2);
    let unknown = refusal(&[&plain, &action("b", "Bukcet", "")]);
    assert!(unknown.first().unwrap().starts_with("1:1:52: failed to resolve type: Bukcet"), "{unknown:?}");
    assert_eq!(refusal(&[&"{".repeat(1000)]), ["0:1:25: more than 24 brackets within one another"]);
}

#[test]
fn facts_conform_to_their_schema_or_not() {
    let schema = schema();
    let with = |name: &'static str, fact: Fact| {
        let case = open_group();
        Case { facts: case.facts.clone().with(name, fact), ..case }
    };
    schema.conforms(&open_group().request()).unwrap();
    schema.conforms(&with("ports", BTreeSet::from([22_i64]).into()).request()).unwrap();

    let refused = |case: &Case| schema.conforms(&case.request()).unwrap_err();
    assert!(matches!(refused(&with("region", "x".into())), Nonconforming::Taken { fact: "region" }));
    let nan = refused(&with("ipv4Percent", Fact::Percent(f64::NAN)));
    assert!(matches!(nan, Nonconforming::NotANumber { fact: "ipv4Percent" }));
    for undeclared in [
        with("protocol", 6.into()),
        with("stak", "x".into()),
        Case { facts: Facts::new(), ..open_group() },
        Case { responder: "disable-access-key", ..open_group() },
        Case { responder: "nothing", ..open_group() },
        Case {
            resource: policy::Resource {
                kind: ResourceKind::new("Bucket"),
                arn: arn("arn:aws:s3:::bucket"),
                tags: None,
            },
            ..open_group()
        },
    ] {
        assert!(matches!(refused(&undeclared), Nonconforming::Undeclared(_)), "{undeclared:?}");
    }
}
