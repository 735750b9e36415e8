//! The Lambda function `restart-trail`.

fn main() -> std::process::ExitCode {
    lambda::serve::<restart_trail::aws::Live>()
}
