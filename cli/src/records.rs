//! Rows for terminals of any width: the columns that fit stand beside each other, and the others beneath.

use unicode_width::UnicodeWidthStr;

use crate::output::{Span, Tone};
use hostile_text::visible;

/// A row, and what is told of it beneath it, line by line.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a, const N: usize> {
    pub(crate) cells: [Span<'a>; N],
    pub(crate) beneath: Vec<Span<'a>>,
}

/// Between columns, and before what stands beneath.
const GAP: usize = 2;

/// The lines of the records under their headings. None is wider than the terminal, unless the first column or a single
/// word is. Of the last column only what does not fit falls beneath; where there is no terminal nothing does, and a row is
/// a line.
pub(crate) fn lines<'a, const N: usize>(
    headings: [&'a str; N],
    records: Vec<Record<'a, N>>,
    terminal: Option<usize>,
) -> Vec<Vec<Span<'a>>> {
    let headings = Record { cells: headings.map(|heading| Tone::Strong.of(heading)), beneath: Vec::new() };
    let records = [vec![headings], records].concat();
    let widths: [usize; N] = std::array::from_fn(|index| {
        records.iter().filter_map(|record| record.cells.get(index)).map(width).max().unwrap_or(0)
    });
    let beside = terminal.map_or(N, |terminal| fitting(&widths, terminal));
    let fits = |record: &Record<'a, N>| fits_last(record, &widths, beside, terminal);
    records
        .into_iter()
        .flat_map(|record| {
            let beside = if fits(&record) { N } else { beside };
            record_lines(record, &widths, beside, terminal)
        })
        .collect()
}

/// Whether only the last column of all is too wide, and this record's cell in it is not.
fn fits_last<const N: usize>(record: &Record<'_, N>, widths: &[usize], beside: usize, terminal: Option<usize>) -> bool {
    let (Some(terminal), Some(last)) = (terminal, record.cells.last()) else { return false };
    let begin: usize = widths.iter().take(beside).map(|width| width + GAP).sum();
    beside + 1 == N && begin + width(last) <= terminal
}

/// How many columns fit beside each other: one at least.
fn fitting(widths: &[usize], terminal: usize) -> usize {
    let ends = widths.iter().scan(0, |end, width| {
        *end += width + GAP;
        Some(*end - GAP)
    });
    ends.take_while(|end| *end <= terminal).count().max(1)
}

fn record_lines<'a, const N: usize>(
    Record { cells, beneath }: Record<'a, N>,
    widths: &[usize],
    beside: usize,
    terminal: Option<usize>,
) -> Vec<Vec<Span<'a>>> {
    let mut cells = cells.into_iter();
    let mut first = Vec::new();
    for (cell, column) in cells.by_ref().zip(widths).take(beside) {
        let padding = " ".repeat(column + GAP - width(&cell));
        first.extend([cell, padding.into()]);
    }
    let mut lines = vec![first];
    let mut end = usize::MAX;
    for cell in cells.filter(|cell| width(cell) > 0) {
        end = end.saturating_add(GAP + width(&cell));
        match lines.last_mut() {
            Some(line) if terminal.is_none_or(|terminal| end <= terminal) => line.extend([gap(1), cell]),
            _ => {
                end = GAP + width(&cell);
                lines.extend(indented(cell, terminal));
            }
        }
    }
    lines.extend(beneath.into_iter().flat_map(|told| indented(told, terminal)));
    lines
}

/// Text beneath a row, broken between words where it does not fit on one line.
fn indented(told: Span<'_>, terminal: Option<usize>) -> Vec<Vec<Span<'_>>> {
    if terminal.is_none_or(|terminal| GAP + width(&told) <= terminal) {
        return vec![vec![gap(1), told]];
    }
    let room = terminal.unwrap_or_default().saturating_sub(2 * GAP);
    let mut parts = Vec::<String>::new();
    for word in told.text().split(' ') {
        match parts.last_mut() {
            Some(part) if visible(part).width() + 1 + visible(word).width() <= room => {
                part.push(' ');
                part.push_str(word);
            }
            _ => parts.push(word.to_owned()),
        }
    }
    let indent = |(index, part)| vec![gap(if index == 0 { 1 } else { 2 }), told.tone().of(part)];
    parts.into_iter().enumerate().map(indent).collect()
}

fn gap(times: usize) -> Span<'static> {
    " ".repeat(GAP * times).into()
}

/// How many columns of a terminal the text takes, as it is shown.
fn width(span: &Span<'_>) -> usize {
    visible(span.text()).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [&str; 4] = ["ID", "STATE", "RESOURCE", "ACTOR"];

    fn record<'a>(cells: [&'a str; 4], beneath: &'a [&'a str]) -> Record<'a, 4> {
        Record { cells: cells.map(Span::from), beneath: beneath.iter().map(|text| Span::from(*text)).collect() }
    }

    fn shown(records: Vec<Record<'_, 4>>, terminal: Option<usize>) -> Vec<String> {
        let text = |line: Vec<Span<'_>>| line.iter().map(|span| visible(span.text()).into_owned()).collect::<String>();
        lines(HEADINGS, records, terminal).into_iter().map(|line| text(line).trim_end().to_owned()).collect()
    }

    fn two<'a>() -> Vec<Record<'a, 4>> {
        let long = "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess";
        vec![
            record(["01234567", "contained", "bucket", "user/alice"], &["would put it back"]),
            record(["89abcdef", "pending", "security-group/sg-0a1b2c3d4e5f67890", long], &[]),
        ]
    }

    #[test]
    fn without_a_terminal_a_row_is_a_line() {
        let lines = shown(two(), None);
        assert_eq!(lines[0], format!("ID        STATE      {:<37}ACTOR", "RESOURCE"));
        assert_eq!(lines[1], format!("01234567  contained  {:<37}user/alice", "bucket"));
        assert_eq!(lines[2], "  would put it back");
        assert!(lines[3].starts_with("89abcdef  pending    security-group/sg-0a1b2c3d4e5f67890  role/"), "{lines:#?}");
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn what_does_not_fit_beside_stands_beneath() {
        assert_eq!(
            shown(two(), Some(80)),
            [
                &format!("ID        STATE      {:<37}ACTOR", "RESOURCE"),
                &format!("01234567  contained  {:<37}user/alice", "bucket"),
                "  would put it back",
                "89abcdef  pending    security-group/sg-0a1b2c3d4e5f67890",
                "  role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess",
            ]
        );
        let narrow = shown(two(), Some(40));
        assert_eq!(narrow[..3], ["ID        STATE", "  RESOURCE  ACTOR", "01234567  contained"]);
        assert_eq!(narrow[3], "  bucket  user/alice");
        assert_eq!(
            narrow[6], "  security-group/sg-0a1b2c3d4e5f67890",
            "what is too much for a line goes on with another"
        );
    }

    #[test]
    fn a_sentence_that_does_not_fit_is_broken_between_words() {
        let told = "would authorize tcp/22 from 0.0.0.0/0 in sg-0a1b2c3d4e5f67890 again";
        let lines = shown(vec![record(["a", "b", "c", "somebody as somebody else"], &[told])], Some(24));
        assert_eq!(
            lines[2..],
            [
                "a   b      c",
                "  somebody as somebody",
                "    else",
                "  would authorize",
                "    tcp/22 from",
                "    0.0.0.0/0 in",
                "    sg-0a1b2c3d4e5f67890",
                "    again",
            ]
        );
    }

    #[test]
    fn a_column_is_as_wide_as_what_is_shown() {
        let lines = shown(vec![record(["\u{1b}[2J", "木木", "", "x"], &[]), record(["a", "b", "c", "x"], &[])], None);
        assert_eq!(lines[1..], [r"\u{1b}[2J  木木             x", "a          b      c         x"]);
    }
}
