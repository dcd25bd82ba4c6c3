//! What attempts come to, in the reference.

use crate::{
    case::Told,
    interpreter::Reference,
    run::{Finish, Held},
    state::{Asked, Decision, Reason, Spot, StepStatus, What},
};

/// How long a retry waits.
#[derive(Clone, Copy)]
struct Wait {
    least: f64,
    most: f64,
    /// Until this moment, where that was drawn.
    drawn: Option<f64>,
}

impl Reference {
    /// What the attempts that have finished came to, in the order of the plan. Gives the last step that ended.
    pub fn settle_finished(&mut self, job: usize) -> Option<usize> {
        let mut last = None;
        for (spot, finish) in std::mem::take(&mut self.jobs[job].runner().finished) {
            if self.jobs[job].state.at(spot).status == StepStatus::Running {
                self.note(job, spot, finish.clone());
            } else if self.jobs[job].plan.steps[spot.step].child().is_none() {
                self.jobs[job].decide_step(spot, What::Late);
            }
            self.account(job, spot, &finish);
            if self.jobs[job].ended(spot.step) {
                last = Some(spot.step);
            }
        }
        last
    }

    fn note(&mut self, number: usize, spot: Spot, finish: Finish) {
        let now = self.now;
        let wait = self.wait_after(number, spot);
        let job = &mut self.jobs[number];
        match finish {
            Finish::Gives { output, cost } if job.plan.steps[spot.step].repeat.is_some() => {
                job.decide_step(spot, What::RoundCompleted { output, cost });
            }
            Finish::Gives { output, cost } => job.decide_step(spot, What::Completed { output, cost }),
            Finish::Asks(tools) => {
                tools.into_iter().for_each(|tool| job.decide_step(spot, What::Asked { tool: Some(tool) }));
            }
            Finish::Fails { code, retryable, retry_after, .. } => match wait {
                None => job.fail_step(spot, code),
                Some(_) if !retryable => job.fail_attempt(spot, code, Asked::NoRetry),
                Some(Wait { drawn, least, .. })
                    if retry_after.is_some_and(|ms| ms > least) && drawn.is_none() =>
                {
                    let longer = retry_after.expect("by the line above");
                    let (retry_at, asked) = (Some(now + longer), Asked::Later(longer));
                    job.decide_step(spot, What::Failed { code, retry_at, asked });
                }
                Some(Wait { drawn, most, .. }) => {
                    let (retry_at, asked) = (Some(drawn.unwrap_or(now + most)), Asked::Nothing);
                    job.decide_step(spot, What::Failed { code, retry_at, asked });
                }
            },
            Finish::PausedWithParent => job.decide_step(spot, What::Suspended { code: "not_running" }),
            Finish::Suspended(told) => {
                let refused_by_budget = told == Told::BudgetRefused;
                let code = match told {
                    Told::Refused(code) => code,
                    _ => "budget_exceeded",
                };
                job.decide_step(spot, What::Suspended { code });
                job.runner().suspended.push(spot);
                job.runner().why_suspended = Some(told);
                if refused_by_budget && job.is_running() {
                    job.decide(Decision::JobPaused(Some(Reason::Budget), Some(spot.step)));
                }
            }
        }
    }

    /// How long to wait after a failed attempt, if there is to be another.
    fn wait_after(&self, job: usize, spot: Spot) -> Option<Wait> {
        let job = &self.jobs[job];
        let attempt = job.attempt(spot);
        let retry = job.plan.steps[spot.step].work()?.retry.as_ref()?;
        let grown = (1..attempt.number).fold(retry.backoff_ms, |wait, _| wait * retry.factor);
        let most = grown.min(retry.max_backoff_ms);
        let least = most * (1.0 - retry.jitter);
        let draw = self.draws.iter().find(|draw| draw.job == job.id && draw.attempt == attempt);
        let drawn = draw.filter(|draw| retry.jitter > 0.0 && !draw.later).map(|draw| draw.at);
        let drawn = drawn.map(|at| at.clamp(self.now + least, self.now + most));
        (attempt.number < retry.max_attempts).then_some(Wait { least, most, drawn })
    }

    /// The estimate is settled at what all attempts cost. Between them it stays held.
    fn account(&mut self, number: usize, spot: Spot, finish: &Finish) {
        let job = &mut self.jobs[number];
        let retries = job.waits_until(spot).is_some() && matches!(finish, Finish::Fails { .. });
        let place = job.runner().held.iter().position(|held| held.spot == spot);
        let Some(place) = place else { return };
        let Held { estimate, spent, .. } = job.runner().held[place];
        let actual = match finish {
            Finish::Gives { cost, .. } => spent + cost.unwrap_or(estimate),
            Finish::Fails { cost, .. } => spent + cost.unwrap_or(0.0),
            Finish::Asks(_) | Finish::Suspended(_) | Finish::PausedWithParent => 0.0,
        };
        if retries {
            job.runner().held[place].spent = actual;
            return;
        }
        job.runner().held.remove(place);
        self.budget = self.budget.map(|left| left + estimate - actual);
    }
}
