//! The reference: what docs/plans.md says, done the slow and obvious way. Whatever can be worked out
//! anew is, at every question, from the plans and from what was decided.

use std::rc::Rc;

use serde_json::Value;

use crate::{
    case::{Attempt, Case, Told},
    job::Job,
    plan::Plan,
    state::Spot,
};

pub struct Reference {
    pub case: Case,
    /// The job, and its descendants in the order in which they were made.
    pub jobs: Vec<Job>,
    /// The jobs that somebody runs, in the order in which they began to.
    pub tasks: Vec<usize>,
    pub now: f64,
    pub budget: Option<f64>,
    /// What agents were called with.
    pub calls: Vec<Call>,
    /// What who asked was told, by the number of the question.
    pub told: Vec<(usize, Told)>,
    /// What the runs of children came to, for the steps that wait for them.
    pub answers: Vec<(usize, Spot, Told)>,
    /// What the engine drew, where waits are drawn: the reference does not know how.
    pub draws: Vec<Draw>,
}

/// What an agent is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub key: String,
    pub attempt: Attempt,
    pub input: Value,
    pub context: Value,
    pub granted: Vec<String>,
}

/// When the engine makes the attempt after a failed one of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    pub job: String,
    pub attempt: Attempt,
    pub at: f64,
    /// Because the attempt asked for more than what was drawn.
    pub later: bool,
}

pub const ROOT: usize = 0;

impl Reference {
    pub fn new(case: &Case) -> Reference {
        let plan = Rc::new(Plan::read(&case.plan));
        Reference {
            jobs: vec![Job::new("job", None, plan, case.context.clone(), case.permissions)],
            tasks: Vec::new(),
            now: 0.0,
            budget: case.budget,
            calls: Vec::new(),
            told: Vec::new(),
            answers: Vec::new(),
            draws: Vec::new(),
            case: case.clone(),
        }
    }

    /// The process has ended after so many commits to each job.
    pub fn crash(&mut self, commits: impl Fn(&str) -> usize, budget: Option<f64>) {
        for job in &mut self.jobs {
            job.crash(commits(&job.id));
        }
        self.tasks.clear();
        self.told.clear();
        self.answers.clear();
        self.budget = budget;
    }

    /// What was decided about a job is committed. Where that was its end, nobody works on it or on its
    /// children any longer. Gives whether anybody did.
    pub fn commit(&mut self, job: usize) -> bool {
        let ends = self.jobs[job].ends_with_this_commit();
        self.jobs[job].commit();
        ends && self.give_up(job)
    }

    /// Who is at work on a job that has ended is told to stop, and its children are cancelled, depth first.
    fn give_up(&mut self, job: usize) -> bool {
        let mut any = false;
        if let Some(runner) = &mut self.jobs[job].process.runner {
            any = !runner.at_work.is_empty();
            runner.gave_up |= any;
            runner.at_work.retain(|attempt| attempt.is_being_given_up);
        }
        for child in self.children_of(job) {
            self.cancel(child);
        }
        any
    }

    /// A job that has not ended ends as cancelled, and so do its descendants.
    pub fn cancel(&mut self, job: usize) {
        if !self.jobs[job].has_ended() {
            self.jobs[job].end_badly(Some("cancelled"));
            self.commit(job);
            // Who runs it for its parent hears of it at once.
            if self.jobs[job].process.runner.is_some() && !self.tasks.contains(&job) {
                self.run_on(job);
            }
        }
    }

    pub fn children_of(&self, parent: usize) -> Vec<usize> {
        let is_child = |job: &usize| self.jobs[*job].exists() && self.jobs[*job].parent == Some(parent);
        (0..self.jobs.len()).filter(is_child).collect()
    }

    /// The job with this id, if there is one.
    pub fn find_job(&self, id: &str) -> Option<usize> {
        self.jobs.iter().position(|job| job.id == id && job.exists())
    }
}
