//! One page that needs nothing else, in the style of `report`'s.
//!
//! INVARIANT (inert): text becomes HTML only through `maud`, which escapes whatever is not marked otherwise, and nothing is
//! marked here. No attribute holds text of a finding. The rest is [`framed`]'s.

use ::backtest::{BudgetUse, Candidate, Comparison, Finding, Problems, Ranking, Summary, Verdict, Verdicts};
use maud::{Markup, html};

use super::human::{in_a_line, many, size, time};
use super::told::{Told, short, verdict_in_words};
use crate::report::framed;

/// A page with more rows than these is read by nobody, and by some browsers never shown.
const ROWS: usize = 1000;

pub(super) fn page(told: &Told) -> String {
    framed(&html! { "Countermand backtest" }, body(told))
}

fn body(told: &Told) -> Markup {
    let summary = &told.report.summary;
    html! {
        body {
            header.top {
                h1 { "Countermand backtest" }
                p { (in_a_line(told)) "." }
                p.faint {
                    "What the deployed functions would have done with these policies"
                    @if summary.first.is_some() {
                        ", from " (time(summary.first)) " to " (time(summary.last))
                    }
                    ". Made " (time(Some(told.made))) " by countermand " (env!("CARGO_PKG_VERSION")) " from "
                    (told.source) ". All times are UTC."
                }
                (tiles(summary))
            }
            main {
                @if let Some(comparison) = &summary.comparison { (changes(comparison)) }
                section #counts {
                    h2 { "What they add up to" }
                    (counts("Responder", &summary.by_responder))
                    (counts("Policy", &summary.by_policy))
                    (counts("Account", &summary.by_account))
                    (counts("Actor", &summary.by_actor))
                }
                @if !summary.budgets.is_empty() { (budgets(&summary.budgets)) }
                @if !summary.candidates.is_empty() { (candidates(&summary.candidates, summary.more_candidates)) }
                (findings(told))
                @if summary.problems.count > 0 { (problems(&summary.problems)) }
            }
        }
    }
}

fn tiles(summary: &Summary) -> Markup {
    let Verdicts { findings, enforce, approve, observe, exempt, live } = summary.verdicts;
    html! {
        ul.tiles {
            li { b { (findings) } span { "findings" } }
            li.safe { b { (enforce) } span { "enforce" } }
            li.waiting { b { (approve) } span { "approve" } }
            li.left { b { (observe) } span { "observe" } }
            li.left { b { (exempt) } span { "exempt" } }
            li.waiting { b { (live) } span { "depend on live state" } }
            li.trouble { b { (summary.waited) } span { "beyond a budget" } }
            li { b { (size(summary.reading.raw_bytes)) } span { "of JSON read" } }
        }
    }
}

fn counts(what: &str, ranking: &Ranking) -> Markup {
    let cells = |verdicts: Verdicts| {
        let Verdicts { findings, enforce, approve, observe, exempt, live } = verdicts;
        html! {
            @for number in [findings, enforce, approve, observe, exempt, live] { td.number { (number) } }
        }
    };
    html! {
        @if !ranking.top.is_empty() {
            div.scroll {
                table.counts {
                    thead {
                        tr {
                            th { (what) }
                            @for heading in ["Findings", "Enforce", "Approve", "Observe", "Exempt", "Live state"] {
                                th.number { (heading) }
                            }
                        }
                    }
                    tbody {
                        @for group in &ranking.top { tr { td.long { (group.name) } (cells(group.verdicts)) } }
                        @if ranking.others > 0 {
                            tr.faint { td { (many(ranking.others, "other")) } (cells(ranking.rest)) }
                        }
                    }
                }
            }
        }
    }
}

fn changes(comparison: &Comparison) -> Markup {
    html! {
        section #changes {
            h2 { "What the change of policies alters" }
            table.counts {
                thead { tr { th { "Verdict" } th.number { "Findings" } th.number { "Depending on live state" } } }
                tbody {
                    @for change in &comparison.transitions {
                        tr {
                            td { (change.from.name()) " → " (change.to.name()) }
                            td.number { (change.findings) }
                            td.number { (change.live) }
                        }
                    }
                    tr.faint { td { "unchanged" } td.number { (comparison.unchanged) } td {} }
                }
            }
        }
    }
}

fn budgets(budgets: &[BudgetUse]) -> Markup {
    html! {
        section #budgets {
            h2 { "Budgets" }
            p.faint {
                "Replayed in the order of the events. What depends on live state is counted as if it had been confirmed. "
                "Beyond a budget a finding waits for a person."
            }
            div.scroll {
                table {
                    thead {
                        tr {
                            th { "Policy" } th { "Limit" } th.number { "Taken" } th.number { "Times spent" }
                            th.number { "Would have waited" } th.number { "Peak use" } th { "When" }
                            th.number { "Enough would be" }
                        }
                    }
                    tbody {
                        @for budget in budgets {
                            tr {
                                td.long { (budget.policy) }
                                td.keep { (budget.limit) }
                                td.number { (budget.charged) }
                                td.number { (budget.spent) }
                                td.number { (budget.waited) }
                                td.number { (budget.peak) }
                                td.long {
                                    @if budget.peak_at.is_some() { (time(budget.peak_at)) }
                                    @if let Some(of) = &budget.peak_of { span.source { (short(of)) } }
                                }
                                td.number { (budget.demand) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn candidates(candidates: &[Candidate], more: u64) -> Markup {
    html! {
        section #candidates {
            h2 { "Actors that a policy may want to exempt" }
            p.faint { "If what they do is expected: an intruder can have habits, too." }
            @for candidate in candidates {
                article {
                    h3 { (candidate.actor) }
                    p {
                        (many(candidate.findings, "finding")) " on " (many(candidate.days, "day")) ", from "
                        (candidate.first) " to " (candidate.last)
                    }
                    pre { @for line in candidate.snippet.lines() { span { (line) } } }
                }
            }
            @if more > 0 { p.faint { "And " (more) " more." } }
        }
    }
}

fn findings(told: &Told) -> Markup {
    let all = told.findings().count();
    html! {
        section #findings {
            h2 { "Findings" }
            @if all == 0 {
                p.empty { "None." }
            } @else {
                @if all > ROWS {
                    p.faint { "The first " (ROWS) " of " (all) ". All are in --format json and --format csv." }
                }
                div.scroll {
                    table {
                        thead {
                            tr {
                                th { "Time" } th { "Verdict" } th { "Responder" } th { "Resource" } th { "Actor" }
                                th { "Because" }
                            }
                        }
                        tbody { @for finding in told.findings().take(ROWS) { (line(&finding)) } }
                    }
                }
            }
        }
    }
}

fn line(finding: &Finding<'_>) -> Markup {
    let tone = match finding.verdict {
        _ if finding.live => "waiting",
        Verdict::Enforce => "safe",
        Verdict::Approve => "waiting",
        Verdict::Observe | Verdict::Exempt => "left",
    };
    html! {
        tr {
            td.keep { (time(finding.event_time)) }
            td {
                @if let Some(before) = &finding.before { (before.verdict.name()) " → " }
                span .badge.(tone) { (verdict_in_words(finding)) }
            }
            td.keep { (finding.responder) span.source { (finding.event_name) } }
            td.long { (short(&finding.resource)) span.source { (finding.account) " " (finding.region) } }
            td.long { (short(&finding.actor)) }
            td.long {
                (finding.because)
                @if let Some(before) = &finding.before { span.source { "was: " (before.because) } }
            }
        }
    }
}

fn problems(problems: &Problems) -> Markup {
    html! {
        section #problems {
            h2 { "What could not be read" }
            @for problem in &problems.named { p.error { (problem) } }
            @let more = problems.count.saturating_sub(u64::try_from(problems.named.len()).unwrap_or_default());
            @if more > 0 { p.faint { "And " (more) " more like these." } }
        }
    }
}
