//! Odd but valid log files, from a seed.

use std::fmt::Write;

use fastrand::Rng;

use crate::found::{SIGN_IN, WANTED};

/// Writes JSON as oddly as JSON may be written.
pub(crate) struct Writer {
    random: Rng,
    out: String,
    /// One string character in so many is escaped that need not be; none if 0.
    escapes: usize,
    /// One gap in so many has space in it; none if 0.
    spaces: usize,
    lines: bool,
}

/// The text of a file. If it is not odd, no letter is escaped, and line feeds stand only between its values.
pub(crate) fn file(seed: u64, odd: bool) -> String {
    let mut random = Rng::with_seed(seed);
    let escapes = [0, 0, 0, 30, 3][random.usize(..if odd { 5 } else { 3 })];
    let (spaces, lines) = [(0, false), (0, false), (3, false), (2, true)][random.usize(..if odd { 4 } else { 3 })];
    let mut writer = Writer { random, out: String::new(), escapes, spaces, lines };
    if writer.one_in(8) {
        writer.out.push('\u{feff}');
    }
    writer.space();
    let values = [1, 1, 1, 2, 6][writer.random.usize(..5)];
    for _ in 0..values {
        match writer.random.u8(..10) {
            0..4 => writer.log_file(),
            4 => writer.list(Writer::record),
            5 => writer.looked_up(),
            6 => writer.log_file_in_the_middle(),
            7 => writer.envelope(),
            _ => writer.record(),
        }
        let between = ["", "\n", "\r\n\n ", " "][writer.random.usize(..4)];
        writer.out.push_str(between);
    }
    writer.space();
    writer.out
}

impl Writer {
    fn one_in(&mut self, times: usize) -> bool {
        self.random.usize(..times) == 0
    }

    fn space(&mut self) {
        while self.spaces > 0 && self.one_in(self.spaces) {
            let space = if self.lines && self.one_in(2) { '\n' } else { [' ', '\t'][self.random.usize(..2)] };
            self.out.push(space);
        }
    }

    fn token(&mut self, token: char) {
        self.space();
        self.out.push(token);
        self.space();
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            match letter {
                _ if self.escapes > 0 && self.one_in(self.escapes) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let hex = if self.one_in(2) { format!("{unit:04x}") } else { format!("{unit:04X}") };
                        write!(self.out, "\\u{hex}").unwrap();
                    }
                }
                '"' | '\\' => write!(self.out, "\\{letter}").unwrap(),
                '/' if self.one_in(4) => self.out.push_str("\\/"),
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                _ => self.out.push(letter),
            }
        }
        self.out.push('"');
    }

    fn list(&mut self, mut element: impl FnMut(&mut Self)) {
        self.token('[');
        for index in 0..self.random.usize(..6) {
            if index > 0 {
                self.token(',');
            }
            element(self);
        }
        self.token(']');
    }

    fn object(&mut self, entries: Vec<(&str, Entry)>) {
        self.token('{');
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if index > 0 {
                self.token(',');
            }
            self.string(key);
            self.token(':');
            value(self);
        }
        self.token('}');
    }

    fn log_file(&mut self) {
        let mut entries: Vec<(&str, Entry)> =
            vec![("Records", Box::new(|writer| writer.list(Self::record_or_envelope)))];
        if self.one_in(4) {
            entries.push(("more", Box::new(Self::anything)));
        }
        self.object(entries);
    }

    fn log_file_in_the_middle(&mut self) {
        self.object(vec![
            ("before", Box::new(Self::anything)),
            ("Records", Box::new(|writer| writer.list(Self::record))),
            ("behind", Box::new(Self::anything)),
        ]);
    }

    fn looked_up(&mut self) {
        let found = |writer: &mut Self| {
            let mut inner = Self { out: String::new(), random: writer.random.fork(), ..*writer };
            inner.record();
            let text = inner.out;
            let mut entries: Vec<(&str, Entry)> = vec![
                ("EventName", Box::new(Self::name)),
                ("CloudTrailEvent", Box::new(move |writer| writer.string(&text))),
            ];
            writer.random.shuffle(&mut entries);
            writer.object(entries);
        };
        self.object(vec![("Events", Box::new(move |writer| writer.list(found)))]);
    }

    fn record_or_envelope(&mut self) {
        if self.one_in(8) { self.envelope() } else { self.record() }
    }

    fn envelope(&mut self) {
        let kinds = [
            "AWS API Call via CloudTrail",
            "AWS Console Sign In via CloudTrail",
            "EC2 Instance State-change Notification",
        ];
        let kind = kinds[self.random.usize(..kinds.len())];
        let detail: Entry = if self.one_in(5) { Box::new(Self::anything) } else { Box::new(Self::record) };
        let mut entries: Vec<(&str, Entry)> = vec![
            ("version", text("0")),
            ("id", text("e-1")),
            ("detail-type", text(kind)),
            ("source", text("aws.iam")),
            ("account", text("123456789012")),
            ("time", text("2026-11-22T07:00:01Z")),
            ("region", text("us-east-1")),
            ("resources", Box::new(|writer| writer.out.push_str("[]"))),
            ("detail", detail),
        ];
        self.random.shuffle(&mut entries);
        self.object(entries);
    }

    fn record(&mut self) {
        let id = format!("id-{}", self.random.u16(..));
        let mut entries: Vec<(&str, Entry)> = vec![
            ("eventVersion", text("1.11")),
            ("userIdentity", Box::new(Self::identity)),
            ("eventSource", text("iam.amazonaws.com")),
            ("awsRegion", text("us-east-1")),
            ("requestParameters", Box::new(Self::anything)),
            ("responseElements", Box::new(Self::anything)),
            ("eventID", Box::new(move |writer| writer.string(&id))),
            ("recipientAccountId", text("123456789012")),
        ];
        if !self.one_in(20) {
            entries.push(("eventName", Box::new(Self::name)));
        }
        if self.one_in(20) {
            entries.push(("eventName", Box::new(Self::name)));
        }
        if self.one_in(20) {
            entries.push(("eventName", Box::new(|writer| writer.out.push_str("[\"CreateUser\"]"))));
        }
        if self.one_in(20) {
            entries.push((
                ["detail", "eventName\"x", "additionalEventData"][self.random.usize(..3)],
                Box::new(Self::anything),
            ));
        }
        if self.one_in(2) {
            self.random.shuffle(&mut entries);
        }
        self.object(entries);
    }

    fn identity(&mut self) {
        match self.random.u8(..8) {
            0..3 => self.anything(),
            3 => self.list(Self::identity_of_a_type),
            _ => self.identity_of_a_type(),
        }
    }

    fn identity_of_a_type(&mut self) {
        let mut entries: Vec<(&str, Entry)> = vec![
            ("type", Box::new(if self.one_in(6) { |writer| writer.list(Self::kind) } else { Self::kind })),
            ("arn", Box::new(if self.one_in(2) { Self::anything } else { Self::kind })),
        ];
        self.random.shuffle(&mut entries);
        self.object(entries);
    }

    fn kind(&mut self) {
        let (_, [user, root]) = SIGN_IN;
        let kinds = [user, root, "AssumedRole", "IAMUsers", "root"];
        let kind = kinds[self.random.usize(..kinds.len())];
        self.string(kind);
    }

    fn name(&mut self) {
        let others = ["GetUser", "CreateUsers", "createUser", "", "x\"CreateUser", "Create\\User", "eventName", "🦀"];
        let all = [WANTED.as_slice(), &[SIGN_IN.0; 3], &others, &others].concat();
        let name = all[self.random.usize(..all.len())];
        self.string(name);
    }

    fn anything(&mut self) {
        self.nested(0);
    }

    fn nested(&mut self, depth: usize) {
        const KEYS: [&str; 8] =
            ["eventName", "eventVersion", "detail", "Records", "Events", "a", "eventName\"", "ключ"];
        const TEXTS: [&str; 8] = [
            "x",
            "{\"eventName\":\"CreateUser\"}",
            "\"eventName\"",
            "}{][",
            "\\",
            "a\n{\"eventName\":\"DeleteTrail\"",
            "Zugänge 🦀",
            "a rather long string, so that things fall on the borders of what is looked at in one go \\\"",
        ];
        match self.random.u8(..if depth < 3 { 8 } else { 5 }) {
            0 => self.out.push_str(["null", "true", "false"][self.random.usize(..3)]),
            1 => write!(self.out, "{}", self.random.i64(..)).unwrap(),
            2 => self.name(),
            3 | 4 => {
                let text = TEXTS[self.random.usize(..TEXTS.len())];
                self.string(text);
            }
            5 => self.list(|writer| writer.nested(depth + 1)),
            6 if self.one_in(3) => self.list(Self::record),
            _ => {
                let keys: Vec<&str> =
                    (0..self.random.usize(..4)).map(|_| KEYS[self.random.usize(..KEYS.len())]).collect();
                let entry = move |writer: &mut Self| writer.nested(depth + 1);
                self.object(keys.into_iter().map(|key| (key, Box::new(entry) as Entry)).collect());
            }
        }
    }
}

type Entry = Box<dyn FnOnce(&mut Writer)>;

fn text(text: &'static str) -> Entry {
    Box::new(move |writer| writer.string(text))
}
