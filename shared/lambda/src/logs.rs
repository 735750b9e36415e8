//! Logs as JSON lines, which CloudWatch Logs Insights takes apart by itself.

use tracing_subscriber::EnvFilter;

use crate::environment::Environment;

/// What the runtime itself says of a failed invocation we have said before, and better.
const QUIET: &str = "lambda_runtime::layers::panic=off";

/// Begins to log: to standard output, as `RUST_LOG` says, or else as Lambda's own log level says, or else from `info`.
pub(crate) fn begin(environment: &Environment) {
    let level = environment.get("RUST_LOG").or(environment.get("AWS_LAMBDA_LOG_LEVEL")).unwrap_or("info");
    let filter = EnvFilter::builder().parse_lossy(format!("{QUIET},{level}"));
    let begun = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stdout)
        .try_init();
    // Somebody in this process logs already: a test. That is as good.
    drop(begun);
}
