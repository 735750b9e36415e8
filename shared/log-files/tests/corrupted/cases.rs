//! Files that are broken in some way.

use std::io::Write;

use fastrand::Rng;
use flate2::{Compression, write::GzEncoder};

fn record(id: usize, random: &mut Rng) -> String {
    let name = if id == 0 || random.u8(..4) == 0 { "CreateUser" } else { "GetUser" };
    format!(
        r#"{{"eventVersion":"1.11","eventID":"{id}","eventSource":"iam.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","recipientAccountId":"123456789012","x":"{:x}"}}"#,
        random.u128(..)
    )
}

/// A log file of twenty records, of which the first is wanted.
pub(crate) fn log(random: &mut Rng) -> String {
    let records: Vec<String> = (0..20).map(|id| record(id, random)).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Whether the first record can be read.
    pub(crate) readable: bool,
    pub(crate) bytes: Vec<u8>,
}

/// What is too much for one test to have a hundred of.
pub(crate) struct Large {
    bomb: Vec<u8>,
    record: Vec<u8>,
    values: Vec<u8>,
    lines: Vec<u8>,
}

impl Large {
    pub(crate) fn new() -> Self {
        let first = record(0, &mut Rng::with_seed(0));
        let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
        bomb.write_all(first.as_bytes()).unwrap();
        let space = vec![b' '; 1 << 20];
        (0..64).for_each(|_| bomb.write_all(&space).unwrap());
        let record = format!(r#"{{"Records":[{first},{{"eventName":"CreateUser","x":"{}"}}]}}"#, "[".repeat(3 << 20));
        // Much memory for little text, if it is parsed.
        let values = format!(r#"{{"Records":[{first},{{"eventName":"CreateUser","x":[{}0]}}]}}"#, "0,".repeat(500_000));
        let lines = format!("{first}\n{}", "{\"a\":\n".repeat(10_000));
        Self {
            bomb: bomb.finish().unwrap(),
            record: gzip(record.as_bytes()),
            values: gzip(values.as_bytes()),
            lines: gzip(lines.as_bytes()),
        }
    }
}

pub(crate) fn broken(index: usize, random: &mut Rng, large: &Large) -> Case {
    let text = log(random);
    let whole = gzip(text.as_bytes());
    let case = |name, readable, bytes| Case { name, readable, bytes };
    let changed = |from_end: usize| {
        let mut bytes = whole.clone();
        let place = bytes.len() - from_end;
        bytes[place] ^= 0xff;
        bytes
    };
    let behind_first = text.find("},{").unwrap() + 2;
    let json = |text: String| gzip(text.as_bytes());
    match index % 16 {
        0 => case("cut", whole.len() > 800, whole[..whole.len() - 1 - random.usize(..whole.len() / 2)].to_vec()),
        1 => case("checksum", true, changed(8)),
        2 => case("length", true, changed(4)),
        3 => case("damage", false, changed(random.usize(whole.len() / 4..whole.len() - 30))),
        4 => {
            let mut bytes = text.into_bytes();
            let place = random.usize(behind_first + 1..bytes.len() - 4);
            bytes[place] = 0xff;
            case("utf-8", true, gzip(&bytes))
        }
        5 => case("cut json", true, gzip(&text.as_bytes()[..random.usize(behind_first..text.len())])),
        6 => {
            case("odd quote", true, json(text.replacen(",\"x\":\"", ",\"x\":", 7).replacen(",\"x\":", ",\"x\":\"", 6)))
        }
        7 => case("empty", false, Vec::new()),
        8 => case("space", false, gzip(b" \n\n ")),
        9 => case("not gzip", false, (0..500).map(|_| random.u8(128..)).collect()),
        10 => case("trailing", true, [whole, b"and more".to_vec()].concat()),
        11 => case("second member", true, [gzip(&text.as_bytes()[..behind_first]), changed(20)].concat()),
        12 => case("nesting", false, json(format!(r#"{{"eventName":{}"#, r#"{"a":["#.repeat(2_000)))),
        13 => {
            let (good, bad) = (record(0, random), record(0, random).replace("awsRegion", "region"));
            case("field", true, json(format!(r#"{{"Records":[{good},{bad}]}}"#)))
        }
        14 if index > 16 && random.u8(..64) > 0 => {
            case("no json", false, (0..300).map(|_| random.u8(b'a'..=b'z')).collect())
        }
        14 => case("bomb", true, large.bomb.clone()),
        _ if random.u8(..32) > 0 => case("trailing comma", true, json(text.replace("]}", ",]}"))),
        _ => match random.u8(..3) {
            0 => case("large record", true, large.record.clone()),
            1 => case("values", true, large.values.clone()),
            _ => case("lines", true, large.lines.clone()),
        },
    }
}
