//! The few calls to Amazon S3 that an archive needs.

use aws_config::{Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use lambda::call_error;
use remedy::{CallError, CallErrorKind};

/// The body of an object comes after the SDK's own retries, so it has some of its own.
const ATTEMPTS: u32 = 3;

/// Where Amazon S3 is asked for a bucket's region if no region is set.
const ANY_REGION: Region = Region::from_static("us-east-1");

/// Every answer about a bucket names its region, whatever it says otherwise (Amazon S3 API Reference, `HeadBucket`).
const REGION_HEADER: &str = "x-amz-bucket-region";

/// A bucket, asked in its own region.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    client: Client,
    name: String,
}

/// An object, as a listing tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) bytes: u64,
}

/// Up to a thousand entries of a listing, objects and folders each in the order of their keys.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Object>,
    pub(crate) folders: Vec<String>,
    /// How to get the next one.
    pub(crate) next: Option<String>,
}

/// Which entries of a bucket are listed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Query<'a> {
    pub(crate) prefix: &'a str,
    /// Whether everything below a further `/` counts as one entry.
    pub(crate) by_folder: bool,
    /// Only keys behind this.
    pub(crate) after: Option<&'a str>,
    pub(crate) next: Option<&'a str>,
}

impl Bucket {
    /// A bucket in the region of the configuration.
    pub(crate) fn here(config: &SdkConfig, name: &str) -> Self {
        Self { client: Client::new(config), name: name.to_owned() }
    }

    /// A bucket wherever it is: `HeadBucket` says where.
    pub(crate) async fn find(config: &SdkConfig, name: &str) -> Result<Self, CallError> {
        let asked = config.region().cloned().unwrap_or(ANY_REGION);
        let in_region = |region| Self::here(&config.to_builder().region(region).build(), name);
        let bucket = in_region(asked.clone());
        let region = match bucket.client.head_bucket().bucket(name).send().await {
            Ok(found) => found.bucket_region,
            Err(error) => {
                let region = error.raw_response().and_then(|raw| raw.headers().get(REGION_HEADER)).map(str::to_owned);
                // Elsewhere, or it may be listed although it may not be looked at: the listing will tell.
                Some(region.ok_or_else(|| call_error("s3:ListBucket", error))?)
            }
        };
        Ok(match region {
            Some(region) if region != asked.as_ref() => in_region(Region::new(region)),
            _ => bucket,
        })
    }

    /// What people call an object.
    pub(crate) fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    pub(crate) async fn page(&self, query: Query<'_>) -> Result<Page, CallError> {
        let Query { prefix, by_folder, after, next } = query;
        let asked = self
            .client
            .list_objects_v2()
            .bucket(&self.name)
            .prefix(prefix)
            .set_delimiter(by_folder.then(|| "/".to_owned()))
            .set_start_after(after.map(str::to_owned))
            .set_continuation_token(next.map(str::to_owned));
        let page = asked.send().await.map_err(|error| call_error("s3:ListBucket", error))?;
        let object = |object: aws_sdk_s3::types::Object| {
            Some(Object { bytes: object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0), key: object.key? })
        };
        Ok(Page {
            objects: page.contents.unwrap_or_default().into_iter().filter_map(object).collect(),
            folders: page.common_prefixes.unwrap_or_default().into_iter().filter_map(|folder| folder.prefix).collect(),
            next: page.next_continuation_token,
        })
    }

    /// The whole object.
    pub(crate) async fn get(&self, key: &str) -> Result<Vec<u8>, CallError> {
        let mut attempts = 1;
        loop {
            let got = self.client.get_object().bucket(&self.name).key(key).send().await;
            let object = got.map_err(|error| call_error("s3:GetObject", error))?;
            match object.body.collect().await {
                Ok(body) => return Ok(body.to_vec()),
                Err(_) if attempts < ATTEMPTS => attempts += 1,
                Err(source) => {
                    let kind = CallErrorKind::Unanswered;
                    return Err(CallError { action: "s3:GetObject", kind, source: source.into() });
                }
            }
        }
    }

    /// Writes a whole object, in place of one that is there.
    pub(crate) async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), CallError> {
        let put = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        let put = put.body(ByteStream::from(body)).send().await;
        put.map(|_| ()).map_err(|error| call_error("s3:PutObject", error))
    }
}
