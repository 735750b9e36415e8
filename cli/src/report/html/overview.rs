//! The page before its incidents.

use maud::{Markup, html};

use super::{Moment, anchor, badge, charts, short};
use crate::report::Report;
use crate::report::controls::{self, Supported};
use crate::report::count::{self, many};
use crate::report::row::{Row, Standing};
use crate::report::spread::{Spread, told};

/// So many actors and accounts are named one by one.
const NAMED: usize = 12;

/// The page in six numbers.
pub(super) fn tiles(report: &Report) -> Markup {
    let of = |standing| report.rows.iter().filter(|row| row.standing() == standing).count();
    let spread = Spread::of(&report.rows);
    let time = |percent| spread.percentile(percent).map_or_else(|| "–".to_owned(), told);
    html! {
        ul.tiles {
            li { b { (report.rows.len()) } span { "incidents" } }
            @for standing in Standing::ALL {
                li .(standing.class()) { b { (of(standing)) } span { (standing.words()) } }
            }
            li { b { (time(50)) } span { "median to contain" } }
            li { b { (time(95)) } span { "95 % contained in" } }
        }
    }
}

pub(super) fn timeline(report: &Report) -> Markup {
    html! {
        section #timeline {
            h2 { "Timeline" }
            (charts::timeline(report))
            div.scroll {
                table {
                    thead {
                        tr {
                            th { "Opened" } th { "State" } th { "Responder" } th { "Resource" } th { "Actor" }
                            th.number { "Contained in" }
                        }
                    }
                    tbody {
                        @for (index, row) in report.rows.iter().enumerate() { (line(index, row)) }
                    }
                }
            }
        }
    }
}

fn line(index: usize, row: &Row) -> Markup {
    html! {
        tr {
            td.keep { a href={ "#" (anchor(index)) } { (Moment(row.opened)) } }
            td.keep { (badge(row.standing(), &words(row))) }
            td.keep { (row.responder) }
            td.long { (short(&row.resource)) }
            td.long { (short(&row.actor)) }
            td.number.keep { @if let Some(took) = row.took() { (told(took)) } }
        }
    }
}

/// A state, `already_safe`, for people.
pub(super) fn words(row: &Row) -> String {
    row.state.to_string().replace('_', " ")
}

pub(super) fn counts(report: &Report) -> Markup {
    let rows = &report.rows;
    html! {
        section #counts {
            h2 { "Counts" }
            div.pair {
                (counted("Responder", &count::by(rows, |row| row.responder.clone())))
                (counted("Verdict", &count::by(rows, |row| row.verdict.clone())))
                (counted("Account", &count::by(rows, |row| row.account.clone())))
                (counted("Status", &count::by(rows, words)))
            }
            (counted("Actor", &count::by(rows, |row| row.actor.clone())))
        }
    }
}

fn counted(what: &str, counts: &[(String, usize)]) -> Markup {
    let most = counts.first().map_or(1, |(_, count)| *count);
    let others = counts.get(NAMED..).unwrap_or_default();
    let other: usize = others.iter().map(|(_, count)| count).sum();
    html! {
        table.counts {
            thead { tr { th { (what) } th.number colspan="2" { "Incidents" } } }
            tbody {
                @for (name, count) in counts.iter().take(NAMED) {
                    tr { td.long { (name) } td.number { (count) } td.bar { (charts::bar(*count, most)) } }
                }
                @if !others.is_empty() {
                    tr.faint { td { (many(others.len(), "other")) } td.number { (other) } td {} }
                }
            }
        }
    }
}

pub(super) fn time_to_contain(report: &Report) -> Markup {
    let spread = Spread::of(&report.rows);
    let contained = report.rows.iter().filter(|row| row.contained.is_some()).count();
    let unknown = contained - spread.count();
    html! {
        section #time-to-contain {
            h2 { "Time to contain" }
            @if let (Some(median), Some(most)) = (spread.percentile(50), spread.percentile(95)) {
                p {
                    "From the event to the last change: half of " (many(spread.count(), "contained incident")) " took "
                    b { (told(median)) } " or less, 95 % took " b { (told(most)) } " or less. "
                    @if let (Some(least), Some(longest)) = (spread.percentile(0), spread.percentile(100)) {
                        "The shortest took " (told(least)) ", the longest " (told(longest)) "."
                    }
                }
                (charts::histogram(&spread, median, most))
                p.faint {
                    "CloudTrail tells the time of an event in whole seconds."
                    @if unknown > 0 { " Of " (unknown) " more the time of the event is not known." }
                }
            } @else {
                p.empty { "Nothing was contained, or the time of the events is not known." }
            }
        }
    }
}

pub(super) fn controls(report: &Report) -> Markup {
    html! {
        section #controls {
            h2 { "Controls" }
            p.faint {
                "What the responders do supports these controls; it is no statement that the accounts comply with them. "
                "The numbers are of all incidents of the responder, whether or not they touch the control."
            }
            div.scroll {
                table {
                    thead {
                        tr {
                            th { "Framework" } th { "Control" } th { "Responder" } th { "How it helps" }
                            th.number { "Incidents" } th.number { "Safe" }
                        }
                    }
                    tbody {
                        @for Supported { control, responder, incidents, safe } in controls::supported(&report.rows) {
                            tr {
                                td { (control.framework) }
                                td.keep { b { (control.id) } }
                                td.keep { (responder) }
                                td.wide { (control.why) span.source { (control.source) "." } }
                                td.number { (incidents) }
                                td.number { (safe) }
                            }
                        }
                    }
                }
            }
        }
    }
}
