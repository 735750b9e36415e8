//! The Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::serve::<revoke_open_ingress::aws::Live>()
}
