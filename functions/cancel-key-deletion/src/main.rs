//! The Lambda function `cancel-key-deletion`.

fn main() -> std::process::ExitCode {
    lambda::serve::<cancel_key_deletion::aws::Live>()
}
