//! The Lambda function `detach-admin-policy`.

fn main() -> std::process::ExitCode {
    lambda::serve::<detach_admin_policy::DetachAdminPolicy<detach_admin_policy::aws::Iam>>()
}
