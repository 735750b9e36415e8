//! `countermand report`, from the ledger.

use std::fs;

use serde_json::Value;

use super::setting::{ENFORCE, Setting, outcome, status};

#[tokio::test]
async fn a_report_tells_what_the_ledger_holds() {
    let setting = Setting::with(ENFORCE).await;
    let group = setting.group().await;
    let function = setting.function("revoke-open-ingress").await;
    let event = setting.open(&group, 22, &["0.0.0.0/0"]).await;
    let outcome = outcome(function.invoke(&event).await);
    let id = outcome["incident"].as_str().unwrap();
    let event = setting.open(&group, 3389, &["0.0.0.0/0"]).await;
    assert_eq!(status(function.invoke(&event).await), "contained");
    let (done, said) = setting.countermand(&["incidents", "undo", id, "--yes"]).await;
    assert!(done, "{said}");

    let (done, lines) = setting.countermand(&["report", "--format", "json"]).await;
    assert!(done, "{lines}");
    let told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.iter().map(|told| &told["state"]).collect::<Vec<_>>(), ["undone", "contained"], "{lines}");

    // What `incidents show` tells of an incident, a report tells in the same words.
    let (_, shown) = setting.countermand(&["incidents", "show", id, "--format", "json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(told[0].get(name), Some(value), "`{name}` of an incident is not in its report");
    }

    let (_, none) = setting.countermand(&["report", "--format", "json", "--to", "7d"]).await;
    assert_eq!(none, "");

    // Saved lines, of each command that prints them, make the page that the ledger makes, but for where it comes from.
    let (done, page) = setting.countermand(&["report"]).await;
    assert!(done && page.contains(&format!("on <span class=\"name\">security-group/{group}")), "{page}");
    let incidents = |page: &str| page.split_once("<section id=\"incidents\">").unwrap().1.to_owned();
    let folder = std::env::temp_dir().join(format!("countermand-report-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("saved.jsonl");
    let file = file.to_str().unwrap();
    fs::write(file, lines).unwrap();
    let (done, saved) = setting.countermand(&["report", "--incidents", file]).await;
    assert!(done, "{saved}");
    assert_eq!(incidents(&saved), incidents(&page));
    fs::write(file, shown.to_string()).unwrap();
    let (done, saved) = setting.countermand(&["report", "--incidents", file]).await;
    assert!(done && saved.contains("taken back by") && !saved.contains("not told by the file"), "{saved}");
    let (_, list) = setting.countermand(&["incidents", "list", "--format", "json"]).await;
    fs::write(file, list).unwrap();
    let (done, saved) = setting.countermand(&["report", "--incidents", file]).await;
    assert!(done && saved.contains("not told by the file"), "{saved}");
    fs::remove_dir_all(&folder).unwrap();
}
