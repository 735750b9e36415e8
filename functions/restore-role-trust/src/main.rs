//! The Lambda function `restore-role-trust`.

fn main() -> std::process::ExitCode {
    lambda::serve::<restore_role_trust::RestoreRoleTrust<restore_role_trust::aws::Iam>>()
}
