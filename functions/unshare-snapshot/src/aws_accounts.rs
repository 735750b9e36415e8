//! Accounts of AWS's own with which snapshots are shared for a purpose that AWS documents.

use cloudtrail::{AccountId, Region};

/// The accounts with which `GuardDuty` Malware Protection for EC2 shares the snapshots that it scans, by region.
///
/// Source: Amazon `GuardDuty` User Guide, "`GuardDuty` service accounts by AWS Region".
const GUARDDUTY: [(&str, &str); 37] = [
    ("af-south-1", "957664736811"),
    ("ap-east-1", "249472122084"),
    ("ap-east-2", "863518437308"),
    ("ap-northeast-1", "874749492622"),
    ("ap-northeast-2", "039163547507"),
    ("ap-northeast-3", "089661699081"),
    ("ap-south-1", "913179291432"),
    ("ap-south-2", "682251015962"),
    ("ap-southeast-1", "247460962669"),
    ("ap-southeast-2", "124839743349"),
    ("ap-southeast-3", "452118225523"),
    ("ap-southeast-4", "353488359550"),
    ("ap-southeast-5", "009160069308"),
    ("ap-southeast-7", "941377115582"),
    ("ca-central-1", "175877067165"),
    ("ca-west-1", "894794104037"),
    ("cn-north-1", "448721096076"),
    ("cn-northwest-1", "480864352451"),
    ("eu-central-1", "002294850712"),
    ("eu-central-2", "867642063380"),
    ("eu-north-1", "693780578038"),
    ("eu-south-1", "977238331021"),
    ("eu-south-2", "936182149045"),
    ("eu-west-1", "283769539786"),
    ("eu-west-2", "310125036783"),
    ("eu-west-3", "866607715269"),
    ("il-central-1", "619233833001"),
    ("me-central-1", "828603743433"),
    ("me-south-1", "404001805210"),
    ("mx-central-1", "557690616787"),
    ("sa-east-1", "546914126324"),
    ("us-east-1", "652050842985"),
    ("us-east-2", "178123968615"),
    ("us-gov-east-1", "226283551151"),
    ("us-gov-west-1", "226300430612"),
    ("us-west-1", "669213148797"),
    ("us-west-2", "447226417196"),
];

/// Whether AWS documents this account as its own, for snapshots of this region.
pub(crate) fn is_of_aws(account: &AccountId, region: &Region) -> bool {
    GUARDDUTY.contains(&(region.as_str(), account.as_str()))
}
