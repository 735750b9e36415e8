//! The Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::serve::<unshare_image::aws::Live>()
}
