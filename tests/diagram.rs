//! docs/images/architecture.svg: what is deployed and what talks to what, drawn from the folders and the templates.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use crate::folders::{By, Folder};
use crate::generated::{COMMAND, check, read};

const WIDTH: usize = 1040;
const ROW: usize = 26;
/// Where the rows of responders begin.
const TOP: usize = 92;

/// Readable on white and on black; a viewer says which it has.
const STYLE: &str = "\
svg { --back: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #848d97; --box: #f6f8fa; --ours: #ddf4ff; --edge: #0969da; }
@media (prefers-color-scheme: dark) {
  svg { --back: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --line: #656c76; --box: #161b22; --ours: #0c2d4d; --edge: #4493f8; }
}
.back { fill: var(--back); }
.box { fill: var(--box); stroke: var(--line); }
.ours { fill: var(--ours); stroke: var(--edge); }
.stack { fill: none; stroke: var(--line); stroke-dasharray: 5 4; }
.flow { fill: none; stroke: var(--edge); stroke-width: 1.5; marker-end: url(#head); }
.head { fill: var(--edge); }
text { font: 13px system-ui, 'DejaVu Sans', sans-serif; fill: var(--ink); }
.name { font-weight: 600; }
.faint { font-size: 12px; fill: var(--faint); }
.end { text-anchor: end; }
";

/// A drawing that grows.
#[derive(Default)]
struct Drawing(String);

impl Drawing {
    fn text(&mut self, x: usize, y: usize, class: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(self.0, r#"<text x="{x}" y="{y}" class="{class}">{text}</text>"#).unwrap();
    }

    fn rect(&mut self, class: &str, [x, y, width, height]: [usize; 4]) {
        writeln!(self.0, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" class="{class}"/>"#)
            .unwrap();
    }

    /// A box with a heading, and what is told of it beneath.
    fn labelled(&mut self, class: &str, [x, y, width]: [usize; 3], name: &str, lines: &[String]) -> usize {
        let height = 30 + 17 * lines.len();
        self.rect(class, [x, y, width, height]);
        self.text(x + 12, y + 20, "name", name);
        for (line, below) in lines.iter().zip((y + 39..).step_by(17)) {
            self.text(x + 12, below, "faint", line);
        }
        y + height
    }

    fn flow(&mut self, path: &str) {
        writeln!(self.0, r#"<path d="{path}" class="flow"/>"#).unwrap();
    }
}

/// The resources of a template: their names, by type.
fn resources(template: &str) -> BTreeMap<String, Vec<String>> {
    let text = read(template);
    let (_, resources) = text.split_once("\nResources:\n").unwrap();
    let (mut found, mut name) = (BTreeMap::<String, Vec<String>>::new(), None);
    for line in resources.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#'])) {
        match line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '#'])) {
            Some(line) => name = line.strip_suffix(':'),
            None => {
                if let (Some(kind), Some(of)) = (line.strip_prefix("    Type: "), name) {
                    found.entry(kind.to_owned()).or_default().push(of.to_owned());
                }
            }
        }
    }
    found
}

/// How many there are, in words: what is of one type only by its name.
fn counted(all: &BTreeMap<String, Vec<String>>, kind: &str, one: &str) -> String {
    let names = all.get(kind).unwrap_or_else(|| panic!("no {kind} is deployed any more: mend the diagram"));
    if names.len() == 1 { format!("1 {one}") } else { format!("{} {}", names.len(), plural(one)) }
}

fn plural(one: &str) -> String {
    one.strip_suffix('y').map_or_else(|| format!("{one}s"), |stem| format!("{stem}ies"))
}

fn names(all: &BTreeMap<String, Vec<String>>, kind: &str) -> String {
    shortened(all.get(kind).unwrap_or_else(|| panic!("no {kind} is deployed any more: mend the diagram")))
}

/// As many names as fit into a box, and how many more there are.
fn shortened(names: &[String]) -> String {
    let fitting = (1..=names.len()).rev().find(|count| names[..*count].join(", ").len() <= 34).unwrap_or_default();
    let more = names.len() - fitting;
    names[..fitting].join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// The services whose events a responder's rules let through.
fn waits_for(folder: &Folder) -> BTreeSet<String> {
    fn sources(pattern: &Value, found: &mut BTreeSet<String>) {
        match pattern {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let (true, Value::Array(values)) = (name == "source", value) {
                        let services = values.iter().filter_map(Value::as_str);
                        found.extend(services.filter_map(|it| it.strip_prefix("aws.")).map(str::to_owned));
                    } else {
                        sources(value, found);
                    }
                }
            }
            Value::Array(parts) => parts.iter().for_each(|part| sources(part, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    folder.rules().iter().for_each(|rule| sources(&folder.json(&rule.file), &mut found));
    found
}

/// The services in which a responder's function may change something.
fn changes(folder: &Folder) -> BTreeSet<String> {
    let own = folder.permissions(By::Function).into_iter();
    let writes = own.filter(|permission| !permission.looks() && permission.action != "iam:PassRole");
    writes.map(|permission| permission.action.split(':').next().unwrap().to_owned()).collect()
}

fn joined(services: &BTreeSet<String>) -> String {
    services.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The account, its trail and its event bus: where events come from.
fn left(drawing: &mut Drawing, bottom: usize) {
    let trail = resources("template-trail.yaml");
    let told = ["somebody's call".to_owned()];
    let account = drawing.labelled("box", [20, TOP, 170], "AWS account", &told);
    let kept = ["template-trail.yaml,".to_owned(), "where there is none:".to_owned()];
    let kept: Vec<String> = kept
        .into_iter()
        .chain([counted(&trail, "AWS::S3::Bucket", "bucket"), counted(&trail, "AWS::KMS::Key", "key")])
        .chain([counted(&trail, "AWS::Logs::LogGroup", "log group")])
        .collect();
    let y = account + 34;
    drawing.flow(&format!("M105 {account} V{}", y - 2));
    let end = drawing.labelled("box", [20, y, 170], "CloudTrail", &kept);
    let told = ["default bus; findings".to_owned(), "come here directly".to_owned()];
    let y = (end + 34).max(bottom - 64);
    drawing.flow(&format!("M105 {end} V{}", y - 2));
    drawing.labelled("box", [20, y, 170], "EventBridge", &told);
    drawing.flow(&format!("M190 {} H236", y + 32));
}

/// The responders, and what each waits for and changes.
fn middle(drawing: &mut Drawing, folders: &[Folder], all: &BTreeMap<String, Vec<String>>) -> usize {
    let bottom = TOP + ROW * folders.len();
    drawing.rect("stack", [220, 20, 800, bottom - 4]);
    drawing.text(236, 44, "name", "template.yaml");
    let rules = counted(all, "AWS::Events::Rule", "rule");
    drawing.text(
        352,
        44,
        "faint",
        &format!("{} responders: a Lambda function and a role each, {rules}", folders.len()),
    );
    for (x, heading) in [(236, "waits for"), (410, "responder"), (602, "changes")] {
        drawing.text(x, 76, "faint", heading);
    }
    for (folder, y) in folders.iter().zip((TOP..).step_by(ROW)) {
        drawing.text(236, y + 15, "faint", &joined(&waits_for(folder)));
        drawing.flow(&format!("M376 {} H398", y + 11));
        drawing.rect("ours", [402, y, 170, 22]);
        drawing.text(410, y + 16, "", &folder.name);
        drawing.flow(&format!("M572 {} H594", y + 11));
        drawing.text(602, y + 15, "faint", &joined(&changes(folder)));
    }
    bottom
}

/// What all functions share, and the people.
fn right(drawing: &mut Drawing, all: &BTreeMap<String, Vec<String>>, responders: &BTreeSet<String>) {
    let others = all["AWS::Serverless::Function"].iter().filter(|name| !responders.contains(*name));
    let others = shortened(&others.cloned().collect::<Vec<_>>());
    let boxes = [
        ("M696 Y H668", names(all, "AWS::Serverless::LayerVersion"), "layer of policies/: what may be done, in Cedar"),
        ("M668 Y H696", names(all, "AWS::DynamoDB::Table"), "table: incidents, budgets, what to put back"),
        ("M668 Y H696", names(all, "AWS::SNS::Topic"), "topics: tell people"),
        ("M668 Y H696", names(all, "AWS::SQS::Queue"), "queues: events not dealt with, for 14 days"),
        ("", counted(all, "AWS::CloudWatch::Alarm", "alarm"), "of functions that fail, and of queues"),
        ("", others, "other functions, with a role of its own each"),
    ];
    let mut y = 60;
    for (path, name, told) in boxes {
        if !path.is_empty() {
            drawing.flow(&path.replace('Y', &(y + 24).to_string()));
        }
        y = drawing.labelled("box", [700, y, 304], &name, &[told.to_owned()]) + 8;
    }
}

fn svg() -> String {
    let folders = Folder::all();
    let all = resources("template.yaml");
    let watch = resources("template-monitoring.yaml");
    let mut drawing = Drawing::default();
    let bottom = middle(&mut drawing, &folders, &all);
    left(&mut drawing, bottom);
    right(&mut drawing, &all, &folders.iter().map(Folder::type_name).collect());

    let y = bottom + 46;
    let watched = [
        counted(&watch, "AWS::Events::Rule", "rule") + " that page when somebody tampers, past every function",
        counted(&watch, "AWS::Logs::MetricFilter", "metric filter")
            + " over the trail's log, "
            + &counted(&watch, "AWS::CloudWatch::Alarm", "alarm"),
        counted(&watch, "AWS::CloudWatch::Dashboard", "dashboard")
            + ", "
            + &counted(&watch, "AWS::Logs::QueryDefinition", "saved query"),
    ];
    drawing.rect("stack", [20, y, 640, 96]);
    drawing.text(36, y + 24, "name", "template-monitoring.yaml");
    drawing.text(232, y + 24, "faint", "watches the account, and the stack above");
    for (line, below) in watched.iter().zip((y + 46..).step_by(18)) {
        drawing.text(36, below, "faint", line);
    }
    let told = [
        "approves, undoes, examines, reports,",
        "with credentials of his own; no function",
        "may open again what it closed",
    ];
    drawing.labelled("ours", [700, y, 320], "an operator with `countermand`", &told.map(str::to_owned));
    drawing.flow(&format!("M860 {} V{}", y, bottom + 18));
    let height = y + 116;

    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
<!-- Generated from functions/ and the templates; {COMMAND} -->
<title>Countermand's architecture</title>
<style>
{STYLE}</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="head"/></marker></defs>
<rect width="{WIDTH}" height="{height}" class="back"/>
{}</svg>
"#,
        drawing.0
    )
}

#[test]
fn the_diagram_shows_what_is_deployed() {
    check("docs/images/architecture.svg", &svg());
}

#[test]
fn the_diagram_names_every_responder_and_what_it_changes() {
    let svg = svg();
    for folder in Folder::all() {
        assert!(svg.contains(&format!(">{}<", folder.name)), "{} is not drawn", folder.name);
        assert!(!waits_for(&folder).is_empty() && !changes(&folder).is_empty(), "{}", folder.name);
    }
}
