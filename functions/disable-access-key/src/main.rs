//! The Lambda function `disable-access-key`.

fn main() -> std::process::ExitCode {
    lambda::serve::<disable_access_key::DisableAccessKey<disable_access_key::aws::Iam>>()
}
