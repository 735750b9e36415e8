//! The Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::serve::<deny_console_login::aws::Live>()
}
