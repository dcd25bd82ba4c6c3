//! A step that is a job of its own, in the reference.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::{
    case::{Permissions, Told},
    interpreter::Reference,
    job::Job,
    plan::Plan,
    rule::{Uncomputable, evaluate_template},
    run::{Asker, AtWork, Finish, Runner, TIMEOUT},
    state::{Decision, Reason, Spot, Status},
};

/// A child that a step waits for.
pub struct ChildAtWork {
    id: String,
    plan: Rc<Plan>,
    permissions: Value,
    context: Result<Value, Uncomputable>,
    pub was_paused: bool,
    /// A run of it was asked for, and has told nothing yet.
    runs: bool,
}

const UNCOMPUTABLE: Finish =
    Finish::Fails { code: "agent_failed", retryable: false, retry_after: None, cost: None };

impl Reference {
    /// The child of a step that has begun, with the context as it is now.
    pub fn child_at_work(&self, parent: usize, spot: Spot) -> Option<ChildAtWork> {
        let job = &self.jobs[parent];
        let child = job.plan.steps[spot.step].child()?;
        let context = match (&child.context, spot.item) {
            (Some(template), _) => evaluate_template(template, &job.context_for(spot)),
            (None, None) => Ok(json!({})),
            (None, Some(index)) => Ok(json!({ "item": job.item(spot), "index": index })),
        };
        Some(ChildAtWork {
            id: job.key_of(spot),
            plan: Rc::clone(&child.plan),
            permissions: child.permissions.clone(),
            context: context
                .and_then(|context| if context.is_object() { Ok(context) } else { Err(Uncomputable) }),
            was_paused: false,
            runs: false,
        })
    }

    /// The child of an attempt goes on as far as it can.
    pub fn tend(&mut self, parent: usize, attempt: &mut AtWork) -> bool {
        let child = attempt.child.as_mut().expect("a child");
        if attempt.is_being_given_up {
            attempt.ends = Some(TIMEOUT);
            return true;
        }
        let Ok(context) = &child.context else {
            attempt.ends = Some(UNCOMPUTABLE);
            return true;
        };
        let mut moved = false;
        let job = self.find_job(&child.id).unwrap_or_else(|| {
            moved = true;
            self.make(parent, &child.id, &child.plan, context.clone(), &child.permissions)
        });
        loop {
            if child.runs {
                if !self.tasks.contains(&job) {
                    moved |= self.run_on(job);
                }
                let Some(told) = self.take_answer(parent, attempt.spot) else { return moved };
                child.runs = false;
                attempt.ends = match (told, self.stand(job)) {
                    (Told::NothingLeft, _) => None,
                    (_, Some(end)) => Some(end),
                    (_, None) if self.is_paused_with_parent(job) => Some(Finish::PausedWithParent),
                    (told, None) => Some(Finish::Suspended(told)),
                };
            }
            attempt.ends = attempt.ends.take().or_else(|| self.stand(job));
            if attempt.ends.is_some() {
                return true;
            }
            moved = true;
            let status = self.jobs[job].state.status;
            if status == Status::Created || self.is_paused_with_parent(job) {
                if child.was_paused {
                    attempt.ends = Some(Finish::PausedWithParent);
                    return true;
                }
                if self.budget.is_some_and(|left| left <= 0.0) {
                    attempt.ends = Some(Finish::Suspended(Told::BudgetRefused));
                    return true;
                }
                self.start(job);
            } else if status == Status::Paused {
                attempt.ends = Some(Finish::Suspended(Told::Refused(self.jobs[job].why_stopped())));
                return true;
            } else {
                child.runs = true;
                self.run(job, None, Asker::Parent(parent, attempt.spot));
            }
        }
    }

    /// What a child that has ended came to.
    fn stand(&self, job: usize) -> Option<Finish> {
        let job = &self.jobs[job];
        match job.state.status {
            Status::Completed => {
                Some(Finish::Gives { output: Value::Object(job.state.context.clone()), cost: None })
            }
            Status::Failed => {
                let code = job.why_stopped();
                Some(Finish::Fails { code, retryable: false, retry_after: None, cost: None })
            }
            Status::Created | Status::Running | Status::Paused => None,
        }
    }

    fn is_paused_with_parent(&self, job: usize) -> bool {
        matches!(self.jobs[job].state.pause, Some((Reason::Parent, _)))
    }

    fn take_answer(&mut self, parent: usize, spot: Spot) -> Option<Told> {
        let place = self.answers.iter().position(|(to, at, _)| *to == parent && *at == spot)?;
        Some(self.answers.remove(place).2)
    }

    fn make(&mut self, parent: usize, id: &str, plan: &Rc<Plan>, context: Value, given: &Value) -> usize {
        let parents = self.jobs[parent].state.permissions;
        let own = Permissions {
            tools: given["allowTools"].as_bool().unwrap_or(parents.tools),
            approval: given["requireApproval"].as_bool().unwrap_or(parents.approval),
            max_steps: given["maxSteps"].as_u64().unwrap_or(parents.max_steps),
        };
        let job = Job::new(id, Some(parent), Rc::clone(plan), context, own.meet(parents));
        // One that a crash took back stands there already.
        match self.jobs.iter().position(|known| known.id == id) {
            Some(place) => {
                self.jobs[place] = job;
                place
            }
            None => {
                self.jobs.push(job);
                self.jobs.len() - 1
            }
        }
    }

    /// The children that a paused job waits for are paused with it, each once.
    pub fn pause_children(&mut self, parent: usize) -> bool {
        if self.jobs[parent].state.status != Status::Paused {
            return false;
        }
        let mut to_pause = Vec::new();
        for child in self.jobs[parent].runner().at_work.iter_mut().filter_map(|it| it.child.as_mut()) {
            if !std::mem::replace(&mut child.was_paused, true) {
                to_pause.push(child.id.clone());
            }
        }
        for job in to_pause.iter().filter_map(|id| self.find_job(id)).collect::<Vec<_>>() {
            if self.jobs[job].is_running() {
                self.jobs[job].decide(Decision::JobPaused(Some(Reason::Parent), None));
                self.commit(job);
            }
        }
        !to_pause.is_empty()
    }

    /// The time of a step is up: its child is cancelled, which takes a turn.
    pub fn give_up_child(&mut self, attempt: &mut AtWork) {
        attempt.is_being_given_up = true;
        let child = attempt.child.as_ref().and_then(|child| self.find_job(&child.id));
        if let Some(child) = child {
            self.cancel(child);
        }
    }

    /// A run that is under way is joined; a single step is waited for.
    pub fn run(&mut self, job: usize, input: Option<Value>, asker: Asker) {
        let process = &mut self.jobs[job].process;
        match (&mut process.next, &mut process.runner) {
            (Some((_, asked_by)), _) => asked_by.push(asker),
            (None, Some(runner)) if !runner.single => runner.asked_by.push(asker),
            (None, Some(_)) => {
                process.stop_asked = false;
                process.next = Some((input, vec![asker]));
            }
            (None, None) => {
                process.stop_asked = false;
                process.runner = Some(Runner::new(false, input, vec![asker]));
            }
        }
    }
}
