//! One page that needs nothing else.
//!
//! INVARIANT (inert): text becomes HTML only through `maud`, whose macro escapes whatever is not marked otherwise, in
//! text and in attributes alike. (It is small, is checked when it is compiled, and has no templates to inject into.)
//! Marked are [`STYLE`], which is ours, and the body on its way through [`visible`]. No attribute holds text of an
//! incident.
//!
//! INVARIANT (visible): the body has no character of its own that [`visible`] would change, so that the whole of it can
//! go through there: controls and bidirectional marks of hostile text are shown, and none can be forgotten.
//!
//! Should both fail, the page's Content-Security-Policy allows no script, no connection, no image, no frame, and of
//! style sheets the one with the hash of [`STYLE`].

mod charts;
mod incident;
mod overview;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use hostile_text::visible;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use sha2::{Digest, Sha256};

use super::Report;
use super::row::Standing;

const STYLE: &str = include_str!("style.css");

pub(super) fn page(report: &Report) -> String {
    let title = html! { "Countermand report, " (Day(report.from)) " to " (Day(report.to)) };
    framed(&title, body(report))
}

/// A self-contained page that runs nothing and asks for nothing; what is hostile in its body is shown and not obeyed.
pub(crate) fn framed(title: &Markup, body: Markup) -> String {
    let hash = aws_smithy_types::base64::encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; script-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let body = body.into_string();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            (PreEscaped(visible(&body)))
        }
    };
    page.into_string()
}

fn body(report: &Report) -> Markup {
    html! {
        body {
            header.top {
                h1 { "Countermand report" }
                p { "Incidents opened from " (Moment(report.from)) " until " (Moment(report.to)) "." }
                p.faint {
                    "Made " (Moment(report.made)) " by countermand " (env!("CARGO_PKG_VERSION"))
                    " from " (report.source) ". All times are UTC."
                }
                (overview::tiles(report))
            }
            main {
                @if report.rows.is_empty() {
                    section { p.empty { "No incidents were opened in this period." } }
                } @else {
                    (overview::timeline(report))
                    (overview::counts(report))
                    (overview::time_to_contain(report))
                }
                (overview::controls(report))
                @if !report.rows.is_empty() {
                    section #incidents {
                        h2 { "Incidents" }
                        @for (index, row) in report.rows.iter().enumerate() { (incident::article(index, row)) }
                    }
                }
            }
        }
    }
}

/// A day, as 2026-11-22.
struct Day(DateTime<Utc>);

impl Render for Day {
    fn render_to(&self, buffer: &mut String) {
        self.0.format("%Y-%m-%d").to_string().render_to(buffer);
    }
}

/// A time to the second that stays on its line.
struct Moment(DateTime<Utc>);

impl Render for Moment {
    fn render(&self) -> Markup {
        html! { time datetime=(self.0.to_rfc3339()) { (self.0.format("%Y-%m-%d %H:%M:%S").to_string()) } }
    }
}

/// A mark in the colour of a standing, with the word for it.
fn badge(standing: Standing, words: &str) -> Markup {
    html! { span .badge.(standing.class()) { (words) } }
}

/// Where an incident's article is on the page. Ids that came in are not used: they could be anything.
fn anchor(index: usize) -> String {
    format!("incident-{}", index + 1)
}

/// What a person recognises an ARN by, its kind and name: `role/…/deploy`. Other text is shown whole.
fn short(arn: &str) -> Cow<'_, str> {
    match arn.splitn(6, ':').nth(5) {
        Some(resource) if arn.starts_with("arn:") => match (resource.split_once('/'), resource.rsplit_once('/')) {
            (Some((kind, after)), Some((_, name))) if after != name => format!("{kind}/…/{name}").into(),
            _ => resource.into(),
        },
        _ => arn.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn an_arn_is_known_by_kind_and_name() {
        assert_eq!(short("arn:aws:iam::123456789012:role/ci/eu/deploy"), "role/…/deploy");
        assert_eq!(short("arn:aws:iam::123456789012:user/bob"), "user/bob");
        assert_eq!(short("arn:aws:iam::123456789012:root"), "root");
        assert_eq!(short("repo:a/b/c:d:e:f"), "repo:a/b/c:d:e:f");
    }
}
