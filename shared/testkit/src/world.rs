//! A fake AWS.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::rc::Rc;

use cloudtrail::Event;
use policy::Resource;
use remedy::{CallError, CallErrorKind};
use serde_json::Value;

/// A fake AWS whose whole state can be compared and whose calls are written down. Clones share the state.
pub trait World: Clone {
    /// All that a responder can change.
    type State: PartialEq + Debug;
    /// The state now. What AWS mints anew on each write, such as rule ids, is left out.
    fn state(&self) -> Self::State;
    /// The calls made so far.
    fn journal(&self) -> &Journal;
    /// What an operator captured of its resources before the event.
    fn baselines(&self) -> Vec<(Resource, Value)> {
        Vec::new()
    }
}

/// The calls made to a fake AWS, and the failures it was told to make.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    calls: Rc<RefCell<Vec<&'static str>>>,
    records: Rc<RefCell<Vec<Value>>>,
    refuse: Rc<Cell<Option<usize>>>,
    writes: Rc<Cell<usize>>,
}

impl Journal {
    /// Notes a read.
    pub fn read(&self, action: &'static str) {
        self.calls.borrow_mut().push(action);
    }

    /// Notes a write and the CloudTrail record that AWS would make of it; fails if this write is to be refused.
    pub fn write(&self, action: &'static str, record: Value) -> Result<(), CallError> {
        self.calls.borrow_mut().push(action);
        match self.refuse.get() {
            Some(0) => {
                let source = "the test wants it so".into();
                return Err(CallError { action, kind: CallErrorKind::Throttled, source });
            }
            Some(n) => self.refuse.set(Some(n - 1)),
            None => (),
        }
        self.writes.set(self.writes.get() + 1);
        self.records.borrow_mut().push(record);
        Ok(())
    }

    /// Refuses the `n`th write from now, counting from zero, and all after it; `None` refuses nothing.
    pub fn refuse_write(&self, n: Option<usize>) {
        self.refuse.set(n);
    }

    /// How many writes went through.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.writes.get()
    }

    /// The IAM actions called so far.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.calls.borrow().clone()
    }

    /// The events that AWS would send about the writes so far.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "test support: a fake makes records")]
    pub fn events(&self) -> Vec<Event> {
        self.records.borrow().iter().map(|record| Event::decode(record.clone()).expect("a CloudTrail record")).collect()
    }
}
