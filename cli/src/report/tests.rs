//! Reports on incidents whose every text was written by an attacker.

use hostile_text::visible;
use proptest::prelude::*;
use serde_json::json;

use super::row::{Row, Undo, parse};
use super::*;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// An incident that says `text` wherever an event, a policy or a person can say something.
fn says(text: &str) -> Row {
    serde_json::from_value(json!({
        "incident": text, "state": "undone", "opened": "2026-11-20T10:00:03Z", "responder": text, "event_id": text,
        "event_name": text, "event_time": "2026-11-20T10:00:00Z", "account": text, "region": text, "actor": text,
        "resource": format!("arn:aws:ec2:eu-west-1:123456789012:security-group/{text}"), "certainty": "event",
        "severity": 70, "verdict": text, "policies": [text], "because": text, "contained": "2026-11-20T10:00:04Z",
        "undone": { "by": text, "at": "2026-11-20T11:00:00Z", "forced": true }, "error": text,
        "answer": { "approved": true, "by": text, "at": "2026-11-20T10:00:02Z", "reason": text },
        "source_ip": "203.0.113.9", "user_agent": text, "tags": { (text): text },
        "identity": { "principal": { "federated": text }, "account": "123456789012", "session": text,
            "accessKeyId": text, "invokedBy": text, "mfa": false },
        "causes": [{ "id": text, "reason": text }], "facts": { (text): [text, 1] }, "before": { (text): [text] },
        "plan": [{ (text): text }, text],
        "receipt": [{ "key": text, "did": text, "change": { (text): text }, "at": "2026-11-20T10:00:04Z",
            "presumed": true, "undone": "2026-11-20T11:00:00Z" }],
    }))
    .unwrap()
}

fn report(rows: Vec<Row>) -> Report {
    let (from, to) = (time("2026-11-01T00:00:00Z"), time("2026-12-01T00:00:00Z"));
    Report::of(rows, (from, to), to, "the table incidents".to_owned())
}

/// The page without texts and without the values of attributes: what a browser builds from it.
fn skeleton(page: &str) -> String {
    let (mut is_tag, mut is_quoted) = (false, false);
    let keep = |char: &char| match (is_tag, is_quoted, char) {
        (false, _, '<') | (true, false, '>') => {
            is_tag = !is_tag;
            true
        }
        (true, _, '"') => {
            is_quoted = !is_quoted;
            true
        }
        _ => is_tag && !is_quoted,
    };
    page.chars().filter(keep).collect()
}

/// The values of all attributes.
fn attributes(page: &str) -> Vec<String> {
    let (mut is_tag, mut values) = (false, vec![]);
    let mut open: Option<String> = None;
    for char in page.chars() {
        match (&mut open, char) {
            (Some(_), '"') => values.extend(open.take()),
            (Some(value), _) => value.push(char),
            (None, '"') if is_tag => open = Some(String::new()),
            (None, '<') => is_tag = true,
            (None, '>') => is_tag = false,
            (None, _) => {}
        }
    }
    values
}

fn body(page: &str) -> &str {
    page.split_once("</head>").unwrap().1
}

/// Any text, rich in what matters to HTML, CSV and terminals.
fn hostile() -> impl Strategy<Value = String> {
    let odd = "<>\"'&`=/!-+@|\\;:,#%(){}[]\u{0}\t\n\r\u{1b}\u{7f}\u{85}\u{200b}\u{202e}\u{2028}\u{feff}aé木😀＝";
    let odd: Vec<char> = odd.chars().collect();
    let tags =
        ["<script>", "</script>", "<!--", "-->", "<img src=x onerror=", "\"><svg onload=", "]]>", "&lt;", "</title>"];
    let piece = prop_oneof![
        4 => prop::sample::select(odd).prop_map(String::from),
        2 => any::<char>().prop_map(String::from),
        1 => prop::sample::select(tags.to_vec()).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_changes_what_the_page_is_made_of(text in hostile()) {
        let page = html::page(&report(vec![says(&text)]));
        prop_assert_eq!(skeleton(&page), skeleton(&html::page(&report(vec![says("x")]))));
        let treacherous = visible(body(&page)) != body(&page);
        prop_assert!(!treacherous, "something is left to obey");
    }

    #[test]
    fn the_page_stays_well_formed_and_says_every_text(text in hostile()) {
        prop_assume!(!text.contains(['\u{fffe}', '\u{ffff}']), "no characters, to XML");
        let page = html::page(&report(vec![says(&text)]));
        // Unlike HTML, XML wants every element closed.
        let body = page.split_inclusive("</head>").nth(1).unwrap().replace("</html>", "").replace("<br>", "<br/>");
        let document = roxmltree::Document::parse(&body).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let shown = visible(&text);
        let texts = document.descendants().filter(|node| node.text() == Some(&*shown)).count();
        prop_assert!(texts >= 15, "{texts} of the texts are whole: {shown:?}");
    }

    #[test]
    fn one_incident_is_one_line_of_text_cells(text in hostile()) {
        let table = csv::table(&[says(&text), says("x")]).unwrap();
        prop_assert_eq!(table.lines().count(), 3);
        let mut reader = ::csv::Reader::from_reader(table.as_bytes());
        for record in reader.records() {
            for cell in &record.unwrap() {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            }
        }
    }

    #[test]
    fn json_says_what_the_incident_says(text in hostile()) {
        let report = report(vec![says(&text)]);
        let lines = report.write(Form::Json).unwrap();
        prop_assert_eq!(lines.lines().count(), 1);
        prop_assert_eq!(parse(&lines).unwrap(), report.rows);
    }
}

#[test]
fn no_attribute_holds_text_of_an_incident_and_none_leads_outside() {
    let page = html::page(&report(vec![says("marker")]));
    assert!(body(&page).matches("marker").count() > 30, "{page}");
    for value in attributes(&page) {
        assert!(!value.contains("marker") && !value.contains("://"), "{value}");
    }
    for outside in ["<link", "<script", "<img", "<iframe", " src=", "url(", "@import", " style="] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'; script-src 'none'; style-src 'sha256-"), "{page}");
}

#[test]
fn what_an_attacker_wrote_is_shown() {
    let page = html::page(&report(vec![says("<script>alert(\"1\")</script>&\u{202e}\u{1b}[31m\r\n")]));
    let shown = r"&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;\u{202e}\u{1b}[31m\r\n";
    assert!(page.contains(&format!("<code>{shown}</code>: {shown}")), "{page}");
}

#[test]
fn a_list_will_do_and_the_page_says_what_it_does_not_tell() {
    let mut line = serde_json::to_value(says("x")).unwrap();
    for field in
        ["answer", "source_ip", "user_agent", "tags", "identity", "causes", "facts", "before", "plan", "receipt"]
    {
        line.as_object_mut().unwrap().remove(field);
    }
    let rows = parse(&format!("\n{line}\n")).unwrap();
    assert_eq!((rows[0].facts.as_ref(), rows[0].undo()), (None, Undo::Done(rows[0].undone.as_ref().unwrap())));
    assert!(html::page(&report(rows)).contains("a list tells none"));

    line["state"] = json!("open");
    let error = parse(&format!("\n\n{line}")).unwrap_err();
    assert_eq!(error.to_string(), "line 3 is no incident");
}

#[test]
fn a_report_is_of_its_period_and_in_its_order() {
    let at = |opened: &str| Row { incident: opened.to_owned(), opened: time(opened), ..says("x") };
    let rows = ["2026-12-01T00:00:00Z", "2026-11-30T23:59:59Z", "2026-11-01T00:00:00Z", "2026-10-31T23:59:59Z"].map(at);
    let kept: Vec<String> = report(rows.to_vec()).rows.into_iter().map(|row| row.incident).collect();
    assert_eq!(kept, ["2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z"]);

    let now = time("2027-01-01T00:00:00Z");
    assert_eq!(extent(&rows, now), (time("2026-10-31T23:59:59Z"), time("2026-12-01T00:00:01Z")));
    assert!(extent(&[], now).0 < extent(&[], now).1);
}

#[test]
fn strange_times_make_no_strange_pages() {
    let far = |opened, event_time: &str, contained: &str| Row {
        opened,
        event_time: Some(time(event_time)),
        contained: Some(time(contained)),
        ..says("x")
    };
    let rows = vec![
        far(DateTime::<Utc>::MIN_UTC, "2026-11-20T10:00:04Z", "2026-11-20T10:00:00Z"),
        far(DateTime::<Utc>::MAX_UTC, "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"),
    ];
    assert_eq!(rows[0].took(), None, "the clock ran backwards");
    for (from, to) in [
        (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC),
        (time("2026-11-01T00:00:00Z"), time("2026-11-01T00:00:01Z")),
    ] {
        let page = html::page(&Report::of(rows.clone(), (from, to), to, String::new()));
        assert!(page.matches("<rect").count() < 1_000, "{}", page.len());
    }
    assert!(html::page(&report(Vec::new())).contains("No incidents were opened in this period."));
}

#[test]
fn when_is_a_date_a_time_or_an_age() {
    assert_eq!(when("2026-11-01"), Ok(Since::At(time("2026-11-01T00:00:00Z"))));
    assert_eq!(when("2026-11-01T01:00:00+01:00"), Ok(Since::At(time("2026-11-01T00:00:00Z"))));
    assert_eq!(when("7d"), Ok(Since::Ago(TimeDelta::days(7))));
    for wrong in ["", "2026-13-01", "yesterday"] {
        assert_eq!(when(wrong), Err(NoTime), "{wrong}");
    }
}

#[test]
fn undo_says_how_far_it_came() {
    let row = Row { undone: None, ..says("x") };
    let entry = |undone| remedy::Entry { undone, ..row.receipt[0].clone() };
    let (done, open) = (entry(Some(time("2026-11-20T11:00:00Z"))), entry(None));
    let undo = |receipt: &[&remedy::Entry]| {
        let row = Row { receipt: receipt.iter().copied().cloned().collect(), ..row.clone() };
        format!("{:?}", row.undo())
    };
    assert_eq!(undo(&[]), "Nothing");
    assert_eq!(undo(&[&open, &open]), "Possible");
    assert_eq!(undo(&[&done, &open]), "Partly { done: 1, all: 2 }");
}
