//! Generated from functions/ by `UPDATE=1 cargo test -p tests`.

responders!(
    block_bucket_exposure,
    cancel_key_deletion,
    deny_console_login,
    detach_admin_policy,
    disable_access_key,
    restart_trail,
    restore_role_trust,
    revoke_function_access,
    revoke_open_ingress,
    revoke_role_sessions,
    unshare_image,
    unshare_snapshot
);
