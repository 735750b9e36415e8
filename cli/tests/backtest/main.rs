//! `countermand backtest` and `countermand policy test` as their users run them. Nothing here needs AWS.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod scene;
