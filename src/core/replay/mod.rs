//! Decides again what a job's history says was decided.
//!
//! A [`Replay`] is given the events of a history one after the other. What came from outside (a person's word, what
//! an agent gave, a signal, the time) is taken from them; what follows from it is decided by the same methods of
//! [`Job`] that decided it first, and each event that these note has to be the one that is recorded. The first that
//! is not is the [`Difference`].
//!
//! `inputs` says what each event comes from, `decide` which step's turn it is and what becomes of it, `event` what
//! the core would have recorded, `state` what the stored job should look like in the end.

mod decide;
mod event;
mod inputs;
mod reads;
mod state;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
};

use serde_json::{Map, Value};

use self::event::Recorded;
use crate::core::{
    event::Event,
    job::{Job, JobHead, Run},
    outcome::Refusal,
    permissions::Permissions,
    status::JobStatus,
    step::StepIndex,
    trace::trace_id,
    written::Members,
};

/// Where a history and what is decided from it part.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The number of the event.
    pub at: u64,
    /// What is decided: an event, a part of one, or a sentence.
    pub expected: Value,
    /// What is recorded.
    pub actual: Value,
}

impl Difference {
    /// As the caller is told.
    pub fn to_json(&self) -> Value {
        let mut told = Members::default();
        told.count("at", Some(self.at));
        told.put("expected", self.expected.clone());
        told.put("actual", self.actual.clone());
        told.done()
    }
}

/// Why an event can't come next: what should have come, or a sentence.
type Refused = Value;

fn because(sentence: &str) -> Refused {
    Value::String(sentence.to_owned())
}

fn refused(refusal: Refusal) -> Refused {
    because(&refusal.message)
}

/// A history that is being decided again.
pub struct Replay {
    id: String,
    trace: String,
    /// Words and values may have been replaced by hashes of them.
    redacted: bool,
    job: Job<Value>,
    /// As the first event has it.
    plan: Option<Value>,
    context: Value,
    /// The context keys that steps have written.
    written: BTreeSet<Box<str>>,
    /// What rounds and items gave.
    outputs: BTreeMap<StepIndex, Value>,
    /// What the signals that wait carry, by the number of their event.
    signals: BTreeMap<u64, Value>,
    /// The attempts that are under way.
    attempts: BTreeSet<StepIndex>,
    /// What was noted and not met yet.
    noted: VecDeque<Event<Value>>,
    /// How many events were met.
    met: u64,
    decisions: u64,
    /// What expressions gave for the event that was met last.
    evaluated: Map<String, Value>,
    /// Of a job without a plan, they are known when its first step begins.
    permissions_known: bool,
    /// The job's caller is ending it.
    ending: bool,
    /// The step that a router asked for, where the event is its first.
    first_of_routed: Option<StepIndex>,
    /// The step whose agent asked for approval of a call last, by which event and when.
    asked: (StepIndex, u64, f64),
    /// What the first event says of a fork's origin, and what the event says that forked it.
    origins: [Value; 2],
}

impl Replay {
    /// Of the job with this id, from the beginning.
    pub fn new(id: &str, redacted: bool) -> Replay {
        let head = JobHead {
            status: JobStatus::Created,
            permissions: Permissions { max_steps: 0, ..Permissions::default() },
            revision: 0,
            seq: 0,
            steps_taken: 0,
            created: 0.0,
            started: None,
            completed: None,
            has_run: true,
            has_parent: false,
        };
        Replay {
            id: id.to_owned(),
            trace: trace_id(id),
            redacted,
            job: Job::loaded(head, Some(Run::routed()), 0.0),
            plan: None,
            context: Value::Object(Map::new()),
            written: BTreeSet::new(),
            outputs: BTreeMap::new(),
            signals: BTreeMap::new(),
            attempts: BTreeSet::new(),
            noted: VecDeque::new(),
            met: 0,
            decisions: 0,
            evaluated: Map::new(),
            permissions_known: false,
            ending: false,
            first_of_routed: None,
            asked: (0, 0, 0.0),
            origins: [Value::Null, Value::Null],
        }
    }

    /// How many of the events met so far the core had decided on.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// What the plan's expressions gave for the event that was met last, by their keys: true or false, how many items
    /// there are, or null where it could not be computed.
    pub fn evaluated(&self) -> &Map<String, Value> {
        &self.evaluated
    }

    /// Meets the next event.
    ///
    /// # Errors
    /// It is not what is decided. Nothing can be met after that.
    pub fn meet(&mut self, event: &Value) -> Result<(), Difference> {
        let at = self.met + 1;
        self.evaluated.clear();
        self.compare(event).map_err(|expected| Difference { at, expected, actual: event.clone() })?;
        self.met = at;
        Ok(())
    }

    fn compare(&mut self, event: &Value) -> Result<(), Refused> {
        let recorded = Recorded::read(event, &self.trace).map_err(because)?;
        let follows = !self.noted.is_empty();
        let decided = if follows {
            true
        } else {
            if !self.ending {
                self.job.now = recorded.at;
            }
            if recorded.name == "job_forked" {
                let expected = self.fork(&recorded)?;
                return if event::same(&expected, event) { Ok(()) } else { Err(expected) };
            }
            let decided = self.note(&recorded)?;
            self.drain();
            decided
        };
        let seq = self.job.head.seq + 1 - self.noted.len() as u64;
        let Some(noted) = self.noted.pop_front() else {
            return Err(because("nothing: the job stays as it is"));
        };
        let expected = self.write(seq, &noted, &recorded);
        if !event::same(&expected, event) {
            return Err(expected);
        }
        self.decisions += u64::from(decided);
        Ok(())
    }

    /// Takes what the job noted, as its commit would have stored it.
    fn drain(&mut self) {
        let change = mem::take(&mut self.job.change);
        let Some(run) = &self.job.run else { return };
        for step in change.steps {
            if run.states[step].is_attempted() {
                self.attempts.insert(step);
            } else {
                self.attempts.remove(&step);
            }
        }
        for (step, output) in change.context {
            let output = output.unwrap_or_default();
            let what = run.step(step);
            if what.repeat.is_some() || run.item(step).is_some() {
                self.outputs.insert(step, output.clone());
            }
            if let (None, Value::Object(context)) = (run.item(step), &mut self.context) {
                context.insert(what.into.to_string(), output);
                self.written.insert(what.into.clone());
            }
        }
        self.noted.extend(change.events);
    }

    /// The history ends here: is it whole, and is the stored job, where there is one, what came of it?
    ///
    /// # Errors
    /// The difference.
    pub fn end(&self, job: Option<&Value>) -> Result<(), Difference> {
        if let Some(noted) = self.noted.front() {
            let expected = self.write(self.met + 1, noted, &Recorded::nothing(self.job.now));
            return Err(Difference { at: self.met + 1, expected, actual: Value::Null });
        }
        if self.ending {
            let expected = because("the end of the job");
            return Err(Difference { at: self.met + 1, expected, actual: Value::Null });
        }
        let [first, last] = &self.origins;
        if first != last {
            return Err(Difference { at: 1, expected: last.clone(), actual: first.clone() });
        }
        job.map_or(Ok(()), |job| self.compare_job(job))
    }
}
