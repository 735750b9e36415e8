//! The Lambda function `block-bucket-exposure`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::serve::<block_bucket_exposure::aws::Live>()
}
