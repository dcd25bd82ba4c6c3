//! One purse for all jobs.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use serde_json::{Value, json};

use crate::{
    core::step::Hold,
    host::{
        BudgetAnswer, BudgetManager, JobKey,
        memory::{HostCall, MemoryHost},
    },
};

#[derive(Default)]
pub(super) struct Purse {
    /// `None` grants everything.
    left: Cell<Option<f64>>,
    held: RefCell<BTreeMap<(JobKey, Hold), f64>>,
    book: RefCell<Vec<Entry>>,
}

/// What the budget manager was asked or told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry {
    /// May this job start?
    MayStart(JobKey),
    /// Hold this much for a step.
    Hold(JobKey, Hold, f64),
    /// A step cost this much.
    Spent(JobKey, Hold, f64),
    /// A step cost nothing.
    Free(JobKey, Hold),
}

impl Purse {
    pub(super) fn forget_held(&self) {
        let held = std::mem::take(&mut *self.held.borrow_mut());
        self.put_back(held.into_values().sum());
    }

    fn put_back(&self, amount: f64) {
        self.left.set(self.left.get().map(|left| left + amount));
    }

    fn let_go(&self, job: JobKey, hold: Hold) {
        let held = self.held.borrow_mut().remove(&(job, hold));
        self.put_back(held.unwrap_or(0.0));
    }

    fn hold(&self, job: JobKey, hold: Hold, amount: f64) -> BudgetAnswer<Value> {
        if self.left.get().is_some_and(|left| left < amount) {
            return refused();
        }
        self.let_go(job, hold);
        self.put_back(-amount);
        self.held.borrow_mut().insert((job, hold), amount);
        BudgetAnswer::Granted
    }

    fn note(&self, entry: Entry) {
        self.book.borrow_mut().push(entry);
    }
}

fn refused() -> BudgetAnswer<Value> {
    BudgetAnswer::Refused(json!({ "success": false, "error": "Budget exceeded", "mine": true }))
}

impl MemoryHost {
    /// What is left to spend; `None` is without end.
    pub fn set_budget(&self, left: Option<f64>) {
        self.world.purse.left.set(left);
    }

    /// What is left to spend.
    pub fn budget(&self) -> Option<f64> {
        self.world.purse.left.get()
    }

    /// How many steps something is held for.
    pub fn held(&self) -> usize {
        self.world.purse.held.borrow().len()
    }

    /// What the budget manager was asked and told, in order.
    pub fn book(&self) -> Vec<Entry> {
        self.world.purse.book.borrow().clone()
    }
}

impl BudgetManager for MemoryHost {
    async fn may_start(&self, job: JobKey) -> Result<BudgetAnswer<Value>, String> {
        self.call(HostCall::MayStart(job), || {
            self.world.purse.note(Entry::MayStart(job));
            if self.budget().is_some_and(|left| left <= 0.0) { refused() } else { BudgetAnswer::Granted }
        })
        .await
    }

    async fn hold(&self, job: JobKey, hold: Hold, estimate: f64) -> Result<BudgetAnswer<Value>, String> {
        self.call(HostCall::Hold(job), || {
            self.world.purse.note(Entry::Hold(job, hold, estimate));
            self.world.purse.hold(job, hold, estimate)
        })
        .await
    }

    async fn spent(&self, job: JobKey, hold: Hold, actual: f64) -> bool {
        self.surely(HostCall::Spent(job), || {
            self.world.purse.note(Entry::Spent(job, hold, actual));
            self.world.purse.let_go(job, hold);
            self.world.purse.put_back(-actual);
        })
        .await;
        true
    }

    async fn free(&self, job: JobKey, hold: Hold) -> bool {
        self.surely(HostCall::Free(job), || {
            self.world.purse.note(Entry::Free(job, hold));
            self.world.purse.let_go(job, hold);
        })
        .await;
        true
    }

    // This purse is told everything the first time.
    async fn settle_owed(&self, _job: JobKey) -> bool {
        true
    }

    // What is held is forgotten in a crash, and nothing is allocated: there is nothing to settle.
    fn reserves(&self, _job: JobKey) -> bool {
        false
    }

    async fn reclaim(&self, _job: JobKey) -> bool {
        true
    }
}
