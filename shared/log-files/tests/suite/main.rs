//! The engine as its users see it.

#[cfg(test)]
mod equivalence;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod found;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod workers;
