//! Generated from functions/ by `UPDATE=1 cargo test -p tests`.

responders!(disable_access_key, revoke_open_ingress);
