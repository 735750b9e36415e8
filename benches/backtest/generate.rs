//! A seeded history of an organization, laid out as CloudTrail delivers it.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use fastrand::Rng;
use flate2::{Compression, write::GzEncoder};

use crate::error::{BenchError, file};
use crate::records::{Author, DAY, Origin};

/// CloudTrail's own files are smaller; larger ones make the work of opening them vanish.
pub(crate) const RECORDS_A_FILE: u64 = 5_000;

const ACCOUNTS: u64 = 4;
const REGIONS: [&str; 3] = ["us-east-1", "eu-central-1", "ap-southeast-2"];

/// Writes `records` records into `folder`, which must not hold others; the same seed gives the same bytes.
pub(crate) fn generate(folder: &Path, records: u64, seed: u64) -> Result<(), BenchError> {
    let author = Author::new();
    let files = records.div_ceil(RECORDS_A_FILE);
    let next = AtomicU64::new(0);
    let work = || {
        let mut text = String::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= files {
                return Ok(());
            }
            let numbers = index * RECORDS_A_FILE..records.min((index + 1) * RECORDS_A_FILE);
            let mut random = Rng::with_seed(seed.wrapping_add(index));
            let (origin, path) = place(folder, index, &mut random);
            text.clear();
            text.push_str(r#"{"Records":["#);
            for number in numbers.clone() {
                if number > numbers.start {
                    text.push(',');
                }
                author.write(number, &origin, &mut random, &mut text);
            }
            text.push_str("]}");
            write(&path, text.as_bytes()).map_err(file(&path))?;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Err(BenchError::Generator)))
    })
}

fn place(folder: &Path, index: u64, random: &mut Rng) -> (Origin, PathBuf) {
    let account = format!("{:012}", 111_122_223_333 + index % ACCOUNTS);
    let region = REGIONS.get(usize::try_from(index / ACCOUNTS % 3).unwrap_or_default()).copied().unwrap_or_default();
    let second = index * 300 % 86_400;
    let random: String = std::iter::repeat_with(|| random.alphanumeric()).take(12).collect();
    let name = format!(
        "{account}_CloudTrail_{region}_{}T{:02}{:02}Z_{random}{index:04}.json.gz",
        DAY.replace('-', ""),
        second / 3600,
        second / 60 % 60
    );
    let path = folder.join("AWSLogs/o-exampleorg").join(&account).join("CloudTrail").join(region);
    (Origin { account, region, second }, path.join(DAY.replace('-', "/")).join(name))
}

fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut gzip = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::new(6));
    gzip.write_all(text)?;
    gzip.finish()?.flush()
}
