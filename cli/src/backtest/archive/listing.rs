//! The objects of an archive in the order of their keys, without those that nobody asks for.
//!
//! Amazon S3 lists keys in the order of their UTF-8 bytes (Amazon S3 User Guide, "Listing object keys programmatically").
//! All keys of a folder come together in that order, at the place of the folder's own name. So whatever is listed folder
//! by folder comes out in the order of one long listing, and one key says how far a reader has come.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use log_files::{Listing, Selection};
use remedy::CallError;
use tokio::sync::mpsc::Sender;

use super::bucket::{Bucket, Object, Page, Query};

/// So many listings are asked for at once. More than one, since an organization's trail has a folder for each account and
/// region, and many of them hold little.
const AT_ONCE: usize = 8;

/// A part of what is to be listed. Parts follow each other in the order of keys.
#[derive(Debug)]
enum Node {
    /// To be looked into for its folders.
    Folder(String),
    Keys(Keys),
    Object(Object),
}

/// Keys to list one by one.
#[derive(Debug)]
struct Keys {
    prefix: String,
    /// Only those behind this.
    after: Option<String>,
    /// Only up to this, and what begins with it.
    last: Option<String>,
}

/// Lists what the selection may admit, from behind the key `after` on, and sends it on.
pub(super) async fn list(
    bucket: &Bucket,
    prefix: &str,
    selection: &Selection,
    after: Option<&str>,
    to: Sender<Object>,
) -> Result<(), CallError> {
    let folder = prefix.rfind('/').and_then(|end| prefix.get(..=end)).unwrap_or_default();
    let mut nodes: Vec<Node> = node(selection.listing(folder), prefix.to_owned()).into_iter().collect();
    while nodes.iter().any(|node| matches!(node, Node::Folder(_))) {
        let look = async |node: Node| match node {
            Node::Folder(prefix) => children(bucket, &prefix, selection).await,
            node => Ok(vec![node]),
        };
        let levels: Vec<Vec<Node>> = stream::iter(nodes).map(look).buffered(AT_ONCE).try_collect().await?;
        nodes = levels.into_iter().flatten().collect();
    }
    let begin = async |node: Node| match node {
        Node::Keys(keys) => {
            let keys = Keys { after: later(keys.after, after), ..keys };
            let first = if keys.are_behind_us() { Page::default() } else { bucket.page(keys.query(None)).await? };
            Ok::<_, CallError>((Some(keys), first))
        }
        Node::Object(object) if after.is_some_and(|after| object.key.as_str() <= after) => Ok((None, Page::default())),
        Node::Object(object) => Ok((None, Page { objects: vec![object], ..Page::default() })),
        Node::Folder(_) => Ok((None, Page::default())),
    };
    let mut begun = stream::iter(nodes).map(begin).buffered(AT_ONCE);
    while let Some((keys, mut page)) = begun.try_next().await? {
        loop {
            for object in page.objects {
                if keys.as_ref().is_some_and(|keys| keys.end_before(&object.key)) {
                    page.next = None;
                    break;
                }
                // Whoever does not take any more has a reason, and tells it.
                if to.send(object).await.is_err() {
                    return Ok(());
                }
            }
            let (Some(keys), Some(next)) = (&keys, &page.next) else { break };
            page = bucket.page(keys.query(Some(next))).await?;
        }
    }
    Ok(())
}

fn node(listing: Listing, prefix: String) -> Option<Node> {
    Some(match listing {
        Listing::Skip => return None,
        Listing::Folders => Node::Folder(prefix),
        Listing::Everything => Node::Keys(Keys { prefix, after: None, last: None }),
        Listing::Days { first, last } => Node::Keys(Keys { prefix, after: Some(first), last: Some(last) }),
    })
}

/// What lies directly in a folder.
async fn children(bucket: &Bucket, prefix: &str, selection: &Selection) -> Result<Vec<Node>, CallError> {
    let mut found: Vec<(String, Node)> = Vec::new();
    let mut next = None;
    loop {
        let page = bucket.page(Query { prefix, by_folder: true, after: None, next: next.as_deref() }).await?;
        let folders = page
            .folders
            .into_iter()
            .filter_map(|folder| Some((folder.clone(), node(selection.listing(&folder), folder)?)));
        found.extend(folders);
        found.extend(page.objects.into_iter().map(|object| (object.key.clone(), Node::Object(object))));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found.into_iter().map(|(_, node)| node).collect())
}

impl Keys {
    fn query<'a>(&'a self, next: Option<&'a str>) -> Query<'a> {
        Query { prefix: &self.prefix, by_folder: false, after: self.after.as_deref(), next }
    }

    /// Whether what we have come to lies behind all of them.
    fn are_behind_us(&self) -> bool {
        self.after.as_ref().is_some_and(|after| {
            let beyond = |end: &str| after.as_str() > end && !after.starts_with(end);
            beyond(&self.prefix) || self.last.as_deref().is_some_and(beyond)
        })
    }

    fn end_before(&self, key: &str) -> bool {
        self.last.as_ref().is_some_and(|last| key > last.as_str() && !key.starts_with(last.as_str()))
    }
}

fn later(one: Option<String>, other: Option<&str>) -> Option<String> {
    one.into_iter().chain(other.map(str::to_owned)).max()
}
