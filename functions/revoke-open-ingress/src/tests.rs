use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use remedy::{State, Status};
use serde_json::{Value, json};
use testkit::{Bench, Journal, World, check_laws, event};

use super::*;
use crate::rule::{PrefixListId, Protocol, Tuple};

/// One region's security groups, as far as the responder can tell.
#[derive(Debug, Clone)]
struct Ec2 {
    group: Rc<RefCell<Group>>,
    journal: Journal,
}

impl Ec2 {
    fn record(&self, name: &str, request: &Value, response: &Value) -> Value {
        json!({
            "eventID": format!("own-{}", self.journal.writes()), "eventSource": "ec2.amazonaws.com", "eventName": name,
            "eventTime": "2026-11-22T07:00:05Z", "awsRegion": "eu-west-1", "recipientAccountId": "123456789012",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/f/f"},
            "requestParameters": request, "responseElements": response,
        })
    }
}

impl SecurityGroups for Ec2 {
    async fn describe(&self, group: GroupRef<'_>) -> Result<Option<Group>, CallError> {
        self.journal.read("ec2:DescribeSecurityGroups");
        self.journal.read("ec2:DescribeSecurityGroupRules");
        let found = self.group.borrow();
        let is_it = match group {
            GroupRef::Id(id) => *id == found.id,
            GroupRef::Name(name) => {
                self.journal.read("ec2:DescribeVpcs");
                name == found.name
            }
        };
        if found.rules.iter().any(|rule| matches!(rule.tuple.source, Source::PrefixList(_))) {
            self.journal.read("ec2:GetManagedPrefixListEntries");
        }
        Ok(is_it.then(|| found.clone()))
    }

    async fn revoke(&self, rule: &Rule) -> Result<Applied, CallError> {
        let request = json!({"groupId": rule.group, "securityGroupRuleIds": {"items": [rule.id]}});
        let record = self.record("RevokeSecurityGroupIngress", &request, &json!({"_return": true}));
        self.journal.write("ec2:RevokeSecurityGroupIngress", record)?;
        let mut group = self.group.borrow_mut();
        let before = group.rules.len();
        group.rules.retain(|live| live.id != rule.id);
        Ok(if group.rules.len() < before { Applied::Changed } else { Applied::AlreadySo })
    }

    async fn authorize(&self, rule: &Rule) -> Result<Applied, CallError> {
        let id = RuleId(format!("sgr-new{}", self.journal.writes()));
        let Tuple { protocol, ports, source } = &rule.tuple;
        let made = json!({"securityGroupRuleId": id, "groupId": rule.group, "isEgress": false,
            "ipProtocol": protocol, "fromPort": ports.map(|it| it.0), "toPort": ports.map(|it| it.1),
            "cidrIpv4": source.to_string()});
        let answer = json!({"_return": true, "securityGroupRuleSet": {"items": [made]}});
        let record = self.record("AuthorizeSecurityGroupIngress", &json!({"groupId": rule.group}), &answer);
        self.journal.write("ec2:AuthorizeSecurityGroupIngress", record)?;
        self.journal.read("ec2:CreateTags");
        self.group.borrow_mut().rules.push(Rule { id, ..rule.clone() });
        Ok(Applied::Changed)
    }
}

impl World for Ec2 {
    type State = Vec<String>;

    fn state(&self) -> Self::State {
        let group = self.group.borrow();
        let mut rules: Vec<_> =
            group.rules.iter().map(|rule| format!("{} {:?} {:?}", rule.tuple, rule.description, rule.tags)).collect();
        rules.sort();
        rules
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }
}

fn tuple(protocol: &str, ports: Option<(u16, u16)>, cidr: &str) -> Tuple {
    Tuple {
        protocol: Protocol::from(protocol.to_owned()),
        ports,
        source: Source::Cidr(cidr.parse::<ipnet::IpNet>().unwrap().trunc()),
    }
}

fn rule(id: &str, tuple: Tuple) -> Rule {
    let tags = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
    Rule {
        id: RuleId(id.to_owned()),
        group: GroupId("sg-1".to_owned()),
        tuple,
        description: Some("for the demo".to_owned()),
        tags,
    }
}

fn group(rules: Vec<Rule>) -> Group {
    Group {
        id: GroupId("sg-1".to_owned()),
        owner: None,
        name: "web".to_owned(),
        vpc: Some("vpc-1".to_owned()),
        tags: BTreeMap::from([("team".to_owned(), "web".to_owned())]),
        rules,
        prefix_lists: BTreeMap::from([(PrefixListId("pl-wide".to_owned()), vec!["0.0.0.0/1".parse().unwrap()])]),
    }
}

fn ec2(rules: Vec<Rule>) -> Ec2 {
    Ec2 { group: Rc::new(RefCell::new(group(rules))), journal: Journal::default() }
}

/// What EC2 holds after the call: its rules, beside one that nobody should touch.
fn after(event: &Event) -> (Ec2, RevokeOpenIngress<Ec2>) {
    let opened = called::read(event.call().unwrap()).unwrap().unwrap();
    let mut live = presumed(&opened);
    for (index, rule) in live.rules.iter_mut().enumerate() {
        if rule.id.0.starts_with("rule id") {
            rule.id = RuleId(format!("sgr-live{index}"));
        }
        rule.description = Some("as it was".to_owned());
        rule.tags.insert("ticket".to_owned(), "OPS-1".to_owned());
        if let Source::PrefixList(id) = &rule.tuple.source {
            live.prefix_lists.insert(id.clone(), vec!["0.0.0.0/1".parse().unwrap()]);
        }
    }
    live.rules
        .push(Rule { group: live.id.clone(), ..rule("sgr-office", tuple("tcp", Some((22, 22)), "198.18.0.0/24")) });
    live.rules.push(Rule { group: live.id.clone(), ..rule("sgr-vpn", tuple("tcp", Some((22, 22)), "85.1.2.3/32")) });
    let world = Ec2 { group: Rc::new(RefCell::new(live)), journal: Journal::default() };
    (world.clone(), RevokeOpenIngress(world))
}

fn fixtures(folder: &str, prefix: &str) -> Vec<(String, Event)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(folder);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut events = Vec::new();
    for path in files.into_iter().filter(|path| name(path).starts_with(prefix)) {
        events.push((name(&path), event(&std::fs::read_to_string(&path).unwrap())));
    }
    assert!(!events.is_empty());
    events
}

#[test]
fn keeps_the_laws() {
    let wide_by_itself = |(name, event): (String, Event)| {
        let found = RevokeOpenIngress::<Ec2>::detect(&event).unwrap();
        assert_eq!(found.len(), 1, "{name} is a finding");
        (found[0].certainty == Certainty::Event || name == "prefix-list.json").then_some(event)
    };
    let events: Vec<Event> = fixtures("match", "").into_iter().filter_map(wide_by_itself).collect();
    assert!(events.len() > 8, "{}", events.len());
    check_laws(after, &events);
}

#[test]
fn what_is_to_be_ignored_is_no_finding() {
    for (name, event) in fixtures("ignore", "") {
        let found = RevokeOpenIngress::<Ec2>::detect(&event).unwrap();
        assert_eq!(found, [], "{name}");
    }
}

fn authorize(rules: &[(&str, &str, u16, u16, &str)]) -> Event {
    let items: Vec<Value> = rules
        .iter()
        .map(|(id, protocol, from, to, cidr)| {
            let family = if cidr.contains(':') { "cidrIpv6" } else { "cidrIpv4" };
            json!({"securityGroupRuleId": id, "groupId": "sg-1", "isEgress": false, "ipProtocol": protocol,
                "fromPort": from, "toPort": to, family: cidr})
        })
        .collect();
    event(
        &json!({
            "eventID": "e-1", "eventTime": "2026-11-22T07:00:00Z", "eventSource": "ec2.amazonaws.com",
            "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012", "userIdentity": {"type": "Root", "accountId": "123456789012"},
            "requestParameters": {"groupId": "sg-1", "ipPermissions": {}},
            "responseElements": {"_return": true, "securityGroupRuleSet": {"items": items}}
        })
        .to_string(),
    )
}

/// Which rules are left in a group that holds `others` after the function has seen the call that made `called`.
fn left(called: &[(&str, &str, u16, u16, &str)], others: Vec<Rule>) -> (Vec<String>, Option<Status>) {
    let event = authorize(called);
    let mut rules = others;
    for (id, protocol, from, to, cidr) in called {
        rules.push(rule(id, tuple(protocol, Some((*from, *to)), cidr)));
    }
    let ec2 = ec2(rules);
    let responded = Bench::enforcing().deliver(&RevokeOpenIngress(ec2.clone()), &event, "a");
    assert!(responded.failure.is_none(), "{:?}", responded.failure);
    let left = ec2.group.borrow().rules.iter().map(|rule| rule.id.0.clone()).collect();
    (left, responded.outcomes.first().map(|outcome| outcome.status))
}

#[test]
fn only_the_rule_with_the_sensitive_port_goes() {
    let (left, status) = left(&[("web", "tcp", 80, 80, "0.0.0.0/0"), ("ssh", "tcp", 22, 22, "0.0.0.0/0")], vec![]);
    assert_eq!((left, status), (vec!["web".to_owned()], Some(Status::Contained)));
}

#[test]
fn two_calls_that_are_harmless_alone_are_not_together() {
    let first = rule("first", tuple("tcp", Some((20, 30)), "11.0.0.0/8"));
    let (left, status) = left(&[("second", "tcp", 22, 22, "12.0.0.0/8")], vec![first]);
    assert_eq!((left, status), (vec!["first".to_owned()], Some(Status::Contained)));
}

#[test]
fn a_small_rule_beside_an_old_wide_one_stays() {
    let old = rule("old", tuple("tcp", Some((22, 22)), "0.0.0.0/0"));
    let (left, status) = left(&[("office", "tcp", 22, 22, "85.1.2.3/32")], vec![old]);
    assert_eq!((left.len(), status), (2, Some(Status::AlreadySafe)));
}

/// More than any group can hold. Counted rule by rule this takes minutes in a debug build.
#[test]
fn two_thousand_parts_are_judged_at_once() {
    let blocks: Vec<String> = (0..2_000).map(|part| format!("{}.{}.0.0/16", 11 + part / 256, part % 256)).collect();
    let called: Vec<_> = blocks.iter().map(|block| ("part", "-1", 0, u16::MAX, block.as_str())).collect();
    let event = authorize(&called);
    let began = std::time::Instant::now();
    assert_eq!(RevokeOpenIngress::<Ec2>::detect(&event).unwrap().len(), 1);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn other_ports_and_protocols_do_not_add_up() {
    let others = vec![
        rule("udp", tuple("udp", Some((22, 22)), "12.0.0.0/8")),
        rule("https", tuple("tcp", Some((443, 443)), "13.0.0.0/8")),
    ];
    let (left, status) = left(&[("ssh", "tcp", 22, 22, "11.0.0.0/8")], others);
    assert_eq!((left.len(), status), (3, Some(Status::AlreadySafe)));
}

#[test]
fn a_rule_that_a_person_has_narrowed_stands() {
    let event = authorize(&[("ssh", "tcp", 22, 22, "0.0.0.0/0")]);
    let ec2 = ec2(vec![rule("ssh", tuple("tcp", Some((22, 22)), "85.1.2.0/24"))]);
    let responded = Bench::enforcing().deliver(&RevokeOpenIngress(ec2.clone()), &event, "a");
    assert_eq!(responded.outcomes[0].status, Status::AlreadySafe);
    assert_eq!(ec2.journal.writes(), 0);
}

/// EC2 takes any text for the key of a tag, and `serde_json` obeys this one if its feature `raw_value` is on anywhere.
#[test]
fn no_tag_makes_the_record_unreadable() {
    let ec2 = ec2(vec![rule("ssh", tuple("tcp", Some((22, 22)), "0.0.0.0/0"))]);
    ec2.group.borrow_mut().tags.insert("$serde_json::private::RawValue".to_owned(), "no JSON".to_owned());
    let bench = Bench::enforcing();
    bench.deliver(&RevokeOpenIngress(ec2.clone()), &authorize(&[("ssh", "tcp", 22, 22, "0.0.0.0/0")]), "a");
    let incident = bench.ledger.incidents().remove(0);
    assert_eq!(incident.state, State::Contained);
    bench.undo(&RevokeOpenIngress(ec2), incident).unwrap();
}

#[test]
fn undo_refuses_when_somebody_has_opened_it_again_in_another_way() {
    let event = authorize(&[("ssh", "tcp", 22, 22, "0.0.0.0/0")]);
    let (world, responder) = after(&event);
    let bench = Bench::enforcing();
    bench.deliver(&responder, &event, "a");
    let incident = bench.ledger.incidents().remove(0);
    assert_eq!(incident.state, State::Contained);
    // Put back by hand: there is nothing left to undo, and the undo says so.
    let back = rule("sgr-by-hand", tuple("tcp", Some((22, 22)), "0.0.0.0/0"));
    world.group.borrow_mut().rules.push(back);
    let report = bench.undo(&responder, incident).unwrap();
    assert_eq!((report.did.len(), report.already.len()), (0, 1));
}

#[test]
fn a_call_without_a_group_is_refused_loudly() {
    let event = event(
        &json!({"eventID": "e", "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
            "awsRegion": "eu-west-1", "recipientAccountId": "123456789012", "requestParameters": {"omitted": true}})
        .to_string(),
    );
    let error = RevokeOpenIngress::<Ec2>::detect(&event).unwrap_err();
    assert!(matches!(error, EventError::NoResource { .. }), "{error}");
}

proptest! {
    #[test]
    fn a_split_of_everything_is_always_found(cuts in prop::collection::btree_set(1_u32..=u32::MAX, 0..40), port in prop::sample::select(rule::SENSITIVE_PORTS.to_vec())) {
        let mut starts = vec![0];
        starts.extend(cuts);
        let ends: Vec<u32> = starts.iter().skip(1).map(|start| start - 1).chain([u32::MAX]).collect();
        let nets: Vec<String> = starts.iter().zip(ends)
            .flat_map(|(first, last)| ipnet::Ipv4Subnets::new((*first).into(), last.into(), 0))
            .map(|net| net.to_string()).collect();
        let called: Vec<_> = nets.iter().map(|net| ("x", "tcp", port, port, net.as_str())).collect();
        let found = RevokeOpenIngress::<Ec2>::detect(&authorize(&called)).unwrap();
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].certainty, Certainty::Event);
    }

    #[test]
    fn any_parameters_are_judged_or_refused(name in "(AuthorizeSecurityGroupIngress|ModifySecurityGroupRules)", text in "[\\[\\]{}\":a-zA-Z0-9, ./-]{0,80}") {
        let parameters: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let record = json!({"eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "eu-west-1",
            "recipientAccountId": "123456789012", "requestParameters": parameters});
        let _judged = RevokeOpenIngress::<Ec2>::detect(&Event::decode(record).unwrap());
    }
}
