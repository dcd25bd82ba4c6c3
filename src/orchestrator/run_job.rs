use std::{cell::RefCell, rc::Rc};

use crate::{
    host::{Host, JobKey},
    orchestrator::{
        Orchestrator, Outcome,
        drive::{Drive, Driven, Until},
        live::Live,
    },
};

/// The runs that are under way.
pub(super) struct Runs<H: Host> {
    /// By key; keys are small numbers, given again when they are free.
    runs: RefCell<Vec<Option<UnderWay<H>>>>,
}

/// What a run came to, for those who joined it; made for the first of them.
type UnderWay<H> = Option<Rc<RunEnd<H>>>;

type RunEnd<H> = RefCell<Option<Outcome<H>>>;

impl<H: Host> Default for Runs<H> {
    fn default() -> Self {
        Runs { runs: RefCell::default() }
    }
}

impl<H: Host> Runs<H> {
    /// Begins a run, or gives the end of the one that is under way.
    fn join(&self, key: JobKey) -> Option<Rc<RunEnd<H>>> {
        let mut runs = self.runs.borrow_mut();
        let place = key.0 as usize;
        if runs.len() <= place {
            runs.resize_with(place + 1, || None);
        }
        match &mut runs[place] {
            Some(end) => Some(Rc::clone(end.get_or_insert_default())),
            free => {
                *free = Some(None);
                None
            }
        }
    }

    /// The run is over.
    fn end(&self, key: JobKey, outcome: &Outcome<H>) {
        let run = self.runs.borrow_mut().get_mut(key.0 as usize).and_then(Option::take);
        if let Some(Some(end)) = run {
            *end.borrow_mut() = Some(outcome.clone());
        }
    }
}

impl<H: Host> Orchestrator<H> {
    /// Runs a job's steps until it has ended or can't go on without somebody. Called again on a job
    /// that this orchestrator is already running, it waits for that run.
    ///
    /// # Errors
    /// What stopped the job: a pause, a limit, a failed step, the budget manager's own words.
    pub async fn run_job(&self, key: JobKey, input: Option<H::Value>) -> Outcome<H> {
        let live = self.live(key);
        match self.runs.join(key) {
            None => {
                live.stop_asked.set(false);
                let outcome = self.run_alone(&live, key, input).await;
                self.runs.end(key, &outcome);
                live.notify();
                outcome
            }
            Some(end) => loop {
                let mark = live.mark();
                let outcome = end.borrow().clone();
                if let Some(outcome) = outcome {
                    return outcome;
                }
                live.changed_since(mark).await;
            },
        }
    }

    /// Asks a run to stop: attempts that are under way finish and are committed, and the job is left paused.
    pub fn stop_run(&self, key: JobKey) {
        if let Some(live) = self.live.get(key) {
            live.stop_asked.set(true);
            live.notify();
        }
    }

    /// Waits for a single step that is under way, and then runs the job.
    async fn run_alone(&self, live: &Rc<Live>, key: JobKey, input: Option<H::Value>) -> Outcome<H> {
        let _seat = loop {
            let mark = live.mark();
            match live.take_seat() {
                Some(seat) => break seat,
                None => live.changed_since(mark).await,
            }
        };
        let mut drive = Drive::new(self, Rc::clone(live), key, Until::JobStops, input);
        match drive.run().await? {
            Driven::Completed | Driven::Step(..) => Ok(()),
            Driven::Stopped(refusal) => Err(refusal.into()),
        }
    }
}
