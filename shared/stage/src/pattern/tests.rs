//! The cases of AWS's documentation and of Event Ruler, and those our own patterns hang on.

use serde_json::{Value, json};

use super::{PatternError, matches};

#[track_caller]
fn yes(pattern: &Value, event: &Value) {
    assert_eq!(matches(pattern, event), Ok(true), "{pattern} should match {event}");
}

#[track_caller]
fn no(pattern: &Value, event: &Value) {
    assert_eq!(matches(pattern, event), Ok(false), "{pattern} should not match {event}");
}

fn opened(items: &Value) -> Value {
    json!({"detail": {"requestParameters": {"ipPermissions": {"items": items}}}})
}

#[test]
fn fields_of_one_array_element_have_to_agree() {
    let items = |from: u16, cidr: &str| json!({"fromPort": from, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}, {"cidrIp": cidr}]}});
    let pattern = opened(&json!({"fromPort": [22], "ipRanges": {"items": {"cidrIp": ["0.0.0.0/0"]}}}));
    yes(&pattern, &opened(&json!([items(80, "10.1.0.0/16"), items(22, "0.0.0.0/0")])));
    no(&pattern, &opened(&json!([items(80, "0.0.0.0/0"), items(22, "10.1.0.0/16")])));
}

#[test]
fn arrays_directly_in_arrays_count_too() {
    let pattern = json!({"a": {"b": [1], "c": [3]}});
    no(&pattern, &json!({"a": [[{"b": 1}], [{"b": 2, "c": 3}]]}));
    yes(&pattern, &json!({"a": [[{"b": 2}], [{"b": 1, "c": 3}]]}));
}

/// The example of Event Ruler's README: two arrays, whose elements must not be mixed.
#[test]
fn a_band_member_plays_his_own_instrument() {
    let pattern = json!({"bands": {"members": {"given": ["Paul"], "surname": ["McCartney"], "instrument": ["bass"]}}});
    let event = |instrument: &str| {
        json!({"bands": [
            {"name": "The Who", "members": [{"given": "John", "surname": "Entwistle", "instrument": "bass"}]},
            {"name": "The Beatles", "members": [{"given": "Paul", "surname": "McCartney", "instrument": instrument}]}
        ]})
    };
    yes(&pattern, &event("bass"));
    no(&pattern, &event("drums"));
}

#[test]
fn an_array_of_scalars_is_a_field_of_several_values() {
    let event = json!({"resources": ["a", "b"], "codes": [1, null]});
    yes(&json!({"resources": ["b", "c"]}), &event);
    no(&json!({"resources": ["c"]}), &event);
    yes(&json!({"codes": [null]}), &event);
    yes(&json!({"resources": [{"anything-but": ["a"]}]}), &event);
    no(&json!({"resources": [{"anything-but": ["a", "b"]}]}), &event);
}

#[test]
fn values_are_compared_with_their_type() {
    no(&json!({"x": ["1"]}), &json!({"x": 1}));
    no(&json!({"x": ["true"]}), &json!({"x": true}));
    yes(&json!({"x": [""]}), &json!({"x": ""}));
    no(&json!({"x": [""]}), &json!({"x": null}));
    yes(&json!({"x": [300]}), &json!({"x": 300.0}));
    no(&json!({"x": [9_007_199_254_740_993_i64]}), &json!({"x": 9_007_199_254_740_992_i64}));
    yes(&json!({"x": ["2001:db8::1"]}), &json!({"x": "2001:0db8:0::1"}));
}

#[test]
fn exists_asks_for_leaves() {
    let absent = json!({"detail": {"errorCode": [{"exists": false}]}});
    yes(&absent, &json!({"detail": {"eventName": "x"}}));
    yes(&absent, &json!({"other": 1}));
    no(&absent, &json!({"detail": {"errorCode": "AccessDenied"}}));
    no(&absent, &json!({"detail": {"errorCode": null}}));
    yes(&absent, &json!({"detail": {"errorCode": {}}}));
    yes(&absent, &json!({"detail": {"errorCode": []}}));
    let present = json!({"detail": {"errorCode": [{"exists": true}]}});
    yes(&present, &json!({"detail": {"errorCode": null}}));
    no(&present, &json!({"detail": {"errorCode": {"inner": 1}}}));
}

#[test]
fn absence_can_be_one_of_several_choices() {
    let pattern = json!({"state": [{"exists": false}, "running"], "id": ["i"]});
    yes(&pattern, &json!({"id": "i"}));
    yes(&pattern, &json!({"id": "i", "state": "running"}));
    no(&pattern, &json!({"id": "i", "state": "stopped"}));
}

/// Ruler asks for absence in the element the fields before it were found in.
#[test]
fn absence_is_judged_within_the_element() {
    let pattern = json!({"items": {"from": [22], "source": [{"exists": false}]}});
    yes(&pattern, &json!({"items": [{"from": 80, "source": "x"}, {"from": 22}]}));
    no(&pattern, &json!({"items": [{"from": 80}, {"from": 22, "source": "x"}]}));
}

#[test]
fn text_operators() {
    yes(&json!({"r": [{"prefix": "eu-"}]}), &json!({"r": "eu-west-1"}));
    no(&json!({"r": [{"prefix": "eu-"}]}), &json!({"r": "us-eu-"}));
    yes(&json!({"s": [{"prefix": {"equals-ignore-case": "EventB"}}]}), &json!({"s": "eventbridge"}));
    yes(&json!({"f": [{"suffix": ".png"}]}), &json!({"f": "a.png"}));
    yes(&json!({"f": [{"suffix": {"equals-ignore-case": ".PNG"}}]}), &json!({"f": "a.png"}));
    yes(&json!({"n": [{"equals-ignore-case": "alice"}]}), &json!({"n": "ALICE"}));
    no(&json!({"n": [{"prefix": "1"}]}), &json!({"n": 12}));
}

#[test]
fn wildcards() {
    let path = |pattern: &str| json!({"p": [{"wildcard": pattern}]});
    yes(&path("dir/*/file"), &json!({"p": "dir/a/b/file"}));
    no(&path("dir/*/file"), &json!({"p": "dir/file"}));
    yes(&path("*"), &json!({"p": ""}));
    no(&path("a*a"), &json!({"p": "a"}));
    yes(&path("*ab*b"), &json!({"p": "abab"}));
    yes(&path("plain"), &json!({"p": "plain"}));
    no(&path("plain"), &json!({"p": "plainer"}));
    yes(&path(r"a\*b\\*"), &json!({"p": r"a*b\c"}));
    no(&path(r"a\*b"), &json!({"p": "axb"}));
}

#[test]
fn anything_but() {
    let but = |operand: Value| json!({"x": [{"anything-but": operand}]});
    yes(&but(json!("a")), &json!({"x": "b"}));
    no(&but(json!("a")), &json!({"x": "a"}));
    no(&but(json!([100, 200])), &json!({"x": 200.0}));
    yes(&but(json!([100, 200])), &json!({"x": "200"}));
    no(&but(json!("a")), &json!({"y": "b"}));
    yes(&but(json!("a")), &json!({"x": null}));
    no(&but(json!({"prefix": "us-"})), &json!({"x": "us-east-1"}));
    yes(&but(json!({"prefix": ["us-", "eu-"]})), &json!({"x": "ap-east-1"}));
    no(&but(json!({"suffix": [".png", ".jpg"]})), &json!({"x": "a.jpg"}));
    no(&but(json!({"equals-ignore-case": ["initializing"]})), &json!({"x": "INITIALIZING"}));
    no(&but(json!({"wildcard": "*/lib/*"})), &json!({"x": "/usr/lib/x"}));
    yes(&but(json!({"wildcard": ["*/lib/*", "*/bin/*"]})), &json!({"x": "/etc"}));
}

#[test]
fn numbers_and_addresses() {
    let count = |terms: Value| json!({"n": [{"numeric": terms}]});
    yes(&count(json!([">", 0, "<=", 5])), &json!({"n": 5}));
    no(&count(json!([">", 0, "<=", 5])), &json!({"n": 0}));
    yes(&count(json!(["=", 301.8])), &json!({"n": 3.018e2}));
    yes(&count(json!(["<", -1])), &json!({"n": -1.5}));
    no(&count(json!(["<", 10])), &json!({"n": "5"}));
    let from = |cidr: &str| json!({"ip": [{"cidr": cidr}]});
    yes(&from("10.0.0.0/24"), &json!({"ip": "10.0.0.255"}));
    no(&from("10.0.0.0/24"), &json!({"ip": "10.0.1.0"}));
    yes(&from("0.0.0.0/0"), &json!({"ip": "203.0.113.1"}));
    yes(&from("2001:db8::/32"), &json!({"ip": "2001:db8:1::"}));
    no(&from("0.0.0.0/0"), &json!({"ip": "2001:db8::1"}));
    no(&from("0.0.0.0/0"), &json!({"ip": "eks.amazonaws.com"}));
}

#[test]
fn or_chooses_between_objects_and_keeps_what_is_beside_it() {
    let pattern = json!({
        "source": ["aws.cloudwatch"],
        "$or": [
            {"metricName": ["CPUUtilization", "ReadLatency"]},
            {"metricType": ["MetricType"], "namespace": ["AWS/EC2"], "$or": [{"metricId": [1234]}, {"spaceId": [1000]}]},
            {"scope": ["Service"]}
        ]
    });
    yes(&pattern, &json!({"source": "aws.cloudwatch", "metricName": "ReadLatency"}));
    yes(
        &pattern,
        &json!({"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/EC2", "spaceId": 1000}),
    );
    no(&pattern, &json!({"source": "aws.cloudwatch", "metricType": "MetricType", "namespace": "AWS/EC2"}));
    no(&pattern, &json!({"source": "aws.ec2", "scope": "Service"}));
    let nested = json!({"detail": {"$or": [{"a": [1]}, {"b": {"c": [{"exists": false}]}}]}});
    yes(&nested, &json!({"detail": {"a": 2}}));
    no(&nested, &json!({"detail": {"a": 2, "b": {"c": 1}}}));
}

#[test]
fn what_aws_refuses_is_an_error() {
    let refused = [
        json!([]),
        json!({}),
        json!({"x": "a"}),
        json!({"x": {}}),
        json!({"x": []}),
        json!({"x": [["a"]]}),
        json!({"x": [{}]}),
        json!({"x": [{"prefix": "a", "suffix": "b"}]}),
        json!({"x": [{"prefx": "a"}]}),
        json!({"x": [{"shellstyle": "a*"}]}),
        json!({"x": [{"prefix": 1}]}),
        json!({"x": [{"prefix": {"wildcard": "a"}}]}),
        json!({"x": [{"exists": "true"}]}),
        json!({"x": [{"wildcard": "a**"}]}),
        json!({"x": [{"wildcard": r"a\b"}]}),
        json!({"x": [{"numeric": [">"]}]}),
        json!({"x": [{"numeric": ["<", 5, ">", 0]}]}),
        json!({"x": [{"numeric": [">", 5, "<", 0]}]}),
        json!({"x": [{"numeric": ["!=", 5]}]}),
        json!({"x": [{"numeric": [">", "5"]}]}),
        json!({"x": [{"numeric": [">", 6_000_000_000_u64]}]}),
        json!({"x": [{"cidr": "10.0.0.0"}]}),
        json!({"x": [{"cidr": "10.0.0.0/32"}]}),
        json!({"x": [{"cidr": "ten/8"}]}),
        json!({"x": [{"anything-but": []}]}),
        json!({"x": [{"anything-but": [1, "a"]}]}),
        json!({"x": [{"anything-but": true}]}),
        json!({"x": [{"anything-but": {"exists": true}}]}),
        json!({"x": [{"anything-but": {"prefix": ""}}]}),
        json!({"$or": [{"x": ["a"]}]}),
        json!({"$or": {"x": ["a"]}}),
        json!({"$or": [{"x": ["a"]}, "y"]}),
        json!({"$or": [{"prefix": ["a"]}, {"x": ["b"]}]}),
        json!({"x": ["a"], "$or": [{"x": ["b"]}, {"y": ["c"]}]}),
    ];
    for pattern in refused {
        let judged = matches(&pattern, &json!({"x": "a"}));
        assert!(judged.is_err(), "{pattern} should be refused, but was judged {judged:?}");
    }
}

#[test]
fn an_error_says_where() {
    let error = matches(&json!({"detail": {"eventName": [{"prefx": "a"}]}}), &json!({})).unwrap_err();
    let expected = PatternError::UnknownOperator { path: "detail.eventName".to_owned(), operator: "prefx".to_owned() };
    assert_eq!(error, expected);
    assert_eq!(matches(&json!({"x": ["a"]}), &json!("x")), Err(PatternError::EventNotAnObject));
}
