//! The files that are read, with the places of what is in them.

use serde_json::{Value, json};

use crate::found::{gzip, read};

fn record(id: &str) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": id, "eventSource": "iam.amazonaws.com", "eventName": "CreateUser",
        "awsRegion": "us-east-1", "recipientAccountId": "123456789012"
    })
}

fn unwanted() -> Value {
    let mut record = record("z");
    record["eventName"] = "GetUser".into();
    record
}

fn found(text: &str) -> Vec<String> {
    read(text.as_bytes()).0.lines()
}

#[test]
fn every_shape_is_read() {
    let (a, b) = (record("a"), record("b"));
    let envelope = json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "account": "123456789012",
        "id": "e", "region": "us-east-1", "resources": [], "detail": a});
    assert_eq!(found(&a.to_string()), ["a f:1"]);
    assert_eq!(found(&format!("{envelope:#}")), ["a f:1"]);
    assert_eq!(found(&format!("\u{feff}{a}\n\n{b}\n")), ["a f:1", "b f:3"]);
    assert_eq!(found(&format!("{a:#}\n{b:#}")), ["a f:1", "b f:9"]);
    assert_eq!(found(&json!({"Records": [a, b]}).to_string()), ["a f:1, record 1", "b f:1, record 2"]);
    assert_eq!(found(&format!("{:#}", json!({"Records": [a, b]}))), ["a f:3, record 1", "b f:11, record 2"]);
    assert_eq!(found(&json!([a, b]).to_string()), ["a f:1, record 1", "b f:1, record 2"]);
    assert_eq!(found(&format!("{:#}", json!({"A": 1, "Records": [a]}))), ["a f:4, record 1"]);
    let looked_up = json!({"Events": [{"CloudTrailEvent": a.to_string()}]});
    assert_eq!(found(&looked_up.to_string()), ["a f:1, record 1"]);
    assert_eq!(found(&format!("{:#}", json!({"A": 1, "Events": looked_up["Events"]}))), ["a f:4, record 1"]);
    assert!(found(r#"{"Records": []}"#).is_empty());
}

#[test]
fn gzip_is_read_with_any_number_of_members() {
    let text = json!({"Records": [record("a"), record("b")]}).to_string();
    let (begin, end) = text.as_bytes().split_at(150);
    let both = [gzip(begin), gzip(end), vec![0; 20]].concat();
    assert_eq!(read(&both).0.lines(), ["a f:1, record 1", "b f:1, record 2"]);
    // Whoever takes the last length for that of all reads half of this.
    let twice = [gzip(text.as_bytes()), gzip(text.as_bytes())].concat();
    let (found, totals) = read(&twice);
    assert_eq!(found.lines(), ["a f:1, record 1", "b f:1, record 2", "a f:1, record 1", "b f:1, record 2"]);
    assert_eq!((totals.files, totals.compressed, totals.raw), (1, twice.len() as u64, 2 * text.len() as u64));
}

#[test]
fn what_is_no_call_is_handed_over_whatever_it_names() {
    let notice = json!({"detail-type": "AWS Health Event", "source": "aws.health", "account": "123456789012", "id": "h",
        "region": "us-east-1", "resources": [],
        "detail": {"eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED", "service": "RISK", "x": {"eventName": "GetUser"}}});
    assert_eq!(found(&notice.to_string()), ["h f:1"]);
    assert_eq!(found(&json!({"Records": [notice]}).to_string()), ["h f:1, record 1"]);
}

#[test]
fn all_records_are_counted_and_only_the_wanted_parsed() {
    let broken_but_unwanted = unwanted().to_string().replace("null", "nul");
    let text = format!(r#"{{"Records":[{broken_but_unwanted},{},{}]}}"#, record("a"), unwanted());
    let (found, totals) = read(text.as_bytes());
    assert_eq!((found.lines(), totals.records, totals.wanted), (vec!["a f:1, record 2".to_owned()], 3, 1));
}

#[test]
fn a_mistake_has_its_place_and_hides_nothing_else() {
    let (a, b) = (record("a"), record("b"));
    let not_json = |text: &str| found(text).into_iter().filter(|line| line.contains(": ")).collect::<Vec<_>>();
    assert_eq!(found(&format!("{a}\n{{\"x\": }}\n{b}\n")), ["a f:1", "b f:3", "f:2: this is not JSON: expected value"]);
    assert_eq!(not_json("{\n\"x\":\n}"), ["f:1: this is not JSON: expected value"]);
    let mixed = json!({"Records": [a, 1]}).to_string();
    assert_eq!(found(&mixed), ["a f:1, record 1", "f:1, record 2: this is no event we know how to read"]);
    assert_eq!(found(r#"{"Records": {}}"#), ["f:1: `Records` is not what it is in CloudTrail's files"]);
    assert_eq!(
        found(r#"{"Events": [{"CloudTrailEvent": 1}]}"#),
        ["f:1, record 1: `CloudTrailEvent` is not what it is in CloudTrail's files"]
    );
    assert_eq!(found(" \n"), ["`f` holds no event"]);
    assert_eq!(found("no JSON"), ["f:1: `n` should not be here"]);
    assert_eq!(
        found(&format!(r#"{{"Records":[{a} {b}]}}"#)),
        ["a f:1, record 1", "f:1, record 2: `{` should not be here"]
    );
}

#[test]
fn a_line_that_is_cut_off_hides_no_other() {
    let (a, b) = (record("a").to_string(), record("b").to_string());
    let ((cut, _), (in_string, _)) = (a.split_at(a.len() - 1), a.split_at(a.len() - 5));
    for broken in [cut, in_string, "{\"x\":{\"y\":[", "{"] {
        for (before, behind) in [(&a, &b), (&a, &unwanted().to_string())] {
            let text = format!("{before}\n{broken}\n{behind}\n{b}\n{broken}\n{b}");
            let lines = found(&text);
            let ids: Vec<&str> = lines.iter().filter_map(|line| line.split_once(" f:")).map(|(id, _)| id).collect();
            let expected: &[&str] = if behind == &b { &["a", "b", "b", "b"] } else { &["a", "b", "b"] };
            assert_eq!(ids, expected, "{text}: {lines:?}");
            assert!(lines.iter().any(|line| line.starts_with("f:2: ")), "{text}: {lines:?}");
            assert!(lines.iter().any(|line| line.starts_with("f:5: ")), "{text}: {lines:?}");
        }
    }
}

#[test]
fn lines_that_seem_to_be_one_value_are_read_one_by_one_if_it_is_none() {
    let (a, b) = (record("a"), record("b"));
    // The last line closes what the first leaves open.
    for (open, close) in [("{\"x\":{", "}}"), ("{\"x\":\"", "\"}")] {
        let lines = found(&format!("{open}\n{a}\n{b}\n{close}\n{a}"));
        assert_eq!(lines[..3], ["a f:2", "b f:3", "a f:5"], "{lines:?}");
        assert!(lines[3].starts_with("f:1: this is not JSON"), "{lines:?}");
    }
    let many = format!("{a}\n").repeat(8_000);
    assert!(many.len() > 1 << 20);
    let (found_in_many, _) = read(format!("{{\"x\":{{\n{many}}}}}\n{b}").as_bytes());
    assert_eq!(found_in_many.events.len(), 8_001);
    assert_eq!(found_in_many.problems[0].to_string(), "f:1: this is larger than any record");
    // Behind a line that lacks its end, none begins a value of several lines.
    let lines = found(&format!("{{\"x\":[{{\n{{\"y\":\n{a}\n}}"));
    assert_eq!(lines, ["a f:3", "f:1: this ends too early", "f:2: this ends too early", "f:4: `}` should not be here"]);
}

#[test]
fn a_record_is_one_whatever_else_it_holds() {
    let odd = record("a").to_string().replace("\"}", &format!("\",\"Records\":[{}],\"Events\":[]}}", record("b")));
    assert_eq!(found(&odd), ["a f:1"]);
}

#[test]
fn problems_are_named_up_to_a_number_and_then_counted() {
    let (found, totals) = read("{\"x\": }\n".repeat(50).as_bytes());
    assert_eq!((found.problems.len(), totals.problems), (21, 50));
    assert_eq!(found.problems[20].to_string(), "`f` has 30 more problems like these");
}
