//! Findings, from the event to what they add up to.

#[cfg(test)]
mod budgets;
#[cfg(test)]
mod candidates;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod judging;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod live;
#[cfg(test)]
mod parts;
