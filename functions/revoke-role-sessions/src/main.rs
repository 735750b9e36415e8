//! The Lambda function `revoke-role-sessions`.

fn main() -> std::process::ExitCode {
    lambda::serve::<revoke_role_sessions::RevokeRoleSessions<revoke_role_sessions::aws::Iam>>()
}
