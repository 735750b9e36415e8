//! What the command says, and where: results on standard output, everything else on standard error.
//!
//! INVARIANT (visible): all text goes through [`visible`] on its way out, here and nowhere else, so that no command can
//! forget it. Colours are put around it afterwards, and `anstream` takes them away where they are not wanted.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table};
use hostile_text::{visible, visible_json};
use serde::Serialize;

use crate::records::{self, Record};
/// For whom the results are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For a person.
    Human,
    /// For a program: one JSON object a line.
    Json,
}

/// How a piece of text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
        }
    }

    /// Text in this tone.
    pub(crate) fn of<'a>(self, text: impl Into<Cow<'a, str>>) -> Span<'a> {
        Span { tone: self, text: text.into() }
    }
}

/// A piece of text and how it is meant. The text may come from anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Span<'a> {
    tone: Tone,
    text: Cow<'a, str>,
}

impl Span<'_> {
    /// The text as it came.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// How it is meant.
    pub(crate) fn tone(&self) -> Tone {
        self.tone
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Span<'a> {
    fn from(text: T) -> Self {
        Tone::Plain.of(text)
    }
}

/// Where something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Results,
    /// Standard error.
    Notes,
}

/// Standard output and standard error.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    stdout: AutoStream<io::Stdout>,
    stderr: AutoStream<io::Stderr>,
}

/// So wide is the column of labels.
const LABEL: usize = 11;

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            stdout: AutoStream::new(io::stdout(), ColorChoice::Auto),
            stderr: AutoStream::new(io::stderr(), ColorChoice::Auto),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// One JSON object.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        let json = serde_json::to_string(object)?;
        writeln!(self.stdout, "{}", visible_json(&json))
    }

    /// One line.
    pub(crate) fn line<'a>(&mut self, spans: impl IntoIterator<Item = Span<'a>>) -> io::Result<()> {
        write_line(&mut self.stdout, spans)
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.stdout)
    }

    /// A line with a label before it; without a label it goes on with the one above.
    pub(crate) fn field<'a>(&mut self, label: &str, spans: impl IntoIterator<Item = Span<'a>>) -> io::Result<()> {
        self.field_on(Stream::Results, label, spans)
    }

    /// A line with a label before it, on either stream.
    pub(crate) fn field_on<'a>(
        &mut self,
        stream: Stream,
        label: &str,
        spans: impl IntoIterator<Item = Span<'a>>,
    ) -> io::Result<()> {
        let label = Tone::Faint.of(format!("  {label:LABEL$} "));
        write_line(self.stream(stream), std::iter::once(label).chain(spans))
    }

    fn stream(&mut self, stream: Stream) -> &mut dyn Write {
        match stream {
            Stream::Results => &mut self.stdout,
            Stream::Notes => &mut self.stderr,
        }
    }

    /// Lines with one label before the first.
    pub(crate) fn fields<'a>(&mut self, label: &str, lines: impl IntoIterator<Item = Span<'a>>) -> io::Result<()> {
        let mut label = label;
        for line in lines {
            self.field(label, [line])?;
            label = "";
        }
        Ok(())
    }

    /// Rows under headings, as wide as the terminal.
    pub(crate) fn table<const N: usize>(&mut self, headings: [&str; N], rows: Vec<[Span<'_>; N]>) -> io::Result<()> {
        let mut table = Table::new();
        table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(headings.map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        for row in rows {
            table.add_row(row.map(cell));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        // What a row is called by stays whole, to be copied.
        if let Some(name) = table.column_mut(0) {
            name.set_constraint(ColumnConstraint::ContentWidth);
        }
        for line in table.lines() {
            writeln!(self.stdout, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Records under headings: as results, or as what is no result on standard error.
    pub(crate) fn records<const N: usize>(
        &mut self,
        stream: Stream,
        headings: [&str; N],
        records: Vec<Record<'_, N>>,
    ) -> io::Result<()> {
        let mut probe = Table::new();
        if stream == Stream::Notes {
            probe.use_stderr();
        }
        let lines = records::lines(headings, records, probe.width().map(usize::from));
        lines.into_iter().try_for_each(|line| write_line(self.stream(stream), line))
    }

    /// Text made elsewhere, of which all is ours: a completion script.
    pub(crate) fn script(&mut self, script: &[u8]) -> io::Result<()> {
        self.stdout.write_all(script)
    }

    /// Tells on standard error what went wrong, why, and what to do next.
    pub(crate) fn error(&mut self, error: &dyn Error, help: Option<&str>) -> io::Result<()> {
        let whole = remedy::in_full(error);
        let mut lines = whole.lines();
        let first = lines.next().unwrap_or_default();
        write_line(&mut self.stderr, [Tone::Bad.of("error"), format!(": {first}").into()])?;
        for line in lines {
            write_line(&mut self.stderr, [format!("  {line}").into()])?;
        }
        match help {
            Some(help) => write_line(&mut self.stderr, [Tone::Good.of("help"), format!(": {help}").into()]),
            None => Ok(()),
        }
    }

    /// Tells on standard error what is no result.
    pub(crate) fn note<'a>(&mut self, spans: impl IntoIterator<Item = Span<'a>>) -> io::Result<()> {
        write_line(&mut self.stderr, spans)
    }

    /// Asks on standard error, and waits for a yes.
    pub(crate) fn confirm(&mut self, question: &str) -> io::Result<bool> {
        write!(self.stderr, "{} [y/N] ", visible(question))?;
        self.stderr.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

fn write_line<'a>(to: &mut (impl Write + ?Sized), spans: impl IntoIterator<Item = Span<'a>>) -> io::Result<()> {
    let mut line = String::new();
    for Span { tone, text } in spans {
        let style = tone.style();
        // Writing to a string does not fail.
        let _infallible = write!(line, "{style}{}{style:#}", visible(&text));
    }
    writeln!(to, "{}", line.trim_end())
}

fn cell(Span { tone, text }: Span<'_>) -> Cell {
    let cell = Cell::new(visible(&text));
    match tone {
        Tone::Plain => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Faint => cell.add_attribute(Attribute::Dim),
        Tone::Good => cell.fg(Color::Green),
        Tone::Warning => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
    }
}
