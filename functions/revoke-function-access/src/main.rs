//! The Lambda function `revoke-function-access`.

use std::process::ExitCode;

fn main() -> ExitCode {
    lambda::serve::<revoke_function_access::aws::Live>()
}
