//! Logs in Amazon S3: listed, got and looked through at the same time, in bounded memory.
//!
//! An archive that cannot be listed to its end, or an object that cannot be got, is a problem that is named and counted.
//! It never ends the run.

mod address;
mod bucket;
mod listing;
mod reading;
mod resume;
mod scanners;

use aws_config::SdkConfig;
use futures_util::stream::{FuturesUnordered, StreamExt};
use remedy::CallError;
use tokio::sync::mpsc::{self, Receiver};

pub(crate) use self::address::{Address, Source};
pub(crate) use self::bucket::{Bucket, Object, Query};
pub(crate) use self::reading::{AT_ONCE, Progress, Reader, Unread};
pub(crate) use self::resume::{Left, Place, Resume, ResumeError};
pub(crate) use self::scanners::{Scanners, Search};

/// So many objects are listed ahead of those being read: a few pages.
const AHEAD: usize = 4000;

/// Archives to read.
#[derive(Debug)]
pub(crate) struct Archives<'a> {
    pub(crate) config: &'a SdkConfig,
    pub(crate) addresses: &'a [Address],
    pub(crate) search: Search<'a>,
    pub(crate) scanners: &'a Scanners<'a>,
    /// So many objects are on their way or being looked through.
    pub(crate) at_once: usize,
    pub(crate) progress: &'a Progress,
}

impl Archives<'_> {
    /// Reads all of them from `place` on, and says whether all could be listed to their ends.
    ///
    /// With somewhere to keep the state, one that cannot be listed is the last, so that the same run can go on there.
    pub(crate) async fn read(&self, place: &Place, mut resume: Option<&mut Resume>) -> Result<bool, ResumeError> {
        let mut complete = true;
        for (number, address) in self.addresses.iter().enumerate() {
            if place.is_behind(number) || !complete && resume.is_some() {
                continue;
            }
            let after = place.after_in(number);
            let unlisted = match Bucket::find(self.config, &address.bucket).await {
                Ok(bucket) => {
                    let listed = self.archive(&bucket, address, after, number, resume.as_deref_mut()).await?;
                    listed.err().map(|source| Unread::List { address: address.to_string(), source })
                }
                Err(source) => Some(Unread::Find { bucket: address.bucket.clone(), source }),
            };
            if let Some(unlisted) = unlisted {
                self.search.part().problems.add(&unlisted);
                complete = false;
            }
        }
        Ok(complete)
    }

    async fn archive(
        &self,
        bucket: &Bucket,
        address: &Address,
        after: Option<&str>,
        number: usize,
        resume: Option<&mut Resume>,
    ) -> Result<Result<(), CallError>, ResumeError> {
        let (to, objects) = mpsc::channel(AHEAD);
        let listing = listing::list(bucket, &address.prefix, self.search.selection, after, to);
        let reader = Reader::new(bucket, self.search, self.scanners, self.progress);
        let reading = in_turns(&reader, self.at_once, objects, number, resume);
        let (listed, read) = futures_util::future::join(listing, reading).await;
        read?;
        Ok(listed)
    }
}

/// Reads all objects that come. From time to time it waits until none is on its way, and keeps how far it has come.
async fn in_turns(
    reader: &Reader<'_>,
    at_once: usize,
    mut objects: Receiver<Object>,
    archive: usize,
    mut resume: Option<&mut Resume>,
) -> Result<(), ResumeError> {
    let mut last = None;
    loop {
        let mut open = true;
        let mut on_their_way = FuturesUnordered::new();
        while !(last.is_some() && resume.as_ref().is_some_and(|resume| resume.is_due())) {
            let Some(object) = objects.recv().await else {
                open = false;
                break;
            };
            last = Some(object.key.clone());
            if !reader.admits(&object) {
                continue;
            }
            while on_their_way.len() >= at_once {
                on_their_way.next().await;
            }
            on_their_way.push(read(reader, object));
        }
        while on_their_way.next().await.is_some() {}
        drop(on_their_way);
        if let (Some(resume), Some(last)) = (resume.as_deref_mut(), last.take()) {
            resume.save(archive, &last, &reader.search.part())?;
        }
        if !open {
            return Ok(());
        }
    }
}

/// What cannot be got is in the part, and that is all there is to do about it here.
async fn read(reader: &Reader<'_>, object: Object) {
    let _noted = reader.read(&object).await;
}
