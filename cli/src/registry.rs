//! Generated from functions/ by `UPDATE=1 cargo test -p tests`.

responders!(detach_admin_policy, disable_access_key, revoke_function_access, revoke_open_ingress);
