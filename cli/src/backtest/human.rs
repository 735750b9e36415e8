//! For a person at a terminal.

use std::cmp::Reverse;
use std::io;

use ::backtest::{BudgetUse, Comparison, Finding, Ranking, Summary, Verdict, Verdicts};
use chrono::{DateTime, SecondsFormat, Utc};

use super::told::{Told, short, verdict_in_words};
use crate::output::{Output, Span, Tone};

/// A longer run shows only so many findings.
const SHOWN: usize = 25;

pub(super) fn tell(told: &Told, out: &mut Output) -> io::Result<()> {
    let summary = &told.report.summary;
    findings(told, out)?;
    if let Some(comparison) = &summary.comparison {
        changes(comparison, out)?;
    } else {
        additions(summary, out)?;
    }
    out.line([Tone::Strong.of(in_a_line(told))])?;
    out.line([read(summary).into()])
}

/// What all findings add up to.
fn additions(summary: &Summary, out: &mut Output) -> io::Result<()> {
    for (name, ranking) in [
        ("RESPONDER", &summary.by_responder),
        ("POLICY", &summary.by_policy),
        ("ACCOUNT", &summary.by_account),
        ("ACTOR", &summary.by_actor),
    ] {
        counts(name, ranking, out)?;
    }
    budgets(&summary.budgets, out)?;
    candidates(summary, out)
}

/// Those that would be acted on first, and of these the worst.
fn findings(told: &Told, out: &mut Output) -> io::Result<()> {
    let mut worst: Vec<Finding<'_>> = Vec::new();
    let mut count = 0_usize;
    for finding in told.findings() {
        count += 1;
        worst.push(finding);
        if worst.len() >= 20 * SHOWN {
            keep_worst(&mut worst);
        }
    }
    if count > SHOWN {
        keep_worst(&mut worst);
    }
    if worst.is_empty() {
        return Ok(());
    }
    if told.compares {
        let rows = worst.iter().map(|finding| {
            let before = finding.before.as_ref();
            let because = format!(
                "{}, was: {}",
                finding.because,
                before.map(|before| before.because.as_ref()).unwrap_or_default()
            );
            [
                Span::from(time(finding.event_time)),
                verdict_tone(finding).of(changed(finding)),
                finding.responder.as_ref().into(),
                short(&finding.resource).into(),
                short(&finding.actor).into(),
                because.into(),
            ]
        });
        out.table(["TIME", "VERDICT", "RESPONDER", "RESOURCE", "ACTOR", "BECAUSE"], rows.collect())?;
    } else {
        let rows = worst.iter().map(|finding| {
            [
                Span::from(time(finding.event_time)),
                verdict_tone(finding).of(verdict_in_words(finding)),
                finding.responder.as_ref().into(),
                short(&finding.resource).into(),
                short(&finding.actor).into(),
                format!("{} {}", finding.account, finding.region).into(),
            ]
        });
        out.table(["TIME", "VERDICT", "RESPONDER", "RESOURCE", "ACTOR", "WHERE"], rows.collect())?;
    }
    if count > SHOWN {
        let text = format!("{SHOWN} of {count}: those first that would be acted on, and the worst of them.");
        out.line([Tone::Faint.of(text + " All are in --format json and --format csv.")])?;
    }
    out.gap()
}

fn keep_worst(findings: &mut Vec<Finding<'_>>) {
    findings.sort_by_key(|finding| (Reverse(finding.verdict), finding.live, Reverse(finding.severity)));
    findings.truncate(SHOWN);
}

/// `observe → enforce`
fn changed(finding: &Finding<'_>) -> String {
    let before = finding.before.as_ref().map_or("", |before| before.verdict.name());
    let live = if finding.live { ", depends on live state" } else { "" };
    format!("{before} → {}{live}", finding.verdict.name())
}

fn verdict_tone(finding: &Finding<'_>) -> Tone {
    match finding.verdict {
        _ if finding.live => Tone::Warning,
        Verdict::Enforce => Tone::Good,
        Verdict::Approve => Tone::Warning,
        Verdict::Observe | Verdict::Exempt => Tone::Faint,
    }
}

fn changes(comparison: &Comparison, out: &mut Output) -> io::Result<()> {
    let rows = comparison.transitions.iter().map(|change| {
        let name = format!("{} → {}", change.from.name(), change.to.name());
        [Tone::Strong.of(name), change.findings.to_string().into(), change.live.to_string().into()]
    });
    let unchanged = [Span::from("unchanged"), comparison.unchanged.to_string().into(), "".into()];
    out.table(["VERDICT", "FINDINGS", "DEPENDING ON LIVE STATE"], rows.chain([unchanged]).collect())?;
    out.gap()
}

fn counts(name: &str, ranking: &Ranking, out: &mut Output) -> io::Result<()> {
    if ranking.top.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<[Span<'_>; 7]> =
        ranking.top.iter().map(|group| row(Tone::Strong.of(group.name.as_str()), group.verdicts)).collect();
    if ranking.others > 0 {
        rows.push(row(Tone::Faint.of(format!("({} others)", ranking.others)), ranking.rest));
    }
    out.table([name, "FINDINGS", "ENFORCE", "APPROVE", "OBSERVE", "EXEMPT", "DEPENDS ON LIVE STATE"], rows)?;
    out.gap()
}

fn row(name: Span<'_>, verdicts: Verdicts) -> [Span<'_>; 7] {
    let Verdicts { findings, enforce, approve, observe, exempt, live } = verdicts;
    let number = |number: u64| if number == 0 { Tone::Faint.of("–") } else { number.to_string().into() };
    [name, number(findings), number(enforce), number(approve), number(observe), number(exempt), number(live)]
}

fn budgets(budgets: &[BudgetUse], out: &mut Output) -> io::Result<()> {
    if budgets.is_empty() {
        return Ok(());
    }
    let rows = budgets.iter().map(|budget| {
        let peak = match (budget.peak_at, &budget.peak_of) {
            (Some(at), Some(of)) => format!("{} on {} ({})", budget.peak, time(Some(at)), short(of)),
            (Some(at), None) => format!("{} on {}", budget.peak, time(Some(at))),
            (None, _) => budget.peak.to_string(),
        };
        let waited = if budget.waited > 0 { Tone::Warning } else { Tone::Plain };
        [
            Tone::Strong.of(budget.policy.as_str()),
            budget.limit.as_str().into(),
            budget.charged.to_string().into(),
            budget.spent.to_string().into(),
            waited.of(budget.waited.to_string()),
            peak.into(),
            budget.demand.to_string().into(),
        ]
    });
    let headings = ["BUDGET OF", "LIMIT", "TAKEN", "TIMES SPENT", "WOULD HAVE WAITED", "PEAK USE", "ENOUGH WOULD BE"];
    out.table(headings, rows.collect())?;
    out.gap()
}

fn candidates(summary: &Summary, out: &mut Output) -> io::Result<()> {
    if summary.candidates.is_empty() {
        return Ok(());
    }
    out.line([Tone::Strong.of("Actors that a policy may want to exempt, if what they do is expected")])?;
    for candidate in &summary.candidates {
        out.gap()?;
        let habit = format!("// {}: {} findings on {} days", candidate.actor, candidate.findings, candidate.days);
        out.line([Tone::Faint.of(habit)])?;
        candidate.snippet.lines().try_for_each(|line| out.line([line.into()]))?;
    }
    if summary.more_candidates > 0 {
        out.line([Tone::Faint.of(format!("// and {} more", summary.more_candidates))])?;
    }
    out.gap()
}

/// What was found, in one line.
pub(super) fn in_a_line(told: &Told) -> String {
    let Summary { verdicts, acted_on, for_a_person, waited, comparison, .. } = &told.report.summary;
    if verdicts.findings == 0 {
        return "no finding".to_owned();
    }
    let findings = many(verdicts.findings, "finding");
    if let Some(Comparison { unchanged, newly_acted_on, .. }) = comparison {
        let changed = verdicts.findings - unchanged;
        return format!("{findings}: {changed} with another verdict, {newly_acted_on} would newly be acted on");
    }
    let mut parts = vec![format!("{acted_on} would be acted on")];
    for (count, what) in [
        (verdicts.live, "depending on live state"),
        (*for_a_person, "left to a person, as no change of ours would help"),
        (*waited, "waiting for a person, as a budget would have been spent"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    format!("{findings}: {}", parts.join(", "))
}

/// What was read, in one line.
fn read(summary: &Summary) -> String {
    let reading = summary.reading;
    let (records, files) = (many(reading.records, "record"), many(reading.files, "file"));
    let (bytes, json) = (size(reading.compressed_bytes), size(reading.raw_bytes));
    let mut parts = vec![format!("{records} in {files} read, {bytes} ({json} of JSON)")];
    for (count, what, more) in [
        (reading.skipped_files, "file", " passed over"),
        (summary.duplicates, "finding", " delivered again"),
        (summary.problems.count, "problem", ""),
    ] {
        if count > 0 {
            parts.push(many(count, what) + more);
        }
    }
    parts.join(", ")
}

/// `1 finding`, `2 findings`.
pub(super) fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// In the units of SI.
pub(super) fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

/// To the second.
pub(super) fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "unknown".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}
