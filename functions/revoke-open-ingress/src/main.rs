//! The Lambda function.

use std::process::ExitCode;

use revoke_open_ingress::RevokeOpenIngress;
use revoke_open_ingress::aws::Ec2;

fn main() -> ExitCode {
    lambda::serve::<RevokeOpenIngress<Ec2>>()
}
